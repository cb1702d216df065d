"""Each compiled kernel by itself at the borders of its words, and the rules of the reference at the same places.

Written for `NUMBA_DISABLE_JIT` too: `tests/mutation` runs these files as plain Python.
"""

from itertools import product

import numpy as np
import pytest

from spikeport.errors import OverflowDetected
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.program import Conv, Dense, Input, Output, Program
from spikeport.sim import rules
from spikeport.sim.engine import columns as col
from spikeport.sim.engine import words
from spikeport.sim.engine.kernels import add_conv, add_four, add_listed, add_one, add_two
from spikeport.sim.engine.layout import channels_first, channels_last, lay_out
from spikeport.sim.engine.lif import leaves_loihi1, step_lif_any, step_lif_wide
from spikeport.sim.engine.resonator import step_resonator
from spikeport.sim.engine.sigma_delta import step_sigma_delta
from spikeport.sim.guard import Guard
from tests.sim.engine import hand
from tests.sim.engine.hand import M, Rule

SUMS = (0, 1, -1, 1 << 17, -(1 << 17), (1 << 17) + 1, 1 << 25, (1 << 25) - 1, -(1 << 25), -(1 << 25) - 1)
NARROW = (0, 1, -1, 32767, 32768, -32768, -32769)
KEEPS = (0, 1, 2047, 4095, 4096)


def row_of(group: Group) -> np.ndarray:
    """The engine's row of a group."""
    kind = "graded" if isinstance(group, SigmaDelta | Resonator) else "spike"
    links = tuple(Dense(f"x{k}", "g", np.eye(group.size, dtype=int), 0, port=p) for k, p in enumerate(group.ports))
    inputs = tuple(Input(f"x{k}", group.shape, kind) for k in range(len(group.ports)))  # type: ignore[arg-type]
    return np.asarray(lay_out(Program((group,), links, inputs, (Output("o", "g"),))).groups[0])


def int32(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int32)


# ---------------------------------------------------------------- words


def test_words_hold_what_the_hardware_holds() -> None:
    for x in (*hand.BORDERS, 0, 1, -1, 5, -5, 12345678, -12345678):
        full = np.int64(x)
        assert words.as_int32(full) == hand.in_word(x, 32)
        assert words.beyond(full) == (not -M < x < M)
        assert words.clipped(full) == max(min(x, M - 1), 1 - M)
        for bits in (0, 1, 3, 12):
            assert words.rz(full, bits) == abs(x) // 2**bits * (1 if x >= 0 else -1)
            assert words.shifted(full, bits) == x * 2**bits
            assert words.shifted(full, -bits) == x // 2**bits
    assert words.INT32 == 2_147_483_648


# ---------------------------------------------------------------- leaky integrate-and-fire


def lif_rules() -> list[Rule]:
    thresholds = [(64 * 80, None), (64 * 131071, None), (64 * 3, -64 * 2), (0, 0)]
    kinds = [(vth, low, soft) for (vth, low), soft in product(thresholds, (False, True)) if low is None or not soft]
    keeps = zip(KEEPS * 6, KEEPS[::-1] * 5 + KEEPS, strict=True)
    return [Rule(*keep, *kinds[k % len(kinds)], (0, 1, 3)[k % 3]) for k, keep in enumerate(keeps)]


