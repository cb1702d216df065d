import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport import fixed
from spikeport.errors import InputError, OverflowDetected, WrongType
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.simulate import Engine


def chain(depth: int, *, size: int = 1, vth: int = 0, weight: int = 8, latency: int = 0, **changes: Any) -> Program:
    """`x -> g1 -> ... -> gN`: each neuron spikes when the one before it did, a step later; nothing is kept."""
    names = ["x", *(f"g{n}" for n in range(1, depth + 1))]
    groups = [LIF(n, (size,), 4095, 4096, vth, np.zeros(size, int)) for n in names[1:]]
    links = [Dense(a, b, weight * np.eye(size, dtype=int)) for a, b in zip(names, names[1:], strict=False)]
    parts = {"inputs": (Input("x", (size,), "spike"),), "outputs": (Output("y", names[-1]),), "latency": latency}
    return Program(**{"groups": tuple(groups), "connections": tuple(links), **parts, **changes})


def spikes(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.uint8)


# ---------------------------------------------------------------- input


OF_NUMPY = "is not an integer array; give integers of numpy: of a tensor x.numpy().astype(int)"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((4, 1, 2)), "input x: type (float64) is not an integer array; round it to integers first"),
        ([[[0, 1]]], "input x: type (list) " + OF_NUMPY),
        (None, "input x: type (NoneType) " + OF_NUMPY),
        (spikes(4, 1, 3), "input x: shape ((4, 1, 3)) is not (T, B, 2)"),
        (spikes(4, 2), "input x: shape ((4, 2)) is not (T, B, 2)"),
        (spikes(4, 1, 2, 1), "input x: shape ((4, 1, 2, 1)) is not (T, B, 2)"),
        (spikes(0, 1, 2), "input x: shape ((0, 1, 2)) is not (T, B, 2); give it a step and a sample at least"),
        (spikes(4, 0, 2), "input x: shape ((4, 0, 2)) is not (T, B, 2); give it a step and a sample at least"),
        (spikes(4, 1, 2) + 2, "input x: value (2) is not in [0, 1]"),
        (spikes(4, 1, 2).astype(np.int8) - 1, "input x: value (-1) is not in [0, 1]"),
        (np.full((4, 1, 2), 2**64 - 1, np.uint64), "input x: value (18446744073709551615) is not in [0, 1]"),
        ({"x": [[[0, 1]]]}, "input x: type (list) " + OF_NUMPY),
        ({"z": spikes(4, 1, 2)}, "input: names (z) are not x"),
        ({}, "input: names () are not x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_input_is_refused_in_one_line(given: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate(chain(1, size=2), given)
    assert str(caught.value) == message


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int32, np.int64, np.uint64])
def test_every_integer_type_is_an_input(dtype: type) -> None:
    assert simulate(chain(1), np.ones((3, 1, 1), dtype)).spikes.ravel().tolist() == [0, 1, 1]


def two_inputs() -> Program:
    links = tuple(Dense(name, "g1", np.array([[8]])) for name in ("left", "right"))
    return chain(1, inputs=(Input("left", (1,), "spike"), Input("right", (1,), "spike")), connections=links)


def test_several_inputs_are_given_by_name() -> None:
    left, right = np.array([1, 0, 0, 0]), np.array([0, 0, 1, 0])
    result = simulate(two_inputs(), {"right": right.reshape(4, 1, 1), "left": left.reshape(4, 1, 1)})
    assert result.spikes.ravel().tolist() == [0, 1, 0, 1]


def test_one_array_for_several_inputs_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulate(two_inputs(), spikes(4, 1, 1))
    assert str(caught.value) == "input: one array for several inputs; give one array for each of left, right"


@pytest.mark.parametrize("shape", [(5, 1, 1), (4, 2, 1)])
def test_inputs_of_different_lengths_or_batches_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError) as caught:
        simulate(two_inputs(), {"left": spikes(4, 1, 1), "right": spikes(*shape)})
    assert (caught.value.what, caught.value.relation) == ("steps and batch", "differ between inputs")


def test_an_unknown_group_to_record_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        simulate(chain(2), spikes(4, 1, 1), record=["g1", "g9", "x"])
    assert str(caught.value) == "record: group (g9, x) is not one of g1, g2"


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        simulate(chain(1), spikes(4, 1, 1), profile="loihi9")  # type: ignore[arg-type]
    assert str(caught.value) == "profile: name (loihi9) is not one of strict, lava, loihi1"


def test_the_input_is_left_as_it_was(rng: np.random.Generator) -> None:
    x = rng.integers(0, 2, (6, 2, 3))
    before = x.copy()
    simulate(chain(2, size=3), x)
    assert np.array_equal(x, before)


