"""The engine's loop on small Programs that do not change from run to run, against the reference, value by value.

`test_run.py` draws many; these few run as plain Python too (`NUMBA_DISABLE_JIT`), for `tests/mutation`.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.errors import OverflowDetected
from spikeport.program import LIF, Connection, Conv, Dense, Input, Output, Program, SigmaDelta
from spikeport.sim import reference
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.engine.run import EventEngine, LeftOutside
from spikeport.sim.random_programs import KINDS
from tests.sim.engine.hand import in_word
from tests.sim.engine.test_run import (
    assert_equal,
    assert_same_state,
    by_engine,
    by_reference,
    drawn,
    outcome,
    watched_everywhere,
)

CASES = [(seed, kind) for seed, kind in enumerate(sorted(KINDS) * 3)] + [(100 + k, "any") for k in range(9)]


@pytest.mark.parametrize(("seed", "kind"), CASES)
def test_a_small_program_of_each_kind(seed: int, kind: str) -> None:
    """Its states, what it sends, where it stands in the end, and the synapses that were counted; in two calls."""
    program, x = drawn(seed, set(KINDS) if kind == "any" else {kind}, steps=5, batch=2)
    engine = EventEngine(program, 1)
    state = engine.start(2)
    whole, end = by_reference(program, x, 7)

    first = by_engine(engine, state, x, 3)
    second = by_engine(engine, state, {name: values[3:] for name, values in x.items()}, 4)

    assert_equal({key: np.concatenate([values, second[key]]) for key, values in first.items()}, whole)
    assert_same_state(engine.as_reference(state), end)

    sops = engine.run(engine.start(2), x, 5, strict=False).sops
    assert np.array_equal(sops, counted(program, x, whole))

    program = watched_everywhere(program)
    engine = EventEngine(replace(program, profile="strict"), 1)
    want = outcome(lambda: reference.run(program, x, 5, lambda *_: None, "strict"))
    assert outcome(lambda: engine.run(engine.start(2), x, 5, strict=True)) == want


def counted(program: Program, x: dict[str, np.ndarray], traces: dict[tuple[str, str], np.ndarray]) -> np.ndarray:
    """Synapses that each sample's spikes of 5 steps reach, by connection."""
    sent = {**x, **{g.name: traces[g.name, "sent"][:5] for g in program.groups}}
    reached = [fan_out(c, program.shape_of(c.source)) for c in program.connections]
    return np.stack(
        [((sent[c.source] != 0) * n).sum((0, 2)) for c, n in zip(program.connections, reached, strict=True)], 1
    )


# ---------------------------------------------------------------- by hand


def lif(**changes: object) -> LIF:
    """Keeps nothing of u and all of v, and has the highest threshold."""
    values = {"du": 4095, "dv": 0, "vth": 131071, "bias_mant": np.zeros(1, int), **changes}
    return LIF("g", (1,), **values)  # type: ignore[arg-type]


def engine_of(group: LIF, *connections: Connection, sources: int = 1, reads: str = "s") -> EventEngine:
    entry, output = Input("x", (sources,), "spike"), Output("y", "g", reads=reads)  # type: ignore[arg-type]
    return EventEngine(Program((group,), connections, (entry,), (output,)), 1)


def dense(weight: list[int], exp: int = 0) -> Dense:
    return Dense("x", "g", np.array([weight]), exp)


def test_each_graded_input_brings_its_own_payloads() -> None:
    """Three inputs of 3, 2 and 4 neurons, the first without payloads; sigma adds up 10 a + b0 - 2 b1 + 3 c3."""
    weights = {"a": [10, 0, 0], "b": [2, -4], "c": [0, 0, 0, 3]}
    inputs = (Input("a", (3,), "spike"), Input("b", (2,), "graded", -99, 99), Input("c", (4,), "graded", -99, 99))
    links = tuple(Dense(name, "s", np.array([w]), graded=name != "a") for name, w in weights.items())
    program = Program((SigmaDelta("s", (1,), "sigma"),), links, inputs, (Output("y", "s"),))
    x = {
        "a": np.array([[[1, 1, 0]], [[0, 1, 1]], [[0, 0, 0]]]),
        "b": np.array([[[5, -3]], [[0, 7]], [[-1, 0]]]),
        "c": np.array([[[1, 2, 3, -4]], [[0, 0, 0, 0]], [[9, 9, 9, 9]]]),
    }
    engine = EventEngine(program, 1)
    ran = engine.run(engine.start(1), x, 4, strict=False, spikes=["s"], states=["s"])
    each = [10 + 2 * 5 + 4 * 3 - 3 * 4, -4 * 7, -2 + 3 * 9]
    assert ran.states["s"]["sigma"].reshape(-1).tolist() == [0, each[0], each[0] + each[1], sum(each)]
    assert ran.sent["s"].reshape(-1).tolist() == [0, each[0], each[0] + each[1], sum(each)]