@pytest.mark.parametrize("rule", lif_rules(), ids=str)
def test_a_lif_of_any_kind_steps_as_by_hand(rule: Rule, rng: np.random.Generator) -> None:
    low = None if rule.vth_low is None else rule.vth_low >> 6
    group = LIF(
        "g", (60,), 4095 - rule.keep_u, 4096 - rule.keep_v, rule.vth >> 6, np.zeros(60, int),
        reset="subtract" if rule.soft else "zero", refractory_steps=rule.rests, vth_low=low,
    )  # fmt: skip
    given = hand.border_neurons(rng, rule, 60, SUMS)
    want = [hand.lif_step(rule, *(int(given[name][k]) for name in given)) for k in range(60)]
    u, v, rest, s, left = (np.array(x) for x in zip(*want, strict=True))

    row, found = row_of(group), {name: int32(given[name]) for name in ("u", "v", "rest", "bias")}
    payload, spiked = np.full(60, 7, np.int32), np.full(60, 7, np.uint8)
    for k in range(60):  # one by one, so that each says by itself whether it left its word
        part = {name: x[k : k + 1] for name, x in found.items()}
        got = step_lif_any(
            part["u"], part["v"], part["rest"], given["a"][k : k + 1], part["bias"], spiked[k : k + 1],
            payload[k : k + 1], row,
        )  # fmt: skip
        assert got == left[k]
    assert np.array_equal(found["u"], u) and np.array_equal(found["v"], v)
    assert np.array_equal(payload, s) and np.array_equal(spiked, s != 0)
    assert not rule.rests or np.array_equal(found["rest"], rest)

    state = {name: given[name][None] for name in ("u", "v", "rest")}
    inputs = {name: given[name][None] for name in ("a", "bias")}
    values, sent = rules.step(group, state, inputs, Guard("g", 1, "lava"))
    assert np.array_equal(values["u"][0], u) and np.array_equal(values["v"][0], v) and np.array_equal(sent[0], s)
    assert ("rest" in values) == bool(rule.rests)
    for k in range(60):
        one = [{name: x[:, k : k + 1] for name, x in of.items()} for of in (state, inputs)]
        assert refused(group, *one) == left[k]


def refused(group: Group, state: dict[str, np.ndarray], inputs: dict[str, np.ndarray]) -> bool:
    try:
        rules.step(group, state, inputs, Guard("g", 1, "strict"))
    except OverflowDetected:
        return True
    return False


@pytest.mark.parametrize("keep_u", KEEPS)
@pytest.mark.parametrize("bits", [0, 1, 2])
def test_a_current_beyond_its_word_goes_on_as_by_hand(keep_u: int, bits: int, rng: np.random.Generator) -> None:
    """The shift is up or down; a sum is in 32 bits once it is shifted."""
    rule = Rule(keep_u, 4096 - keep_u, 64 * 80)
    given = hand.border_neurons(rng, rule, 60, [a >> bits << bits for a in SUMS])
    given = {**given, "u": np.where(rng.random(60) < 0.3, given["u"] * 200, given["u"])}
    for up, down in ((bits, 0), (0, bits)):
        slots = np.concatenate([[7], given["a"] >> up << down, [7]])
        a = (np.int64(1) * int32(slots[1:-1] << up)).astype(np.int64) >> down
        want = [hand.lif_step(rule, int(u), int(v), 0, int(x), int(b)) for u, v, x, b in
                zip(given["u"], given["v"], a, given["bias"], strict=True)]  # fmt: skip
        for k, (u, v, _, s, left) in enumerate(want):
            one = [int32(given[name][k : k + 1]) for name in ("u", "v", "bias")]
            slot, spiked = int32(np.array([7, slots[1 + k], 7])), np.full(1, 7, np.uint8)
            got = step_lif_wide(*one, spiked, slot, 1, np.int32(up), np.int32(down), keep_u, rule.keep_v, rule.vth)
            assert (int(one[0][0]), int(one[1][0]), int(spiked[0]), bool(got)) == (u, v, s, left)
            assert slot.tolist() == [7, 0, 7]


@pytest.mark.parametrize("keep_u", KEEPS)
@pytest.mark.parametrize(("up", "down"), [(0, 0), (1, 0), (0, 1)])
def test_a_loihi1_sees_what_leaves_its_words(keep_u: int, up: int, down: int, rng: np.random.Generator) -> None:
    rule = Rule(keep_u, 4096, 64 * 80)
    given = hand.border_neurons(rng, rule, 80, NARROW)
    aims = np.array([M - 1, M, -M, -M - 1, 0])
    for k in range(80):
        slot = (int(given["a"][k]) >> up) << down
        a, u = (slot << up) >> down, int(given["u"][k])
        bias = int(rng.choice(aims)) - hand.toward_zero(u, keep_u) - 64 * a
        slots, before = int32(np.array([7, slot, 7])), int32(np.array([u]))
        got = leaves_loihi1(before, int32(np.array([bias])), slots, 1, np.int32(up), np.int32(down), keep_u)
        assert got == hand.leaves_loihi1(rule, u, a, bias)
        assert slots.tolist() == [7, slot, 7] and before.tolist() == [u]  # nothing is taken

        one = LIF("g", (1,), 4095 - keep_u, 0, 80, np.zeros(1, int))
        state = {"u": np.array([[u]]), "v": np.array([[int(given["v"][k])]])}
        inputs = {"a": np.array([[a]]), "bias": np.array([[bias]])}
        values, s = rules.step(one, state, inputs, Guard("g", 1, "loihi1"))
        found = int(values["u"][0, 0]), int(values["v"][0, 0]), int(s[0, 0])
        assert found == hand.loihi1_step(rule, u, int(given["v"][k]), a, bias)


