"""Bounds of a LIF: the greatest u and v that its sources and its bias can build up, upward and downward."""

from collections.abc import Callable, Mapping

import numpy as np

from spikeport import fixed
from spikeport.deploy.bounds.arriving import arriving, intervals
from spikeport.deploy.bounds.base import CEILING, V_WORD, Bound, Sent
from spikeport.fixed import Ints
from spikeport.program import LIF, Encoder, Program

ITERATED = 4096  # windows between resets up to this length are walked; longer ones count as endless
U_WORD = (-fixed.WRAP_AT + 1, fixed.WRAP_AT)
A_LOIHI1 = (-(1 << fixed.SUM_BITS - 1 - fixed.ACT_SHIFT), (1 << fixed.SUM_BITS - 1 - fixed.ACT_SHIFT) - 1)
U_LOIHI1 = (-fixed.WRAP_AT, fixed.WRAP_AT - 1)  # of u + bias as well
BIAS_WORD = (fixed.BIAS_MANT_MIN, fixed.BIAS_MANT_MAX)
After = Callable[[Ints], Ints]


def bounds(program: Program, lif: LIF, sources: Mapping[str, Sent], narrow: bool) -> tuple[Bound, ...]:
    """Upward and downward alike, because decay(-x) = -decay(x); what stays of v after a step differs.

    Args:
        narrow: Whether the words are those of `loihi1`.
    """
    into = arriving(program, lif, sources, narrow=narrow)
    bias_low = bias_high = lif.bias_mant.astype(np.int64).reshape(-1)
    loaded = [_encoded(program, e) for e in program.encoders if e.synapses.target == lif.name]
    for bound in loaded:
        bias_low = np.minimum(bias_low, np.clip(bound.low, *BIAS_WORD))
        bias_high = np.maximum(bias_high, np.clip(bound.high, *BIAS_WORD))
    bias_low, bias_high = bias_low << lif.bias_exp, bias_high << lif.bias_exp
    u_high, v_high = _reach(lif, into.high, bias_high, lambda v: _after_above(lif, v))
    u_low, v_low = _reach(lif, -into.low, -bias_low, lambda v: _after_below(lif, v))
    v = Bound("v", -v_low, v_high, _silent(lif) if lif.name in program.integrators else V_WORD)
    if not narrow:
        a = Bound("a", into.low, into.high, None)
        return (*loaded, *into.words, a, Bound("u", -u_low, u_high, U_WORD), v)
    driven = Bound("u + bias", bias_low - u_low, bias_high + u_high, U_LOIHI1)
    a = Bound("a", into.low, into.high, A_LOIHI1)
    return (*loaded, a, Bound("u", -u_low, u_high, U_LOIHI1), driven, v)


def _silent(lif: LIF) -> tuple[int, int]:
    """The v of an integrator that does not spike: under `strict` a spike is an overflow (`program.Output`)."""
    low = V_WORD[0] if lif.vth_low is None else lif.vth_low << fixed.ACT_SHIFT
    return low, lif.vth << fixed.ACT_SHIFT


def _reach(lif: LIF, a: Ints, bias: Ints, after: After) -> tuple[Ints, Ints]:
    """The greatest u and v that a drive of at most a and bias reaches, from the cleared state.

    u = decay(u) + (a << 6);  v = decay(after(v)) + u + bias;  both as long as the state is not cleared.
    """
    keep_u, keep_v = fixed.keep_u(lif.du), fixed.keep_v(lif.dv)
    drive = np.clip(a, 0, CEILING) << fixed.ACT_SHIFT

    def next_u(u: Ints) -> Ints:
        return np.minimum(fixed.decay(u, keep_u) + drive, CEILING)

    def next_v(v: Ints, u: Ints) -> Ints:
        return np.clip(fixed.decay(after(v), keep_v) + u + bias, 0, CEILING)

    if not 0 < lif.reset_interval <= ITERATED:
        u = _least_fixpoint(next_u, len(a))
        return u, _least_fixpoint(lambda v: next_v(v, u), len(a))
    u = v = np.zeros(len(a), np.int64)
    for _ in range(lif.reset_interval):
        before, u = (u, v), next_u(u)
        v = next_v(v, u)
        if np.array_equal(before, (u, v)):
            break
    return u, v


def _least_fixpoint(f: Callable[[Ints], Ints], n: int) -> Ints:
    """The least x >= 0 with f(x) <= x, or `CEILING`; f is monotone, so f(f(..f(0))) never passes it.

    By bisection: where f(x + 1) - f(x) is 0 or 1, f(x) - x never rises, and its first zero is the limit itself.
    """
    low, high = np.zeros(n, np.int64), np.full(n, CEILING)
    while np.any(low < high):
        middle = (low + high) >> 1
        enough = f(middle) <= middle
        low, high = np.where(enough, low, np.minimum(middle + 1, high)), np.where(enough, middle, high)
    return high


def _after_above(lif: LIF, v: Ints) -> Ints:
    """The most that is left of a sum of at most v: the threshold, or what a soft reset leaves above it."""
    vth = lif.vth << fixed.ACT_SHIFT
    left = np.minimum(v, vth)
    return np.maximum(left, v - vth) if lif.reset == "subtract" else left


def _after_below(lif: LIF, v: Ints) -> Ints:
    """The same downward, in magnitudes: only a lower threshold resets there."""
    return v if lif.vth_low is None else np.minimum(v, max(0, -lif.vth_low << fixed.ACT_SHIFT))


def _encoded(program: Program, encoder: Encoder) -> Bound:
    """bias_mant = round_shift((weight * x << weight_exp) + offset, shift)."""
    synapses = encoder.synapses
    entry = next(i for i in program.inputs if i.name == synapses.source)
    least, most = (np.full(entry.size, end, np.int64) for end in (entry.low, entry.high))
    ((low, high),) = intervals(program, synapses, least, most).values()
    offset = encoder.offset.astype(np.int64).reshape(-1)
    low, high = (
        fixed.round_shift(fixed.shift(total, synapses.weight_exp) + offset, encoder.shift) for total in (low, high)
    )
    return Bound("bias_mant", low, high, BIAS_WORD)
