"""Outputs that read the membrane: what they hold, on every engine and in parts, and when a spike is an error."""

from collections.abc import Collection
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.errors import InputError, OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import load_state, record, reference, save_state, simulate
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.record import output_keys
from spikeport.sim.simulate import Engine, check_inputs
from spikeport.sim.steps import EventSteps

STEPS = 10
ENGINES: list[Engine] = ["reference", "events", *(["dense"] if find_spec("torch") else [])]  # type: ignore[list-item]
VTH = fixed.VTH_MAX
TOP = VTH << 6  # 8388544: what v may reach


def with_outputs(program: Program) -> Program:
    """The same, with an output for what each group sends and one for each v that there is; the first is of v."""
    lifs = [g.name for g in program.groups if isinstance(g, LIF)]
    v = [Output(f"{name}_v", name, reads="v") for name in lifs]
    return replace(program, outputs=(*v, *(Output(f"{g.name}_s", g.name) for g in program.groups)))


def drawn(seed: int, kinds: Collection[str] = KINDS, graded: bool = True) -> tuple[Program, dict[str, Ints]]:
    program, inputs = random_program(np.random.default_rng(seed), steps=STEPS, kinds=kinds, graded=graded)
    return with_outputs(program), inputs


def part(inputs: dict[str, Ints], first: int, last: int | None) -> dict[str, Ints]:
    return {name: x[first:last] for name, x in inputs.items()}


# ---------------------------------------------------------------- values


def leaky(rng: np.random.Generator, du: int, dv: int) -> Program:
    """x -> h, which spikes, -> a leaky integrator of 3 neurons with a bias."""
    h = LIF("h", (5,), 4095, 1000, 60, np.zeros(5, int))
    out = LIF("out", (3,), du, dv, VTH, np.array([-7, 0, 90]), bias_exp=2, v_unit=1 / 512)
    links = (
        Dense("x", "h", 2 * rng.integers(-10, 60, (5, 4))),
        Dense("h", "out", 2 * rng.integers(-90, 90, (3, 5)), 1),
    )
    outputs = (Output("y", "h"), Output("mem", "out", 3, reads="v"))
    return Program((h, out), links, (Input("x", (4,), "spike"),), outputs, latency=2)


def toward_zero(x: int, keep: int) -> int:
    return (abs(x) * keep >> 12) * (1 if x >= 0 else -1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("du", "dv"), [(4095, 819), (1000, 0), (4095, 4096), (0, 1)])
def test_a_leaky_integrator_is_the_recurrence_written_by_hand(
    engine: Engine, du: int, dv: int, rng: np.random.Generator
) -> None:
    program = leaky(rng, du, dv)
    x = (rng.random((25, 2, 4)) < 0.4).astype(np.uint8)
    result = simulate(program, x, engine=engine)
    weight = program.connections[1].weight.astype(int)
    spikes = result.sent["h"].astype(int)  # (27, 2, 5)
    for b in range(2):
        u, v, found = [0] * 3, [0] * 3, []
        for t in range(27):
            for i in range(3):
                a = 2 * sum(int(weight[i, j]) for j in range(5) if t and spikes[t - 1, b, j])
                u[i] = toward_zero(u[i], 4096 - (du + 1)) + 64 * a
                v[i] = toward_zero(v[i], 4096 - dv) + u[i] + 4 * (-7, 0, 90)[i]
            found.append(list(v))
        assert result.outputs["mem"][:, b].tolist() == found[2:]
    assert spikes.any() and np.array_equal(result.outputs["y"], result.spikes)
    assert not result.traces


@given(seed=st.integers(0, 2**32), profile=st.sampled_from(["lava", "loihi1"]))
def test_the_event_engine_reads_what_the_reference_holds(seed: int, profile: Any) -> None:
    program, inputs = drawn(seed, *((["lif", "refractory"], False) if profile == "loihi1" else (KINDS,)))
    program = program if program.has_profile(profile) else replace(program, profile="lava")
    profile = profile if program.has_profile(profile) else "lava"
    seen: dict[str, list[Ints]] = {}

    def observe(t: int, name: str, state: Any, s: Ints) -> None:
        if t > program.latency:
            seen.setdefault(f"{name}_s", []).append(s)
            if "v" in state:
                seen.setdefault(f"{name}_v", []).append(state["v"])

    reference.run(program, check_inputs(program, inputs), STEPS + program.latency, observe, profile)
    result = simulate(program, inputs, engine="events", profile=profile)
    first = program.outputs[0]
    assert np.array_equal(result.spikes, result.outputs[f"{first.source}_s"])
    for output in program.outputs:
        got = result.outputs[output.name]
        assert got.shape[2:] == program.shape_of(output.source)
        assert np.array_equal(got.reshape(STEPS, got.shape[1], -1), np.array(seen[output.name]))


