"""The event engine equals the reference interpreter in every value: all neurons, connections, lengths and batches."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program, SigmaDelta, Sparse
from spikeport.sim import reference
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.engine.run import EventEngine, State
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.state import State as ReferenceState

Traces = dict[tuple[str, str], Ints]
"""By group and variable; what it sent is variable `sent`."""
SEED = st.integers(0, 2**32)
SOME_KINDS = st.sets(st.sampled_from(sorted(KINDS)), min_size=1)


def drawn(seed: int, kinds: set[str], steps: int, batch: int) -> tuple[Program, dict[str, Ints]]:
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=sorted(kinds), steps=steps, batch=batch)
    return program, {name: x.reshape(*x.shape[:2], -1).astype(np.int64) for name, x in inputs.items()}


def by_reference(program: Program, inputs: dict[str, Ints], steps: int) -> tuple[Traces, ReferenceState]:
    kept: dict[tuple[str, str], list[Ints]] = {}

    def observe(t: int, name: str, state: Mapping[str, Ints], sent: Ints) -> None:
        for variable, value in (*state.items(), ("sent", sent)):
            kept.setdefault((name, variable), []).append(value)

    end = reference.run(program, inputs, steps, observe, "lava")
    return {key: np.array(values) for key, values in kept.items()}, end


def by_engine(engine: EventEngine, state: State, inputs: dict[str, Ints], steps: int) -> Traces:
    names = [g.name for g in engine.program.groups]
    ran = engine.run(state, inputs, steps, strict=False, spikes=names, states=names)
    found = {(n, variable): x for n in names for variable, x in (*ran.states[n].items(), ("sent", ran.sent[n]))}
    return {key: x.reshape(steps, len(state.u), -1) for key, x in found.items()}


def assert_equal(found: Traces, want: Traces) -> None:
    assert found.keys() == want.keys()
    for key, values in want.items():
        assert np.array_equal(found[key], values), key


@settings(max_examples=200, deadline=None)
@given(
    seed=SEED, kinds=SOME_KINDS, steps=st.integers(1, 20), batch=st.integers(1, 5), threads=st.integers(1, 3)
)  # fmt: skip
def test_equals_the_reference(seed: int, kinds: set[str], steps: int, batch: int, threads: int) -> None:
    program, x = drawn(seed, kinds, steps, batch)
    engine = EventEngine(program, threads)

    found = by_engine(engine, engine.start(batch), x, steps + program.latency)

    assert_equal(found, by_reference(program, x, steps + program.latency)[0])


@settings(max_examples=80, deadline=None)
@given(seed=SEED, kinds=SOME_KINDS, cut=st.integers(1, 13))
def test_a_run_cut_in_two_equals_the_run_in_one(seed: int, kinds: set[str], cut: int) -> None:
    program, x = drawn(seed, kinds, steps=12, batch=2)
    engine = EventEngine(program, 1)

    whole, end = by_reference(program, x, 14)
    state = engine.start(2)
    later = {name: values[cut:] for name, values in x.items()}
    first, second = by_engine(engine, state, x, cut), by_engine(engine, state, later, 14 - cut)

    assert_equal({key: np.concatenate([values, second[key]]) for key, values in first.items()}, whole)
    assert_same_state(engine.as_reference(state), end)


def assert_same_state(found: ReferenceState, want: ReferenceState) -> None:
    """What will not arrive may be named as zeros, or not at all."""
    assert found.t == want.t
    for name, values in want.groups.items():
        for variable, x in values.items():
            assert np.array_equal(found.groups[name][variable], x)
    assert found.arriving.keys() == want.arriving.keys()
    for dendrite, box in want.arriving.items():
        for t in {*box, *found.arriving[dendrite]}:
            assert np.array_equal(*np.broadcast_arrays(found.arriving[dendrite].get(t, 0), box.get(t, 0)))
    assert found.loaded.keys() == want.loaded.keys()
    for name, x in want.loaded.items():
        assert np.array_equal(np.broadcast_to(found.loaded[name], x.shape), x)


@settings(max_examples=60, deadline=None)
@given(seed=SEED, kinds=SOME_KINDS)
def test_counts_each_synapse_that_a_spike_reaches(seed: int, kinds: set[str]) -> None:
    program, x = drawn(seed, kinds, steps=8, batch=2)
    engine = EventEngine(program, 1)
    names = [g.name for g in program.groups]

    ran = engine.run(engine.start(2), x, 8, strict=False, spikes=names)

    sent = {**x, **{n: ran.sent[n].reshape(8, 2, -1) for n in names}}
    for k, connection in enumerate(program.connections):
        reached = fan_out(connection, program.shape_of(connection.source))
        assert np.array_equal(ran.sops[:, k], ((sent[connection.source] != 0) * reached).sum((0, 2)))


def outcome(run: Callable[[], object]) -> str:
    try:
        run()
    except OverflowDetected as error:
        return str(error)
    return "none"


def watched_everywhere(program: Program) -> Program:
    """The same resets, named so that no step lies outside a sample (`reference.watched`)."""
    groups = [
        replace(g, reset_offset=g.reset_offset + g.reset_interval * (program.latency + 2)) if isinstance(g, LIF) else g
        for g in program.groups
    ]
    return replace(program, groups=tuple(groups))


@settings(max_examples=150, deadline=None)
@given(seed=SEED, kinds=SOME_KINDS, cut=st.integers(0, 7))
def test_overflows_are_reported_as_the_reference_does(seed: int, kinds: set[str], cut: int) -> None:
    """Also where the run goes on from a state that the profile `lava` left."""
    program, x = drawn(seed, kinds, steps=8, batch=3)
    program = watched_everywhere(program)
    engine, state = EventEngine(replace(program, profile="strict"), 1), None
    started = engine.start(3)
    if cut:
        state = reference.run(program, x, cut, lambda *_: None, "lava")
        engine.run(started, x, cut, strict=False)
    later = {name: values[cut:] for name, values in x.items()}

    want = outcome(lambda: reference.run(program, later, 8 - cut, lambda *_: None, "strict", state))
    assert outcome(lambda: engine.run(started, later, 8 - cut, strict=True)) == want


def one_layer(weight: int, vth: int = 100) -> Program:
    group = LIF("lif1", (3,), 4095, 0, vth, np.zeros(3, np.int16))
    dense = Dense("x", "lif1", np.full((3, 2), weight), weight_exp=7)
    return Program((group,), (dense,), (Input("x", (2,), "spike"),), (Output("y", "lif1"),))


@pytest.mark.parametrize("strict", [True, False])
def test_an_overflow_is_an_error_only_where_it_is_strict(strict: bool) -> None:
    program = one_layer(254, vth=131071)
    x = {"x": np.ones((9, 2, 2), np.int64)}
    engine = EventEngine(program, 1)

    if not strict:
        assert engine.run(engine.start(2), x, 9, strict=False).sops.sum() == 9 * 2 * 6
        return

    with pytest.raises(OverflowDetected) as by_engine:
        engine.run(engine.start(2), x, 9, strict=True)
    with pytest.raises(OverflowDetected) as by_reference:
        reference.run(program, x, 9, lambda *_: None, "strict")
    assert str(by_engine.value) == str(by_reference.value)


def both_outcomes(program: Program, x: Ints, profile: str) -> tuple[str, str]:
    engine, steps = EventEngine(program, 1), len(x)
    by_engine = outcome(lambda: engine.run(engine.start(x.shape[1]), {"x": x}, steps, strict=profile == "strict"))
    return by_engine, outcome(lambda: reference.run(program, {"x": x}, steps, lambda *_: None, profile))  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", ["strict", "lava"])
def test_a_convolution_beyond_32_bits_is_refused_under_every_profile(profile: str) -> None:
    conv = Conv("x", "s", np.full((1, 1, 2, 2), 255), weight_exp=7, graded=True)
    entry = Input("x", (1, 2, 3), "graded", 0, fixed.PAYLOAD_MAX)
    program = Program((SigmaDelta("s", (1, 1, 2), "sigma"),), (conv,), (entry,), (Output("y", "s"),))
    x = np.zeros((5, 2, 6), np.int64)
    x[:, :, 1], x[3, 1] = 3, 20000  # 4 * 20000 * 255 << 7 is more than 2^31

    found, want = both_outcomes(program, x, profile)

    assert "at step 4" in found and "convolution" in found
    assert found == want


@pytest.mark.parametrize("delay", [0, 3, "each"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("exp", [-3, 0, 7])
def test_a_graded_sum_has_32_bits(rng: np.random.Generator, delay: int | str, sparse: bool, exp: int) -> None:
    """Many products of large payloads; with delays, a dense connection wraps each product instead."""
    weight = 2 * rng.integers(-128, 128, (4, 60))
    delays = rng.integers(0, 3, weight.shape) if delay == "each" else delay
    row, col = np.nonzero(weight)
    if sparse:
        d = delays if isinstance(delays, int) else delays[row, col]
        connection: Dense | Sparse = Sparse("h", "s", row, col, weight[row, col], exp, d, graded=True)  # type: ignore[arg-type]
    else:
        connection = Dense("h", "s", weight, exp, delays, graded=True)  # type: ignore[arg-type]
    relay = Dense("x", "h", np.eye(60, dtype=np.int64) * 255, 7, graded=True)
    groups = (SigmaDelta("h", (60,), "sigma"), SigmaDelta("s", (4,), "sigma"))
    entry = Input("x", (60,), "graded", -fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX)
    program = Program(groups, (relay, connection), (entry,), (Output("y", "s"),))
    x = {"x": rng.integers(-fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX + 1, (8, 2, 60))}
    engine = EventEngine(program, 1)

    assert_equal(by_engine(engine, engine.start(2), x, 8), by_reference(program, x, 8)[0])
    found, want = both_outcomes(program, x["x"], "strict")
    assert found == want != "none"


@pytest.mark.parametrize(("first", "second", "where"), [(3, 3, "sum of graded spikes"), (1, 3, "sigma")])
def test_a_graded_sum_is_that_of_one_step_and_delay(first: int, second: int, where: str) -> None:
    """Spikes of two steps that arrive together do not share the word of a sum."""
    delay = np.array([0 if first == second else 2, 0, 5])
    sparse = Sparse("x", "s", np.zeros(3, int), np.arange(3), np.array([255, 255, 1]), -1, delay, graded=True)
    entry = Input("x", (3,), "graded", 0, fixed.PAYLOAD_MAX)
    for connection in (sparse, replace(sparse, weight_exp=0)):
        program = Program((SigmaDelta("s", (1,), "sigma"),), (connection,), (entry,), (Output("y", "s"),))
        x = np.zeros((6, 1, 3), np.int64)
        x[first - 1, 0, 0] = x[second - 1, 0, 1] = fixed.PAYLOAD_MAX

        found, want = both_outcomes(program, x, "strict")

        assert where in found
        assert found == want


def test_a_graded_sum_that_wraps_to_nothing_is_refused_where_it_is_strict() -> None:
    """8 * 128 * 2^22 is 2^32, so no neuron sees it."""
    sparse = Sparse("x", "s", np.zeros(9, int), np.arange(9), np.full(9, 128), 0, np.array([0] * 8 + [5]), graded=True)
    entry = Input("x", (9,), "graded", 0, 1 << 22)
    program = Program((SigmaDelta("s", (1,), "sigma"),), (sparse,), (entry,), (Output("y", "s"),))
    x = np.zeros((6, 1, 9), np.int64)
    x[2, 0, :8] = 1 << 22

    found, want = both_outcomes(program, x, "strict")

    assert "sum of graded spikes" in found
    assert found == want


@pytest.mark.parametrize("cum_error", [False, True])
def test_the_least_of_32_bits_has_no_magnitude(cum_error: bool) -> None:
    """|-2^31| is -2^31 again: it reaches no threshold, and a change of -2^31 clears no error."""
    delta = SigmaDelta("s", (1,), "delta", vth=2, spike_exp=7, state_exp=7, cum_error=cum_error)
    entry = Input("x", (1,), "graded", -(2**17), 10)
    program = Program((delta,), (Dense("x", "s", np.array([[1]]), graded=True),), (entry,), (Output("y", "s"),))
    payloads = [1, -(2**17), 5, -(2**17), 0, 0] if cum_error else [0, -(2**17), 0, 3, 0, 0]
    x = {"x": np.array(payloads, np.int64).reshape(-1, 1, 1)}
    engine = EventEngine(program, 1)

    want = by_reference(program, x, 8)[0]

    assert (want["s", "error" if cum_error else "residue"] < -(2**30)).any()
    assert_equal(by_engine(engine, engine.start(1), x, 8), want)


@pytest.mark.parametrize("profile", ["strict", "lava"])
def test_spikes_that_add_up_beyond_32_bits(profile: str) -> None:
    """Without payloads it takes more than 65000 synapses on one neuron."""
    dense = Dense("x", "h", np.full((2, 70000), 255), 7)
    group = LIF("h", (2,), 4095, 0, 100, np.zeros(2, np.int16))
    program = Program((group,), (dense,), (Input("x", (70000,), "spike"),), (Output("y", "h"),))
    x = np.zeros((3, 1, 70000), np.int64)
    x[1] = 1
    engine = EventEngine(program, 1)

    if profile == "lava":
        assert_equal(by_engine(engine, engine.start(1), {"x": x}, 3), by_reference(program, {"x": x}, 3)[0])
    found, want = both_outcomes(program, x, profile)
    assert found == want


def test_a_bias_of_the_host_that_overflows_is_reported_in_its_turn() -> None:
    """An earlier overflow of another layer comes first."""
    image = Input("image", (1,), "bias", 0, 60000)
    encoder = Encoder(Dense("image", "c", np.array([[1]])), np.zeros(1, np.int64))
    c = LIF("c", (1,), 4095, 0, 131071, np.zeros(1, np.int16))
    h = LIF("h", (1,), 4095, 0, 131071, np.array([4095]), bias_exp=7)
    program = Program((c, h), (), (image,), (Output("y", "h"),), (encoder,))
    x = np.ones((40, 1, 1), np.int64)
    for at in (3, 30):
        x[:], x[at] = 1, 60000
        engine = EventEngine(program, 1)
        found = outcome(lambda: engine.run(engine.start(1), {"image": x}, 40, strict=True))  # noqa: B023
        assert found == outcome(lambda: reference.run(program, {"image": x}, 40, lambda *_: None, "strict"))  # noqa: B023
        assert ("bias_mant" in found) == (at == 3)


def test_wide_convolutions_run_in_little_memory(rng: np.random.Generator) -> None:
    conv = Conv("x", "h", 2 * rng.integers(-50, 50, (32, 3, 5, 5)), padding=(2, 2))
    group = LIF("h", (32, 128, 128), 4095, 1024, 400, np.zeros((32, 128, 128), np.int16))
    program = Program((group,), (conv,), (Input("x", (3, 128, 128), "spike"),), (Output("y", "h"),))
    engine = EventEngine(program, 1)

    assert engine.layout.bytes_.nbytes < 5000  # the kernels twice, each row of 32 bytes
    assert engine.layout.runs.nbytes < 128 * 128 * 5 * 12 + 100
