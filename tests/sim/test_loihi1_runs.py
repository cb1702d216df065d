"""Runs under the profile `loihi1`: what is refused, which engine runs, parts and files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.errors import InputError, OverflowDetected, ProgramError
from spikeport.neurons import LIF
from spikeport.program import Conv, Dense, Input, Output, Program, Resonator, SigmaDelta
from spikeport.sim import load_state, record, save_state
from spikeport.sim.compare import compare
from spikeport.sim.engine.lif import leaves_loihi1
from tests.sim.loihi1 import SUM, driven1, loihi1_program, run
from tests.vectors.case import Case

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
@settings(max_examples=100)
def test_the_event_engine_equals_the_reference_under_loihi1(seed: int) -> None:
    case = loihi1_program(seed)
    assert compare(run(case, engine="events").traces, run(case, engine="reference").traces).equal


@pytest.mark.parametrize(
    ("a", "u", "bias", "left"),
    [
        (SUM - 1, 2**23 - 1, 0, False),
        (-SUM, -(2**23), 0, False),
        (SUM, 0, 0, True),
        (-SUM - 1, 0, 0, True),
        (0, 2**23, -1, True),
        (0, 2**23 - 2, 1, False),
        (0, 2**23 - 2, 2, True),
        (0, 2 - 2**23, -2, False),
        (0, 2 - 2**23, -3, True),
    ],
)
@pytest.mark.parametrize("wide", [np.int32, np.int64])
def test_the_engine_sees_the_last_value_of_each_word(a: int, u: int, bias: int, left: bool, wide: Any) -> None:
    """As compiled, u after the step; some of these can follow only a state that another profile left."""
    slots, current, loaded = np.zeros(7, wide), np.zeros(4, np.int32), np.zeros(4, np.int32)
    slots[3 + 2], current[2], loaded[2] = a << 1, u - (a << 6), bias
    assert leaves_loihi1(current, loaded, slots, 3, 0, 1, 4096) == left


def test_a_convolution_beyond_32_bits_has_a_value_and_under_lava_none() -> None:
    """66,000 synapses of 255 << 7; the low 16 bits of their sum are what is left."""
    conv = Conv("x", "g", np.full((1, 66_000, 1, 1), 255), weight_exp=7)
    group = LIF("g", (1, 1, 1), 4095, 4096, 9, np.zeros((1, 1, 1), int))
    program = Program((group,), (conv,), (Input("x", (66_000, 1, 1), "spike"),), (Output("y", "g"),), latency=1)
    x = np.ones((1, 1, 66_000, 1, 1), int)
    x[:, :, :3] = 0
    total = 65_997 * 255 * 128
    assert total >= 2**31
    want = ((total + SUM) % (2 * SUM) - SUM) * 64
    assert want != 0
    for engine in ("events", "reference"):
        assert run(program, "loihi1", x, engine=engine).traces["g"].u.reshape(-1).tolist() == [0, want]
    with pytest.raises(OverflowDetected, match="sum of a convolution"):
        run(program, "lava", x)


def network(*groups: Any, entry: Input | None = None, **changes: Any) -> Program:
    entry = entry or Input("x", (1,), "spike")
    port = groups[0].ports[0]
    synapses = Dense("x", "g", np.full((1, 1), 2), graded=entry.kind == "graded", port=port)
    return Program(groups, (synapses,), (entry,), (Output("y", "g"),), **changes)


def lif(**values: Any) -> LIF:
    return LIF("g", (1,), **{"du": 0, "dv": 0, "vth": 9, "bias_mant": np.zeros(1, int), **values})


@pytest.mark.parametrize(
    ("group", "what"),
    [
        (lif(reset="subtract"), "soft reset"),
        (lif(vth_low=-3), "vth_low"),
        (SigmaDelta("g", (1,), "sigma"), "SigmaDelta"),
        (Resonator("g", (1,), "rf", 3, 0, 0), "Resonator"),
    ],
)
def test_neurons_that_take_a_loihi_2_are_refused(group: Any, what: str) -> None:
    message = (
        f"g: neurons under the profile loihi1 ({what}) are not LIF that resets to zero and sends 0 or 1; "
        "name the profile 'strict' or 'lava'"
    )
    with pytest.raises(ProgramError) as caught:
        network(group, profile="loihi1")
    assert str(caught.value) == message
    with pytest.raises(ProgramError) as caught:
        run(network(group), "loihi1", np.ones((2, 1, 1), int))
    assert str(caught.value) == message


def test_graded_spikes_are_refused() -> None:
    with pytest.raises(ProgramError) as caught:
        network(lif(), entry=Input("x", (1,), "graded", 0, 5), profile="loihi1")
    message = "spikes under the profile loihi1 (graded) are not 0 or 1; name the profile 'strict' or 'lava'"
    assert str(caught.value) == f"x: {message}"
    program = network(lif())
    graded = replace(program, connections=(replace(program.connections[0], graded=True),))
    with pytest.raises(ProgramError) as caught:
        run(graded, "loihi1", np.ones((2, 1, 1), int), engine="reference")
    assert str(caught.value) == f"x -> g: {message}"


def test_the_dense_engine_has_no_loihi1() -> None:
    pytest.importorskip("torch")
    with pytest.raises(InputError) as caught:
        run(network(lif()), "loihi1", np.ones((2, 1, 1), int), engine="dense")
    assert str(caught.value) == ("engine dense: profile (loihi1) is not one of strict, lava; use engine='events'")


@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("seed", range(12))
def test_parts_are_the_run_in_one(seed: int, engine: Any, tmp_path: Path) -> None:
    case = loihi1_program(seed)
    whole, cut = run(case, engine=engine), 7
    first, second = ({n: x[part] for n, x in case.inputs.items()} for part in (slice(cut), slice(cut, None)))
    a = run(replace_inputs(case, first), engine=engine, flush=False)
    assert a.state is not None
    save_state(a.state, tmp_path / "s.npz")
    b = run(replace_inputs(case, second), engine=engine, state=load_state(tmp_path / "s.npz", case.program))
    for name, trace in whole.traces.items():
        for k, x in {**trace.state, "s": trace.s}.items():
            parts = [t.s if k == "s" else t.state[k] for t in (a.traces[name], b.traces[name])]
            assert np.array_equal(np.concatenate(parts), x)


@given(SEEDS)
@settings(max_examples=60)
def test_a_run_goes_on_from_what_another_profile_left(seed: int) -> None:
    case = loihi1_program(seed)
    first, second = ({n: x[part] for n, x in case.inputs.items()} for part in (slice(9), slice(9, None)))
    ends = []
    for engine in ("events", "reference"):
        state = run(replace_inputs(case, first), "lava", engine=engine, flush=False).state
        ends.append(run(replace_inputs(case, second), engine=engine, state=state).traces)
    assert compare(*ends).equal


def replace_inputs(case: Case, inputs: Any) -> Case:
    return Case(case.name, case.program, inputs)


def test_once_a_word_is_left_the_reference_keeps_the_run() -> None:
    case = driven1([SUM] * 4)
    first = run(case, flush=False)
    assert first.state is not None and first.state.engine == "reference"
    with pytest.raises(InputError) as caught:
        run(case, state=first.state, engine="events")
    assert str(caught.value) == "state: engine (reference) is not events"
    inside = run(driven1([SUM - 1] * 3), flush=False)
    assert inside.state is not None and inside.state.engine == "events"


@pytest.mark.parametrize("seed", range(6))
def test_a_recording_in_chunks_is_the_run_in_one(seed: int, tmp_path: Path) -> None:
    case = loihi1_program(seed)
    whole = run(case, engine="reference")
    record(case.program, dict(case.inputs), list(whole.traces), tmp_path / "y.h5", chunk_steps=3)
    with h5py.File(tmp_path / "y.h5") as file:
        for name, trace in whole.traces.items():
            assert all(np.array_equal(file[f"{name}/{k}"], x) for k, x in {**trace.state, "s": trace.s}.items())
