"""The least time of the busiest core on a given number of cores, by bisection over first-fit decreasing.

MULTIFIT (Coffman, Garey and Johnson, SIAM J. Comput. 7, 1978), with cuts that follow: for a time of which no core may
have more, each group is cut into as few blocks as have no more, and blocks are packed with the time as one more limit.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from spikeport.cores import Cut
from spikeport.deploy.cores.activity import Floats
from spikeport.deploy.cores.options import Option
from spikeport.deploy.cores.pack import packed
from spikeport.deploy.cores.problem import TIME, Problem, Seated, busy, within

STEPS = 12
Choices = Mapping[str, Sequence[Option]]


def multifit(problem: Problem, start: Seated, choices: Choices, cores: int) -> Seated:
    """The least busy that is found on at most so many cores; where nothing is, that on the fewest.

    Args:
        start: Is a candidate where it has no more cores.
    """
    best = start if start.cores <= cores else at_most(problem, start.cuts, choices, np.inf) or start
    if best.cores > cores:
        return best
    high, low = problem.busiest(best), float(busy(problem.all_sizes(best.cuts)).sum()) / cores / 2
    for _ in range(min(STEPS, 400_000 // len(best.core) + 3)):
        middle = (low + high) / 2
        found = at_most(problem, start.cuts, choices, middle)
        if found is not None and found.cores <= cores:
            best, high = found, min(middle, problem.busiest(found))
        else:
            low = middle
    return best


def at_most(problem: Problem, cuts: Mapping[str, Cut], choices: Choices, ns: float) -> Seated | None:
    """Cuts and seats with which no core is busy for longer in a step; None where there are none."""
    limits = problem.limits.copy()
    limits[TIME] = ns
    found = dict(cuts)
    for name in reversed(list(cuts)):  # targets first, as in the greedy mapping
        for option in choices[name]:
            found[name] = option.cut
            if option.ns <= ns and fits(problem, name, found, limits, choices):
                break
        else:
            return None
    if not all(fits(problem, name, found, limits, choices) for name in cuts):  # axons back to a group cut later
        return None
    return Seated(found, packed(problem.all_sizes(found), problem.all_kinds(found), limits))


def fits(problem: Problem, name: str, cuts: Mapping[str, Cut], limits: Floats, choices: Choices) -> bool:
    """Of a group that has no choice, its memory is what it is."""
    sizes = problem.sizes(name, cuts)
    if len(choices[name]) == 1:
        return bool((sizes[:, TIME] <= limits[TIME]).all())
    return bool(within(sizes, limits).all())