def narrow(u: list[int], bias: list[int], slots: list[int], down: int = 0) -> bool:
    """Sums from the second slot on; all of u is kept."""
    arrays = (int32(np.array(values)) for values in (u, bias, slots))
    return bool(leaves_loihi1(*arrays, 1, np.int32(0), np.int32(down), 4096))


def test_a_loihi1_looks_at_each_neurons_own_sum_and_at_each_word() -> None:
    assert narrow([0] * 3, [0] * 3, [0, 5, 32768, 5, 5]) and not narrow([0] * 3, [0] * 3, [32768, 5, 32767, 5, 32768])
    assert narrow([0], [0], [0, -65537], 1) and not narrow([0], [0], [0, -65536], 1)
    assert narrow([M - 64], [-1], [0, 1]) and not narrow([M - 65], [0], [0, 1])
    assert narrow([63 - M], [1], [0, -1]) and not narrow([64 - M], [0], [0, -1])


def test_a_current_of_each_neuron_takes_its_own_sum() -> None:
    """u wraps where it is 2^23 + 1."""
    u, v, spiked = int32(np.array([0, 5, M - 63])), np.zeros(3, np.int32), np.zeros(3, np.uint8)
    slots = int32(np.array([9, 1, 2, 1, 9]))
    assert step_lif_wide(u, v, np.zeros(3, np.int32), spiked, slots, 1, np.int32(0), np.int32(0), 4096, 0, 64 * 131071)
    assert u.tolist() == [64, 133, 1 - M] and slots.tolist() == [9, 0, 0, 0, 9]
    u, slots = np.zeros(3, np.int32), int32(np.array([9, -3, 3, -1, 9]))  # a shift down goes to minus infinity
    step_lif_wide(u, v, np.zeros(3, np.int32), spiked, slots, 1, np.int32(0), np.int32(1), 0, 0, 64 * 131071)
    assert u.tolist() == [-128, 64, -64]


# ---------------------------------------------------------------- other kinds: engine and rule, the two derivations


def sigma_deltas() -> list[SigmaDelta]:
    found = [SigmaDelta("g", (1,), "sigma")]
    for vth, (spike, state), cum in product((0, 5), ((0, 0), (1, 0), (0, 2)), (False, True)):
        values = {"vth": vth, "spike_exp": spike, "state_exp": state, "cum_error": cum}
        found.append(SigmaDelta("g", (1,), "delta", **values))  # type: ignore[arg-type]
        for f in ("relu", "unit"):
            found.append(SigmaDelta("g", (1,), "sigma_delta", bias=3, activation=f, **values))  # type: ignore[arg-type]
    return found