@pytest.mark.skipif("dense" not in ENGINES, reason="needs torch")
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_the_dense_engine_reads_what_the_others_read(seed: int) -> None:
    program, inputs = drawn(seed, ["lif"], graded=False)
    want, got = (simulate(program, inputs, engine=engine).outputs for engine in ("events", "dense"))  # type: ignore[arg-type]
    assert got.keys() == want.keys() and all(np.array_equal(got[n], want[n]) for n in want)


@given(
    seed=st.integers(0, 2**32),
    cut=st.integers(1, STEPS - 1),
    engine=st.sampled_from(["reference", "events"]),
    file=st.booleans(),
)
def test_the_outputs_of_parts_are_those_of_the_run_in_one(seed: int, cut: int, engine: Engine, file: bool) -> None:
    program, inputs = drawn(seed)
    whole = simulate(program, inputs, engine=engine)
    first = simulate(program, part(inputs, 0, cut), engine=engine, flush=False)
    state = first.state
    assert state is not None
    if file:
        with TemporaryDirectory() as folder:
            save_state(state, Path(folder) / "s.npz")
            state = load_state(Path(folder) / "s.npz", program)
    second = simulate(program, part(inputs, cut, None), engine=engine, state=state)
    for name, x in whole.outputs.items():
        assert np.array_equal(np.concatenate([first.outputs[name], second.outputs[name]]), x)


@given(seed=st.integers(0, 2**32), chunk=st.integers(1, 20), engine=st.sampled_from(["reference", "events"]))
def test_a_streamed_recording_holds_the_outputs_of_a_run_in_memory(seed: int, chunk: int, engine: Engine) -> None:
    program, inputs = drawn(seed)
    program = replace(program, outputs=tuple(replace(o, classes=1) for o in program.outputs))
    groups = [program.groups[0].name]
    want = simulate(program, inputs, engine=engine)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "y.h5"
        found = record(program, inputs, groups, path, chunk_steps=chunk, engine=engine)
        with h5py.File(path) as file:
            got = {name: file[key][()] for name, key in output_keys(program, groups).items()}
            units = {o.name: file[f"{o.name}/v_unit"][()] for o in program.outputs if o.reads == "v"}
    for output in program.outputs:
        assert np.array_equal(got[output.name], want.outputs[output.name])
        values = want.outputs[output.name].reshape(STEPS, found.batch, -1).astype(np.int64).sum(axis=2)
        tally = found.tallies[output.name]
        assert tally.total[:, 0].tolist() == values.sum(axis=0).tolist()
        assert tally.most[:, 0].tolist() == values.max(axis=0).tolist()
        assert tally.last[:, 0].tolist() == values[-1].tolist()
        if output.reads == "v":
            assert got[output.name].dtype == np.int64
            assert units[output.name] == program.group(output.source).v_unit