# ---------------------------------------------------------------- result


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_every_layer_takes_one_step(depth: int, rng: np.random.Generator) -> None:
    x = rng.integers(0, 2, (12, 2, 3))
    result = simulate(chain(depth, size=3), x)
    assert np.array_equal(result.spikes[depth:], x[:-depth])
    assert not result.spikes[:depth].any()


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_the_latency_aligns_the_output_with_the_input(depth: int, rng: np.random.Generator) -> None:
    x = rng.integers(0, 2, (12, 2, 3))
    result = simulate(chain(depth, size=3, latency=depth), x)
    assert result.latency == depth
    assert np.array_equal(result.spikes, x)


def test_the_steps_of_the_latency_run_on_silence() -> None:
    result = simulate(chain(2, latency=2), np.ones((3, 1, 1), int))
    assert result.sent["x"].ravel().tolist() == [1, 1, 1, 0, 0]


def test_traces_and_what_was_sent_stay_in_hardware_time(rng: np.random.Generator) -> None:
    x = rng.integers(0, 2, (12, 2, 3))
    result = simulate(chain(2, size=3, latency=2), x, record=["g1"])
    assert set(result.traces) == {"g1"}
    assert result.traces["g1"].s.shape == (14, 2, 3)
    assert np.array_equal(result.traces["g1"].s[1:13], x)
    assert np.array_equal(result.traces["g1"].u[1:13], x * (8 << 6))
    assert set(result.sent) == {"x", "g1", "g2"}
    assert np.array_equal(result.sent["g2"][2:], x)


def test_a_trace_has_the_shape_of_its_group() -> None:
    inputs, groups = (Input("x", (2, 1), "spike"),), (LIF("g1", (3, 1, 2), 0, 0, 1, np.zeros((3, 1, 2), int)),)
    program = chain(1, inputs=inputs, groups=groups, connections=(Dense("x", "g1", np.zeros((6, 2), int)),))
    result = simulate(program, spikes(4, 5, 2, 1), record=["g1"])
    assert result.spikes.shape == result.traces["g1"].v.shape == (4, 5, 3, 1, 2)
    assert result.counts().shape == (5, 6)


@pytest.mark.parametrize("seed", range(20))
def test_a_batch_equals_its_samples_one_by_one(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), batch=3)
    names = [g.name for g in program.groups]
    whole = simulate(program, inputs, record=names)
    for b in range(3):
        alone = simulate(program, {name: x[:, b : b + 1] for name, x in inputs.items()}, record=names)
        assert np.array_equal(alone.spikes[:, 0], whole.spikes[:, b])
        for name in names:
            assert np.array_equal(alone.traces[name].s[:, 0], whole.traces[name].s[:, b])
            for variable, x in whole.traces[name].state.items():
                assert np.array_equal(alone.traces[name].state[variable][:, 0], x[:, b])


@pytest.mark.parametrize("seed", range(5))
def test_a_second_run_starts_from_the_cleared_state(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed))
    first, second = simulate(program, inputs), simulate(program, inputs)
    assert all(np.array_equal(first.sent[name], second.sent[name]) for name in first.sent)


@pytest.mark.parametrize("seed", range(5))
def test_the_future_does_not_change_the_past(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed))
    whole, start = simulate(program, inputs), simulate(program, {name: x[:7] for name, x in inputs.items()})
    assert all(np.array_equal(whole.sent[g.name][:7], start.sent[g.name][:7]) for g in program.groups)