def sigma_delta_state(group: SigmaDelta, rng: np.random.Generator) -> tuple[dict[str, int], int]:
    """A state and what arrives, so that the change is at the threshold or at the border of a word."""
    e = group.scale_exp
    near = int(rng.choice([0, 1, -1, M - 1, M, -M, 1 - M])) if rng.random() < 0.5 else int(rng.integers(-M, M))
    state = {name: int(rng.integers(-M // 2, M // 2)) for name in group.variables}
    if group.stage == "sigma":
        return state, near - state["sigma"]
    d = int(rng.choice([1, -1])) * ((group.vth << e) + int(rng.choice([-1, 0, 1])))
    d = d if rng.random() < 0.6 else int(rng.choice(hand.BORDERS[:8]))
    aim = near if rng.random() < 0.3 else int(rng.integers(-20, 20)) << e
    state["residue"] = int(rng.integers(-9, 9))
    state["act"] = aim - d + state["residue"]
    if group.cum_error and rng.random() < 0.7:
        state["error"] = int(rng.choice([1, -1])) * ((group.vth << e) + int(rng.choice([-1, 0, 1]))) - d
    if group.stage == "delta":
        return state, aim >> e
    return state, aim - state["sigma"] - (int(np.asarray(group.bias)) << e)


@pytest.mark.parametrize("group", sigma_deltas(), ids=lambda g: f"{g.stage}-{g.vth}-{g.scale_exp}-{g.cum_error}")
def test_sigma_and_delta_step_as_their_rule(group: SigmaDelta, rng: np.random.Generator) -> None:
    row = row_of(group)
    for _ in range(60):
        state, a = sigma_delta_state(group, rng)
        boxes = [int32(np.array([state[name]])) if name in state else np.zeros(1, np.int32) for name in group.variables]
        boxes += [np.zeros(1, np.int32)] * (4 - len(boxes))
        kept, inputs = {name: np.array([[x]]) for name, x in state.items()}, {"a": np.array([[a]])}
        values, sent = rules.step(group, kept, inputs, Guard("g", 1, "lava"))
        bias = int32(np.array([int(np.asarray(group.bias)) << group.scale_exp]))
        spiked, payload = np.full(1, 7, np.uint8), np.full(1, 7, np.int32)
        left = step_sigma_delta(*boxes, np.array([a], np.int64), bias, spiked, payload, row)
        assert left == refused(group, kept, inputs)
        got = {name: int(boxes[k][0]) for k, name in enumerate(group.variables)}
        assert got == {name: int(int32(x)[0, 0]) for name, x in values.items()}
        assert payload[0] == sent[0, 0] and spiked[0] == (sent[0, 0] != 0)


@pytest.mark.parametrize("kind", ["rf", "rf_izhikevich"])
@pytest.mark.parametrize(
    ("exp", "bits", "d", "c"), [(0, 12, 4096, 0), (0, 12, 0, 4096), (0, 12, 300, -4000), (2, 3, 5, 7)]
)
def test_a_resonator_steps_as_its_rule(
    kind: str, exp: int, bits: int, d: int, c: int, rng: np.random.Generator
) -> None:
    group = Resonator("g", (1,), kind, 40, d, c, state_exp=exp, decay_bits=bits)  # type: ignore[arg-type]
    row, vth = row_of(group), 40 << exp
    aims = (vth - 1, vth, vth + 1, 0, -1, 1, *hand.BORDERS[:8], 5000)
    for _ in range(200):
        re, im = (int(rng.choice([0, -1, 1, int(rng.integers(-M + 1, M))])) for _ in range(2))
        kept = {"re": np.array([[re]]), "im": np.array([[im]])}
        none = {"re": np.array([[0]]), "im": np.array([[0]])}
        still = rules.step(group, kept, none, Guard("g", 1, "lava"))[0]
        a = {name: (int(rng.choice(aims)) - int(still[name][0, 0])) >> exp for name in ("re", "im")}
        a = {name: x + int(rng.choice([0, 0, 0, 1 << 32])) for name, x in a.items()}
        inputs = {name: np.array([[x]]) for name, x in a.items()}
        values, sent = rules.step(group, kept, inputs, Guard("g", 1, "lava"))
        boxes, spiked = [int32(np.array([re])), int32(np.array([im]))], np.full(1, 7, np.uint8)
        left = step_resonator(*boxes, np.array([a["re"]]), np.array([a["im"]]), spiked, row)
        assert [int(b[0]) for b in boxes] == [int(values[name][0, 0]) for name in ("re", "im")]
        assert spiked[0] == sent[0, 0]
        assert left == refused(group, kept, inputs)


# ---------------------------------------------------------------- what spikes add


@pytest.mark.parametrize("extreme", [None, -128, 127])
def test_rows_of_bytes_add_up(extreme: int | None, rng: np.random.Generator) -> None:
    weight = rng.integers(-128, 128, 90).astype(np.int8) if extreme is None else np.full(90, extreme, np.int8)
    starts = np.array([9, 3, 21, 30, 44])
    for k, shift in product((0, 1), (0, 5)):
        for count, add in ((1, None), (2, add_two), (4, add_four)):
            a = rng.integers(-1000, 1000, 20).astype(np.int32)
            rows = [weight[starts[k + j] + shift :][:11].astype(np.int64) for j in range(count)]
            want = a + np.concatenate([[0] * 4, np.sum(rows, axis=0), [0] * 5])
            if add is None:
                add_one(a, 4, 11, weight, starts[k] + shift)
            else:
                add(a, 4, 11, weight, starts, k, shift)
            assert np.array_equal(a, want)


def test_listed_synapses_reach_the_slots_of_their_delays(rng: np.random.Generator) -> None:
    row = np.zeros(col.CONNECTION_COLUMNS, np.int64)
    row[[col.SLOT, col.SLOTS, col.BUFFER, col.WEIGHT, col.POINTER]] = 5, 4, 3, 2, 1
    pointers = np.array([99, 10, 12, 12, 16])  # three sources from entry 1 on, whose synapses begin at 10
    targets, delays = rng.integers(0, 5, 16).astype(np.int32), rng.integers(0, 3, 16).astype(np.int32)
    weight, events = rng.integers(-99, 99, 8).astype(np.int8), np.array([7, 0, 2, 9], np.int32)
    for step in range(6):
        buffer, want = np.zeros(3 + 4 * 5, np.int32), np.zeros(3 + 4 * 5, np.int64)
        for k in (10, 11, 12, 13, 14, 15):  # of sources 0 and 2
            want[3 + (step + 1 + delays[k]) % 4 * 5 + targets[k]] += weight[k - 10 + 2]
        assert add_listed(buffer, row, step, weight, pointers, targets, delays, events, 1, 2) == 6
        assert np.array_equal(buffer, want)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_adds_its_kernels(wide: bool, groups: int, rng: np.random.Generator) -> None:
    weight = 2 * rng.integers(-100, 100, (4, 8 // groups, 2, 3))
    if wide:
        weight.flat[0], weight.flat[1:] = 255, np.abs(weight.flat[1:]) | 1
    conv = Conv("x", "g", weight, 0, stride=(1, 2), padding=(1, 0), groups=groups)
    shape = conv.output_shape((8, 3, 5))
    group = LIF("g", shape, 4095, 0, 100, np.zeros(shape, np.int16))
    lay = lay_out(Program((group,), (conv,), (Input("x", (8, 3, 5), "spike"),), (Output("o", "g"),)))
    row, kinds = lay.connections[0], (lay.words if wide else lay.bytes_)
    assert bool(row[col.WIDE]) == wide
    for rate in (0.05, 0.3, 1.0):
        spikes = (rng.random((8, 3, 5)) < rate).astype(np.uint8)
        listed = np.concatenate([[119], np.flatnonzero(channels_last(spikes.reshape(-1), spikes.shape)), [3]])
        buffer, at = np.zeros(6 + lay.buffer_size, np.int32), 6
        count = add_conv(
            buffer, at, row, kinds, lay.pointers, lay.runs, listed.astype(np.int32), 1, len(listed) - 2,
            np.zeros(8, np.int64),
        )  # fmt: skip
        want, reached = by_definition(conv, spikes, shape)
        got = channels_first(buffer[at : at + row[col.N_TARGET]], shape) << row[col.EXP]
        assert np.array_equal(got, want) and not buffer[:at].any()
        assert count == reached


def by_definition(conv: Conv, spikes: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """The sums `(c_out, h, w)` of a convolution with stride (1, 2) and padding (1, 0), and how many synapses spoke."""
    sums, count = np.zeros(shape, np.int64), 0
    c_out, per_group, k_h, k_w = conv.weight.shape
    for o, y, x, c, i, j in product(
        range(c_out), range(shape[1]), range(shape[2]), range(per_group), range(k_h), range(k_w)
    ):
        line, column, channel = y + i - 1, 2 * x + j, o // (c_out // conv.groups) * per_group + c
        if 0 <= line < 3 and spikes[channel, line, column]:
            sums[o, y, x] += int(conv.weight[o, c, i, j])
            count += 1
    return sums, count