def test_v_is_kept_of_the_groups_that_an_output_reads_and_of_no_others(
    rng: np.random.Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    advance = EventSteps.advance

    def spy(self: Any, inputs: Any, steps: int, spikes: Any, states: Any, length: int) -> Any:
        asked.append(set(states))
        return advance(self, inputs, steps, spikes, states, length)

    monkeypatch.setattr(EventSteps, "advance", spy)
    program, x = leaky(rng, 4095, 819), np.ones((4, 1, 4), np.uint8)
    spiking = replace(program, outputs=program.outputs[:1])
    for net in (spiking, program):
        simulate(net, x)
        record(net, x, [], tmp_path / "y.h5")
    assert asked == [set(), set(), {"out"}, {"out"}]


# ---------------------------------------------------------------- a readout that spikes


def summing(bias: int, size: int = 2, **changes: Any) -> Program:
    """One step's spikes add up to v = 8388544 + bias; nothing is kept."""
    values = {"du": 4095, "dv": 4096, "vth": VTH, "bias_mant": np.full(size, bias), **changes}
    out = LIF("out", (size,), **values)  # type: ignore[arg-type]
    weight = np.full((size, 515), 255)
    weight[:, -1] = 1
    weight[0] = 0  # the first neuron hears nothing
    assert weight[1].sum() == VTH
    return Program(
        (out,),
        (Dense("x", "out", weight),),
        (Input("x", (515,), "spike"),),
        (Output("y", "out", reads="v"),),
        latency=1,
    )


ONE = np.ones((1, 1, 515), np.uint8)


@pytest.mark.parametrize("engine", ENGINES)
def test_v_may_reach_the_threshold_and_not_pass_it(engine: Engine) -> None:
    assert simulate(summing(0), ONE, engine=engine).outputs["y"].ravel().tolist() == [0, TOP]
    for bias in (1, 63):  # within the 24 bits of v
        with pytest.raises(OverflowDetected) as caught:
            simulate(summing(bias), ONE, engine=engine)
        assert str(caught.value) == (
            f"out: v of neuron 1 at step 2 ({TOP + bias}) passes {TOP}, where it spikes and the v that is read is "
            "cleared; lower the weights, or name the profile 'lava' to run as Lava does"
        )
    with pytest.raises(OverflowDetected, match=rf"out: v of neuron 1 at step 2 \({TOP + 64}\) leaves 24 bits"):
        simulate(summing(64), ONE, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_under_the_profile_lava_a_spike_clears_what_is_read(engine: Engine) -> None:
    result = simulate(summing(63), ONE, engine=engine, profile="lava")
    assert result.outputs["y"].ravel().tolist() == [63, 0]
    assert result.spikes.ravel().tolist() == [0, 1]


@pytest.mark.parametrize("engine", ["reference", "events"])
def test_a_lower_threshold_of_the_furthest_kind_is_not_to_be_passed_either(engine: Engine) -> None:
    program = summing(-1, vth_low=-VTH)
    down = replace(program, connections=(replace(program.connections[0], weight=-program.connections[0].weight),))
    with pytest.raises(OverflowDetected, match=rf"neuron 1 at step 2 \({-TOP - 1}\) passes {-TOP}, where it spikes"):
        simulate(down, ONE, engine=engine)
    assert simulate(program, ONE, engine=engine).outputs["y"].ravel().tolist() == [-1, TOP - 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_only_a_readout_must_not_spike(engine: Engine) -> None:
    """A group of which spikes are read, or with a threshold that it is meant to pass, spikes as ever."""
    spiking = replace(summing(1), outputs=(Output("y", "out"),))
    assert simulate(spiking, ONE, engine=engine).outputs["y"].ravel().tolist() == [0, 1]
    lower = simulate(summing(1, vth=VTH - 1), ONE, engine=engine)
    assert lower.outputs["y"].ravel().tolist() == [1, 0] and lower.spikes.ravel().tolist() == [0, 1]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_spike_before_the_sample_is_no_error(engine: Engine) -> None:
    """The bias alone passes the threshold at step 17; the sample begins at step 21, with a clear state."""
    out = LIF("out", (1,), 4095, 0, VTH, np.array([4095]), bias_exp=7, reset_interval=32, reset_offset=21)
    link = Dense("x", "out", np.array([[2]]), delay=19)
    program = Program((out,), (link,), (Input("x", (1,), "spike"),), (Output("y", "out", reads="v"),), latency=20)
    result = simulate(program, np.array([[[1]], [[0]]]), engine=engine)
    assert result.sent["out"][:20].any()
    assert result.outputs["y"].ravel().tolist() == [524160 + 128, 2 * 524160 + 128]


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), engine=st.sampled_from(ENGINES))
def test_every_engine_stops_where_the_reference_stops(seed: int, engine: Engine) -> None:
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=["lif"], graded=False, steps=STEPS)
    groups = tuple(replace(g, vth=VTH) if rng.random() < 0.7 else g for g in program.lifs)
    program = with_outputs(replace(program, groups=groups, profile="strict"))

    def ran(engine: Engine) -> Any:
        try:
            return {name: x.tolist() for name, x in simulate(program, inputs, engine=engine).outputs.items()}
        except OverflowDetected as error:
            return str(error)

    assert ran(engine) == ran("reference")


# ---------------------------------------------------------------- names in a file


def test_outputs_have_names_of_their_own_in_a_file(rng: np.random.Generator) -> None:
    program = leaky(rng, 0, 0)
    assert output_keys(program, ["h"]) == {"y": "spikes", "mem": "mem/v"}
    turned = replace(program, outputs=program.outputs[::-1])
    assert output_keys(turned, []) == {"mem": "mem/v", "y": "y"}
    for name, groups in (("out", ["out"]), ("latency", []), ("spikes", [])):
        named = replace(program, outputs=(program.outputs[0], replace(program.outputs[1], name=name)))
        with pytest.raises(InputError, match=f"output: name in the file \\({name}\\) is one of a recorded group"):
            output_keys(named, groups)
    same = replace(program, outputs=(Output("spikes", "h"),))
    assert output_keys(same, []) == {"spikes": "spikes"}