@pytest.mark.parametrize("kept", [[], ["g"]])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_u_of_the_last_step_is_there_whether_or_not_states_are_kept(kept: list[str], steps: int) -> None:
    """Spikes at steps 1 and 3 arrive at 2 and 4, 5 << 6 each; u lasts one step."""
    engine = engine_of(lif(), dense([5]))
    state, x = engine.start(1), np.array([1, 0, 1, 0]).reshape(4, 1, 1)
    engine.run(state, {"x": x}, steps, strict=False, states=kept)
    found = engine.as_reference(state).groups["g"]
    assert (found["u"].item(), found["v"].item()) == ([0, 320, 0, 320][steps - 1], [0, 320, 320, 640][steps - 1])


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_a_current_outside_its_word_goes_on_in_the_next_call(reset: str) -> None:
    """13 * 255 << 13 is 27156480: less 2^24, it is 10379264, still beyond 2^23; the step after takes off another."""
    engine = engine_of(lif(du=-1, dv=4096, reset=reset), dense([255] * 13, 7), sources=13)
    state, x = engine.start(1), np.ones((1, 1, 13), np.int64)
    seen: list[int] = []
    for steps in (1, 1, 1, 2):
        seen += engine.run(state, {"x": x}, steps, strict=False, states=["g"]).states["g"]["u"].reshape(-1).tolist()
        x = x[:0]
    assert seen == [0, 27156480 - (1 << 24), 27156480 - (2 << 24), 27156480 - (2 << 24), 27156480 - (2 << 24)]


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize(("exp", "most"), [(-1, 65535), (0, 32767), (1, 16383)])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_loihi_1_stops_where_a_sum_leaves_16_bits(reset: str, exp: int, most: int, parts: int) -> None:
    """At 32768 once it is shifted, which may come by one connection or by two."""
    for total in (most, most + 1):
        weights = [255] * (total // 255) + [total % 255]
        half = len(weights) // 4 * 2  # of an even number of odd weights, so that no shift loses anything
        first, second = weights[:half] + [0] * (len(weights) - half), [0] * half + weights[half:]
        links = [dense(w, exp) for w in ([weights] if parts == 1 else [first, second])]
        engine = engine_of(lif(reset=reset), *links, sources=len(weights))
        state, x = engine.start(1), {"x": np.ones((1, 1, len(weights)), np.int64)}
        if total > most:
            with pytest.raises(LeftOutside):
                engine.run(state, x, 2, strict=False, narrow=True)
        ran = engine.run(state, x, 3, strict=False, narrow=total == most, states=["g"])
        assert ran.states["g"]["u"].reshape(-1).tolist() == [0, int(total * 2.0**exp) << 6, 0]
        assert ran.sops.sum() == parts * len(weights)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_an_integrator_that_spikes_ends_a_strict_run_and_no_other(reset: str) -> None:
    """Four times 32767 << 6 and 3 a step: at step 65, v is 8388352 + 195, beyond 131071 << 6 and within its word."""
    links = dense([255], 7), dense([127])
    engine = engine_of(lif(bias_mant=np.array([3]), reset=reset), *links, reads="v")
    x = {"x": np.ones((4, 1, 1), np.int64)}
    engine.run(engine.start(1), x, 64, strict=True)
    with pytest.raises(OverflowDetected, match="step 65"):
        engine.run(engine.start(1), x, 65, strict=True)
    for narrow in (False, True):
        ran = engine.run(engine.start(1), x, 66, strict=False, narrow=narrow, states=["g"])
        after = 0 if reset == "zero" else 8388547 - 8388544
        assert ran.states["g"]["v"].reshape(-1)[63:].tolist() == [8388544, after, after + 3]


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4])
def test_a_convolutions_sum_is_looked_at_in_the_step_that_sends_it(delay: int, at: int) -> None:
    """255 << 7 at 300 places is 9792000, which wraps at 2^23: to -6985216, and << 6 to 5922816 with its 24 bits."""
    conv = Conv("x", "g", np.full((1, 1, 1, 300), 255), weight_exp=7, delay=delay)
    group = LIF("g", (1, 1, 1), 4095, 4096, 131071, np.zeros((1, 1, 1), int))
    program = Program((group,), (conv,), (Input("x", (1, 1, 300), "spike"),), (Output("y", "g"),))
    engine, x = EventEngine(program, 1), np.zeros((at + 1, 1, 300), np.int64)
    x[at] = 1
    engine.run(engine.start(1), {"x": x}, at, strict=True)
    with pytest.raises(OverflowDetected, match=f"sum of a convolution into u of neuron 0 at step {at + 1}"):
        engine.run(engine.start(1), {"x": x}, at + 1, strict=True)
    u = engine.run(engine.start(1), {"x": x}, at + 6, strict=False, states=["g"]).states["g"]["u"].reshape(-1)
    arrived = in_word(in_word(9792000, 24) << 6, 32)
    arrived += (1 << 24) * ((arrived <= -(1 << 23)) - (arrived > 1 << 23))
    assert u.tolist() == [arrived if t == at + 1 + delay else 0 for t in range(at + 6)]


