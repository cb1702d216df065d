"""Which groups cannot overflow, whatever their sources send: interval arithmetic on the integer rule.

A source may send any value of its range at any step, so what holds for a group here holds in every network around
it, and under every profile with these words or wider ones: a value that never leaves its word is never wrapped or
saturated. `strict` and `lava` share their words; those of `loihi1` are narrower and proven apart: a has 16 bits, u
stops one short of 2^23, and u + bias is a word too.
The bounds of a group are those of its own rule; that they are too wide for a word does not yet say that any
spikes fill them. `witness` looks for such spikes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.fan_in import CONV_WORD, INT32, payload, sums
from spikeport.fixed import Ints
from spikeport.profiles import Profile, check_profile
from spikeport.program import LIF, Connection, Conv, Encoder, Program

CEILING = 1 << 34  # beyond every word: bounds of u and v are not followed further
ITERATED = 4096  # windows between resets up to this length are walked; longer ones count as endless
U_WORD = (-fixed.WRAP_AT + 1, fixed.WRAP_AT)
V_WORD = (-fixed.V_MAX, fixed.V_MAX)
A_LOIHI1 = (-(1 << fixed.SUM_BITS - 1 - fixed.ACT_SHIFT), (1 << fixed.SUM_BITS - 1 - fixed.ACT_SHIFT) - 1)
U_LOIHI1 = (-fixed.WRAP_AT, fixed.WRAP_AT - 1)  # of u + bias as well
BIAS_WORD = (fixed.BIAS_MANT_MIN, fixed.BIAS_MANT_MAX)
After = Callable[[Ints], Ints]


@dataclass(frozen=True, eq=False)
class Bound:
    """One quantity of a group, `(n,)` bounds, before it is put into its word."""

    what: str
    """As `OverflowDetected` names it: `u`, `v`, `sum of a convolution into u`; or `a`, which has a word under `loihi1`
    alone, or `u + bias`, which is not looked at under another."""
    low: Ints
    high: Ints
    word: tuple[int, int] | None

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Of each neuron."""
        if self.word is None:
            return np.ones(self.low.shape, np.bool_)
        return (self.low >= self.word[0]) & (self.high <= self.word[1])

    @property
    def interval(self) -> tuple[int, int]:
        """Of all neurons together."""
        return int(self.low.min()), int(self.high.max())


@dataclass(frozen=True, eq=False)
class GroupBounds:
    """The bounds of one group; `analysed` is False for kinds of neurons other than LIF, which have none."""

    group: str
    analysed: bool
    bounds: tuple[Bound, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether it cannot overflow."""
        return self.analysed and all(bound.fits.all() for bound in self.bounds)

    def __getitem__(self, what: str) -> Bound:
        return next(bound for bound in self.bounds if bound.what == what)


def prove(program: Program, profile: Profile = "strict") -> tuple[GroupBounds, ...]:
    """The bounds of every group, in the Program's order.

    Args:
        profile: Whose words they are held against: `strict` and `lava`, which share theirs, or `loihi1`.

    Raises:
        ProgramError: the Program has what the profile has no arithmetic for.
    """
    check_profile(program, profile)
    narrow = profile == "loihi1"
    return tuple(
        GroupBounds(g.name, True, _of_lif(program, g, narrow)) if isinstance(g, LIF) else GroupBounds(g.name, False)
        for g in program.groups
    )


def _of_lif(program: Program, lif: LIF, narrow: bool) -> tuple[Bound, ...]:
    """Upward and downward alike, because decay(-x) = -decay(x); what stays of v after a step differs."""
    into = [_arriving(program, c, narrow) for c in program.connections if c.target == lif.name]
    a_low, a_high = np.zeros(lif.size, np.int64), np.zeros(lif.size, np.int64)
    for low, high, _ in into:
        a_low, a_high = a_low + low, a_high + high
    bias_low = bias_high = lif.bias_mant.astype(np.int64).reshape(-1)
    loaded = [_encoded(program, e) for e in program.encoders if e.synapses.target == lif.name]
    for bound in loaded:
        bias_low = np.minimum(bias_low, np.clip(bound.low, *BIAS_WORD))
        bias_high = np.maximum(bias_high, np.clip(bound.high, *BIAS_WORD))
    bias_low, bias_high = bias_low << lif.bias_exp, bias_high << lif.bias_exp
    u_high, v_high = _reach(lif, a_high, bias_high, lambda v: _after_above(lif, v))
    u_low, v_low = _reach(lif, -a_low, -bias_low, lambda v: _after_below(lif, v))
    words = [bound for _, _, found in into for bound in found]
    v = Bound("v", -v_low, v_high, V_WORD)
    if not narrow:
        return (*loaded, *words, Bound("a", a_low, a_high, None), Bound("u", -u_low, u_high, U_WORD), v)
    driven = Bound("u + bias", bias_low - u_low, bias_high + u_high, U_LOIHI1)
    return (*loaded, Bound("a", a_low, a_high, A_LOIHI1), Bound("u", -u_low, u_high, U_LOIHI1), driven, v)


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


def _arriving(program: Program, c: Connection, narrow: bool) -> tuple[Ints, Ints, list[Bound]]:
    """What one connection adds to a, and the words that its sums must fit on the way; a Loihi 1 has none there."""
    least, most = payload(program, c)
    total_low = total_high = np.zeros(program.group(c.target).size, np.int64)
    words = []
    for low, high in _intervals(program, c, least, most):
        if c.graded and not isinstance(c, Conv):
            words.append(Bound("sum of graded spikes", low, high, INT32))
            low, high = np.clip(low, *INT32), np.clip(high, *INT32)
        low, high = fixed.shift(low, c.weight_exp), fixed.shift(high, c.weight_exp)
        if isinstance(c, Conv) and not narrow:
            words.append(Bound("sum of a convolution into u", low, high, CONV_WORD))
            low, high = np.clip(low, *CONV_WORD), np.clip(high, *CONV_WORD)
        total_low, total_high = total_low + low, total_high + high
    return total_low, total_high, words


def _encoded(program: Program, encoder: Encoder) -> Bound:
    """bias_mant = round_shift((weight * x << weight_exp) + offset, shift)."""
    synapses = encoder.synapses
    entry = next(i for i in program.inputs if i.name == synapses.source)
    ((low, high),) = _intervals(program, synapses, entry.low, entry.high)
    offset = encoder.offset.astype(np.int64).reshape(-1)
    low, high = (
        fixed.round_shift(fixed.shift(total, synapses.weight_exp) + offset, encoder.shift) for total in (low, high)
    )
    return Bound("bias_mant", low, high, BIAS_WORD)


def _intervals(program: Program, c: Connection, least: int, most: int) -> list[tuple[Ints, Ints]]:
    """Bounds of sum_j weight[i, j] x[j] with every x[j] in [least, most], for each delay."""
    source, target = program.shape_of(c.source), program.shape_of(c.target)
    weight = c.weight.astype(np.int64)
    ones = np.ones(source, np.int64).reshape(-1)
    above = sums(c, np.maximum(weight, 0), ones, source, target)
    below = sums(c, np.minimum(weight, 0), ones, source, target)
    return [(above[d] * least + below[d] * most, above[d] * most + below[d] * least) for d in above]
