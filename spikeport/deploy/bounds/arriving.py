"""What arrives at one port of a group: in a step, and all together since the first step."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikeport import fixed
from spikeport.deploy.bounds.base import CEILING, Bound, Sent
from spikeport.deploy.bounds.sources import counted
from spikeport.deploy.fan_in import CONV_WORD, INT32, sums
from spikeport.fixed import Ints
from spikeport.neurons import Group
from spikeport.program import Connection, Conv, Program


@dataclass(frozen=True, eq=False)
class Arriving:
    """Bounds `(n,)` of a dendrite's sums."""

    low: Ints
    high: Ints
    total_low: Ints
    """Of all that has arrived so far, 0 among it; -`CEILING` where that has no end."""
    total_high: Ints
    words: tuple[Bound, ...]
    """The words that sums must fit on the way; a Loihi 1 has none there."""


def arriving(
    program: Program, target: Group, sources: Mapping[str, Sent], port: str = "a", narrow: bool = False
) -> Arriving:
    """Of all connections into the port, if the sources send what is said.

    Args:
        narrow: Whether the words are those of `loihi1`.
    """
    low, high, total_low, total_high = (np.zeros(target.size, np.int64) for _ in range(4))
    words: list[Bound] = []
    for c in (c for c in program.connections if c.target == target.name and c.port == port):
        sent = counted(sources[c.source], c.graded)
        steps = _steps(program, c, sent, words, narrow)
        ends = _ends(program, c, sent, steps)
        for d in steps:
            low, high = low + steps[d][0], high + steps[d][1]
            total_low, total_high = total_low + ends[d][0], total_high + ends[d][1]
    total_low, total_high = (np.clip(x, -CEILING, CEILING) for x in (total_low, total_high))
    return Arriving(low, high, total_low, total_high, tuple(words))


def _steps(
    program: Program, c: Connection, sent: Sent, words: list[Bound], narrow: bool
) -> dict[int, tuple[Ints, Ints]]:
    """Bounds of what one connection brings in a step, by delay; its words are added to the list."""
    found = intervals(program, c, sent.low, sent.high)
    for delay, (low, high) in found.items():
        if c.graded and not isinstance(c, Conv):
            words.append(Bound("sum of graded spikes", low, high, INT32))
            low, high = np.clip(low, *INT32), np.clip(high, *INT32)
        low, high = fixed.shift(low, c.weight_exp), fixed.shift(high, c.weight_exp)
        if isinstance(c, Conv) and not narrow:
            words.append(Bound("sum of a convolution into u", low, high, CONV_WORD))
            low, high = np.clip(low, *CONV_WORD), np.clip(high, *CONV_WORD)
        found[delay] = low, high
    return found


def _ends(
    program: Program, c: Connection, sent: Sent, steps: Mapping[int, tuple[Ints, Ints]]
) -> dict[int, tuple[Ints, Ints]]:
    """Bounds of the same added up over all steps, by delay.

    A negative exponent rounds each step's sum down, so the sum of all is never above the rounded whole; below it there
    is no end, unless no weight has a bit to lose.
    """
    endless = {d: (np.where(low < 0, -CEILING, 0), np.where(high > 0, CEILING, 0)) for d, (low, high) in steps.items()}
    if sent.total is None:
        return endless
    found = intervals(program, c, *sent.total)
    lost = c.weight.astype(np.int64) & ((1 << max(0, -c.weight_exp)) - 1)
    ones = np.ones(len(sent.low), np.int64)
    loses = sums(c, lost, ones, program.shape_of(c.source), program.shape_of(c.target))
    return {
        d: (np.where(loses[d] > 0, endless[d][0], fixed.shift(low, c.weight_exp)), fixed.shift(high, c.weight_exp))
        for d, (low, high) in found.items()
    }


def intervals(program: Program, c: Connection, least: Ints, most: Ints) -> dict[int, tuple[Ints, Ints]]:
    """Bounds of sum_j weight[i, j] x[j] with every x[j] in [least[j], most[j]], for each delay."""
    source, target = program.shape_of(c.source), program.shape_of(c.target)
    weight = c.weight.astype(np.int64)
    up, down = np.maximum(weight, 0), np.minimum(weight, 0)
    (a, b), (e, f) = ([sums(c, w, x, source, target) for x in (least, most)] for w in (up, down))
    return {d: (a[d] + f[d], b[d] + e[d]) for d in a}
