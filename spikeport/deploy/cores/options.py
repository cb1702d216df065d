"""The ways to cut one group that are worth a look, from the fewest blocks on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spikeport.chip import Chip
from spikeport.cores import Cut
from spikeport.deploy.cores.filled import filled
from spikeport.deploy.cores.loads import limits_of, loads
from spikeport.deploy.cores.problem import Problem
from spikeport.deploy.cores.work import inward
from spikeport.fixed import Ints
from spikeport.program import Sparse

TRIED = 72
"""Cuts of a group that are measured, of blocks without listed synapses; fewer where there are thousands of blocks."""
SHAPES = 3
"""Of as many blocks each."""
GROWTH = 1.1
"""From one number of blocks to the next that is tried, beyond the first few."""
NEAR = 4
"""Blocks more than the greedy mapping has, up to which every number is tried if that is no less than a step: of few
blocks, one more leaves much less to each."""
FINER = 6
"""Times as many blocks as in the greedy mapping, and so many more, are the most; half as many are the fewest."""


@dataclass(frozen=True, eq=False)
class Option:
    """A cut, and how long its busiest block is busy in a step, but for sending messages."""

    cut: Cut
    ns: float


def options(problem: Problem, name: str, cuts: Mapping[str, Cut]) -> Sequence[Option]:
    """Fewest blocks first, each with less to do than all before it: even cuts, the greedy one, and the naive one, whose
    last block leaves the most room.

    Args:
        cuts: The greedy mapping. Where the group is over a limit there, because a neuron is, it has no other cut.
    """
    limits, greedy = limits_of(problem.chip), cuts[name]
    if (problem.sizes(name, cuts) > problem.limits).any():
        return [Option(greedy, _busiest(problem, name, greedy))]
    listed = any(isinstance(c, Sparse) and c.target == name for c in problem.program.connections)
    found: list[Option] = []
    tried = 0
    others = [greedy, filled(problem.program, problem.chip, name, cuts)]
    for cut in sorted([*others, *_even(greedy, problem.chip)], key=lambda cut: cut.cores):
        loaded = loads(problem.program, problem.chip, name, {**cuts, name: cut}, out=False)
        if all(loaded[resource].max() <= limit for resource, limit in limits.items()):
            found.append(Option(cut, _busiest(problem, name, cut)))
        tried += 1
        if tried >= min(TRIED, 200_000 // cut.cores + 4) // (4 if listed else 1):
            break
    return _falling(found) or [Option(greedy, _busiest(problem, name, greedy))]


def _falling(found: Sequence[Option]) -> list[Option]:
    """Of as many blocks the least even come first, for they leave most room beside the last block."""
    kept: list[Option] = []
    for option in sorted(found, key=lambda option: (option.cut.cores, -option.ns)):
        if not kept or option.ns < kept[-1].ns:
            kept.append(option)
    return kept


def _busiest(problem: Problem, name: str, cut: Cut) -> float:
    return float(inward(problem.program, problem.activity, name, cut).max())


def _even(greedy: Cut, chip: Chip) -> Iterator[Cut]:
    """Blocks of nearly one size whose neurons fit a core, fewest first; then with more channels, then squarer: a spike
    then goes to fewer blocks."""
    channels, rows, columns = (_sizes(n) for n in greedy.shape)
    if greedy.padded:
        columns = 2 ** np.arange((greedy.shape[2] - 1).bit_length() + 1)
    c, y, x = (axis.reshape(-1) for axis in np.meshgrid(channels, rows, columns, indexing="ij"))
    blocks = np.prod([-(-n // b) for n, b in zip(greedy.shape, (c, y, x), strict=True)], axis=0)
    most = FINER * greedy.cores + FINER
    chosen = np.flatnonzero((c * y * x <= chip.neurons_per_core) & (blocks <= most) & (blocks >= greedy.cores // 2))
    near = range(greedy.cores, greedy.cores + NEAR + 1) if greedy.cores * (GROWTH - 1) <= NEAR else range(0)
    last, step, alike = 0, 0, 0
    for k in chosen[np.lexsort(((y + x)[chosen], -c[chosen], blocks[chosen]))].tolist():
        count = int(blocks[k])
        if count != last:
            if count >= step * GROWTH:
                step = count
            elif count not in near:
                continue
            last, alike = count, 0
        alike += 1
        if alike <= SHAPES:
            yield Cut(greedy.shape, (int(c[k]), int(y[k]), int(x[k])), greedy.padded)


def _sizes(n: int) -> Ints:
    """Of a whole in 1, 2, 3 ... parts, as even as can be."""
    return np.unique(-(-n // np.arange(1, n + 1)))