@pytest.mark.parametrize("engine", ["events", "reference"])
@pytest.mark.parametrize(("seed", "look"), [(seed, (1, 60)[seed % 2]) for seed in range(12)])
def test_a_long_run_is_the_same_in_parts(seed: int, look: int, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks up between them; progress is told in steps."""
    program, inputs = random_program(np.random.default_rng(seed), kinds=tuple(KINDS))
    names = [g.name for g in program.groups]
    whole = simulate(program, inputs, record=names, engine=engine)
    monkeypatch.setattr(importlib.import_module("spikeport.sim.simulate"), "LOOK", look)
    parts = simulate(program, inputs, record=names, engine=engine)
    assert parts.sent.keys() == whole.sent.keys()
    assert all(
        np.array_equal(parts.sent[name], x) and parts.sent[name].dtype == x.dtype for name, x in whole.sent.items()
    )
    for name in names:
        for variable, x in whole.traces[name].state.items():
            assert np.array_equal(parts.traces[name].state[variable], x)
    assert all(np.array_equal(parts.outputs[name], x) for name, x in whole.outputs.items())


# ---------------------------------------------------------------- what leaves 24 bits


def loud() -> Program:
    """Two neurons that keep their current; each spike adds 255 << 7 << 6 to the second, the fifth passes 2^23."""
    weight = np.array([[0, 0], [0, 255]])
    group = LIF("loud", (2,), -1, 4096, 2**17 - 1, np.zeros(2, int))
    return chain(
        1, size=2, groups=(group,), connections=(Dense("x", "loud", weight, 7),), outputs=(Output("y", "loud"),)
    )


def test_strict_names_group_state_neuron_step_and_value() -> None:
    x = spikes(8, 3, 2)
    x[1:, 2, 1] = 1
    assert 4 * (255 << 13) < 2**23 < 5 * (255 << 13) == 10_444_800
    with pytest.raises(OverflowDetected) as caught:
        simulate(loud(), x)
    assert str(caught.value) == (
        "loud: u of neuron 1 at step 7 (10444800) leaves 24 bits; "
        "lower the weights, or name the profile 'lava' to run as Lava does"
    )
    assert (caught.value.where, caught.value.got) == ("loud", 10_444_800)


def test_strict_catches_a_voltage_that_would_saturate() -> None:
    """A bias of -4096 << 7 pulls v below -(2^23) + 1 at the 16th step."""
    group = LIF("low", (1,), 0, 0, 0, np.array([-4096]), bias_exp=7)
    program = chain(1, groups=(group,), connections=(), outputs=(Output("y", "low"),))
    assert simulate(program, spikes(15, 1, 1), record=["low"]).traces["low"].v[-1] == -15 * 2**19
    with pytest.raises(OverflowDetected) as caught:
        simulate(program, spikes(16, 1, 1))
    assert str(caught.value).startswith("low: v of neuron 0 at step 16 (-8388608) leaves 24 bits;")


def test_the_profile_lava_wraps_the_current_and_saturates_the_voltage() -> None:
    x = spikes(8, 1, 2)
    x[:, 0, 1] = 1
    trace = simulate(loud(), x, record=["loud"], profile="lava").traces["loud"]
    assert trace.u[4:6, 0, 1].tolist() == [4 * (255 << 13), 5 * (255 << 13) - 2**24]
    group = LIF("low", (1,), 0, 0, 0, np.array([-4096]), bias_exp=7)
    program = chain(1, groups=(group,), connections=(), outputs=(Output("y", "low"),), profile="lava")
    assert simulate(program, spikes(20, 1, 1), record=["low"]).traces["low"].v[-1] == 1 - 2**23


def test_a_profile_that_is_named_overrides_the_programs_own() -> None:
    x = np.ones((8, 1, 2), int)
    with pytest.raises(OverflowDetected):
        simulate(loud(), x, profile="strict")
    simulate(loud(), x, profile="lava")


@pytest.mark.parametrize("engine", ["reference", "events", "dense"])
def test_strict_looks_only_at_the_steps_of_a_sample(engine: Engine) -> None:
    """A bias of 4095 << 7 leaves 24 bits at the 17th step after the clearing; a sample of 16 steps never sees it."""
    bias = np.array([4095])
    deep = LIF("deep", (1,), 4095, 0, fixed.VTH_MAX, bias, bias_exp=7, reset_interval=32, reset_offset=2)
    last = LIF("last", (1,), 4095, 0, 1, np.zeros(1, int), reset_interval=32, reset_offset=4)
    links = (Dense("x", "deep", np.array([[2]])), Dense("deep", "last", np.array([[2]]), delay=1))
    program = Program((deep, last), links, (Input("x", (1,), "spike"),), (Output("y", "last"),), latency=3)

    assert simulate(program, spikes(16, 1, 1), engine=engine).spikes.sum() == 0
    with pytest.raises(OverflowDetected, match="^deep: v of neuron 0 at step 18 "):
        simulate(program, spikes(17, 1, 1), engine=engine)


@pytest.mark.parametrize("record", ["all", "lif1", True])
def test_record_takes_a_list_of_names_alone(record: Any) -> None:
    with pytest.raises(WrongType, match="are not a list of names; give a list: record="):
        simulate(chain(1, size=2), spikes(4, 1, 2), record=record)


@pytest.mark.parametrize("program", ["net.h5", Path("net.h5")])
def test_what_is_no_program_is_refused(program: Any) -> None:
    with pytest.raises(WrongType, match=r"is not Program; load_program\(path\) reads one"):
        simulate(program, spikes(4, 1, 2))