def test_a_reset_at_every_step_leaves_nothing_of_the_step_before() -> None:
    """g has v of its step alone, and never rests; h rests for three steps whatever becomes of g."""
    wave = {"reset_interval": 1, "reset_offset": 1}
    g = lif(vth=5, refractory_steps=2, **wave)
    plain = LIF("p", (1,), -1, 0, 131071, np.zeros(1, int), **wave)  # type: ignore[arg-type]
    h = LIF("h", (1,), 4095, 0, 5, np.zeros(1, int), refractory_steps=3)
    links = tuple(Dense("x", name, np.array([[0, 6]])) for name in ("p", "g", "h"))
    program = Program((plain, g, h), links, (Input("x", (2,), "spike"),), (Output("y", "h"),))
    engine = EventEngine(program, 1)
    ran = engine.run(
        engine.start(1), {"x": np.array([[[0, 1]]] * 7)}, 7, strict=False, spikes=["g", "h"], states=["p", "g", "h"]
    )  # fmt: skip
    assert ran.states["p"]["v"].reshape(-1).tolist() == ran.states["p"]["u"].reshape(-1).tolist() == [0] + [384] * 6
    assert ran.sent["g"].reshape(-1).tolist() == [0] + [1] * 6
    assert ran.states["g"]["rest"].reshape(-1).tolist() == [0] + [2] * 6
    assert ran.sent["h"].reshape(-1).tolist() == [0, 1, 0, 0, 0, 1, 0]
    assert ran.states["h"]["rest"].reshape(-1).tolist() == [0, 3, 2, 1, 0, 3, 2]


@pytest.mark.parametrize("exp", [0, 3])
@pytest.mark.parametrize(("delay", "at"), [(0, 0), (2, 0), (2, 1), (2, 2), (2, 3)])
def test_a_convolutions_payloads_add_up_in_24_bits(exp: int, delay: int, at: int) -> None:
    """128 times 65536 is 2^23, which wraps to -2^23; -2^23 stays."""
    conv = Conv("x", "s", np.full((1, 1, 1, 1), 128), exp, delay=delay, graded=True)
    entry = Input("x", (1, 1, 1), "graded", -(1 << 20), 1 << 20)
    program = Program((SigmaDelta("s", (1, 1, 1), "sigma"),), (conv,), (entry,), (Output("y", "s"),))
    payloads = [p >> exp for p in (65528, 65536, -65536, -65544, 131072, 98304, -8, 8)]
    engine, each = EventEngine(program, 1), [in_word(128 * p << exp, 24) for p in payloads]

    x = np.array(payloads).reshape(-1, 1, 1)
    sigma = engine.run(engine.start(1), {"x": x}, 11, strict=False, states=["s"]).states["s"]["sigma"].reshape(-1)
    assert sigma.tolist() == [in_word(sum(each[: max(0, t - delay)]), 32) for t in range(11)]

    for p, arrives in zip(payloads, each, strict=True):
        one = {"x": np.array([0] * at + [p]).reshape(-1, 1, 1)}
        if arrives == 128 * p << exp:
            engine.run(engine.start(1), one, at + 1, strict=True)
        else:
            with pytest.raises(OverflowDetected, match=f"sum of a convolution into u of neuron 0 at step {at + 1}"):
                engine.run(engine.start(1), one, at + 1, strict=True)
