"""The vectors of the plain neuron equal the rule in Python's own integers, in and beyond its words."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spikeport.sim.engine.lif import step_lif

M = 1 << 23
STATE = st.one_of(st.integers(-M + 1, M - 1), st.sampled_from([0, 1, -1, M - 1, 1 - M, 4096, -4095]))
SUM = st.one_of(
    st.integers(-(1 << 19), 1 << 19), st.sampled_from([0, 1 << 17, -(1 << 17), (1 << 17) + 1, 1 << 24, 1 - (1 << 24)])
)
KEEP = st.one_of(st.integers(0, 4096), st.sampled_from([0, 1, 4095, 4096]))


def rz(x: int) -> int:
    return x >> 12 if x >= 0 else -(-x >> 12)


def by_hand(u: int, v: int, a: int, bias: int, keep_u: int, keep_v: int, top: int) -> tuple[int, int, bool, bool]:
    """`(u, v, spike, left)` after Lava's `PyLifModelBitAcc` (lava-nc 0.10.0, proc/lif/models.py)."""
    full = rz(u * keep_u) + (a << 6)
    u = full - 2 * M if full > M else full + 2 * M if full <= -M else full
    y = rz(v * keep_v) + u + bias
    v = min(max(y, 1 - M), M - 1)
    return u, 0 if v > top else v, v > top, u != full or v != y


@settings(max_examples=400, deadline=None)
@given(
    neurons=st.lists(st.tuples(STATE, STATE, SUM, st.integers(-(1 << 19), 1 << 19)), min_size=1, max_size=40),
    keep_u=KEEP, keep_v=KEEP, vth=st.integers(0, (1 << 17) - 1), shift=st.integers(-8, 3), shown=st.booleans(),
)  # fmt: skip
@example(
    neurons=[(0, M - 1, 0, 0), (0, 1 - M, 0, 0)], keep_u=0, keep_v=4096, vth=1, shift=0, shown=True
)  # just in their word
def test_equals_the_rule(
    neurons: list[tuple[int, int, int, int]], keep_u: int, keep_v: int, vth: int, shift: int, shown: bool
) -> None:
    up, down = max(shift, 0), max(-shift, 0)
    arrived = np.array([a >> up for _, _, a, _ in neurons], np.int32)
    neurons = [(u, v, a >> up << up >> down, bias) for u, v, a, bias in neurons]
    u, v, _, bias = (np.array(x, np.int32) for x in zip(*neurons, strict=True))
    n, before = len(u), u.copy()
    slots, spiked = np.concatenate([[7, 7], arrived, [7]]).astype(np.int32), np.zeros(n, np.uint8)

    left = step_lif(u, v, bias, spiked, slots, 2, up, down, keep_u, keep_v, vth << 6, shown)

    want = [by_hand(*(int(x) for x in neuron), keep_u, keep_v, vth << 6) for neuron in neurons]
    assert np.array_equal(u, [w[0] for w in want] if shown or keep_u else before)
    assert np.array_equal(v, [w[1] for w in want])
    assert np.array_equal(spiked, [w[2] for w in want])
    assert left == any(w[3] for w in want)
    assert np.array_equal(slots, [7, 7, *[0] * n, 7])  # what was taken is cleared, and nothing else
