"""A better mapping than the greedy one: less for the busiest core to do, then less on the fullest, then shorter ways.

First come cuts and seats (`multifit.py`), then local search: blocks move and change places (`moves.py`), a group on the
busiest core is cut finer, others are cut coarser where that costs nothing. Then cores change chips (`parted.py`) and
places on the mesh (`mesh.py`), and blocks change cores (`settled.py`). Nothing is drawn at random and no clock is read:
the same Program and activity give the same mapping.
"""

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from spikeport.chip import Chip
from spikeport.cores import Cut
from spikeport.deploy.cores import core_map
from spikeport.deploy.cores.activity import Activity, assumed
from spikeport.deploy.cores.core_map import CoreMap
from spikeport.deploy.cores.mesh import cost, placed, places_of
from spikeport.deploy.cores.moves import Terms, levelled
from spikeport.deploy.cores.multifit import Choices, multifit
from spikeport.deploy.cores.options import options
from spikeport.deploy.cores.pack import ROUNDING, in_order
from spikeport.deploy.cores.problem import MEMORY, TIME, Problem, Seated
from spikeport.deploy.cores.recut import coarser, finer
from spikeport.deploy.cores.settled import settled
from spikeport.deploy.cores.work import pairs_of, traffic_of
from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Program

EFFORT = 20_000_000
"""Pairs of things that a part of the search looks at, about; it bounds the time, whatever the network."""


def improved(
    program: Program, chip: Chip, start: CoreMap, activity: Activity | None = None, *, cores: int | None = None
) -> CoreMap:
    """A mapping whose busiest core is busy no longer, by the activity, than that of the start.

    Args:
        activity: What is measured of a run; all neurons alike if None.
        cores: How many it may take; as many as the start if None. Where there is no mapping on so few, it is the one
            on the fewest that was found.

    Raises InputError for fewer cores than one.
    """
    if cores is not None and cores < 1:
        raise InputError("mapping", "cores", got=cores, relation="are below", limit=1)
    problem = Problem(program, chip, activity or assumed(program))
    before = Seated(start.where.cuts, start.where.of_block)
    most = before.cores if cores is None else cores
    choices = {name: options(problem, name, before.cuts) for name in before.cuts}
    found = _less_full(problem, _less_busy(problem, multifit(problem, before, choices, most), choices, most))
    if before.cores <= most and _goodness(problem, before) <= _goodness(problem, found):
        found = before
    if pairs_of(program, found.cuts) > EFFORT:  # too many ways for a look at them
        return start if found is before else core_map(program, chip, found.cuts, found.core)
    seats = _near(problem, found)
    if found is before and _ways(problem, found.cuts, start.seats) <= _ways(problem, found.cuts, seats):
        return start
    return core_map(program, chip, found.cuts, seats)


def _near(problem: Problem, seated: Seated) -> Ints:
    """The number of each block's core: cores that tell each other much are near, and then blocks change cores where
    that leaves no core busier than the busiest, and none fuller than the fullest."""
    chip = problem.chip
    at = placed(chip, messages_between(problem, seated), EFFORT)[seated.core]
    limits = problem.limits.copy()
    limits[MEMORY] *= min(1.0, problem.fullest(seated))
    limits[TIME] = problem.busiest(seated)
    terms = Terms(problem.all_sizes(seated.cuts), problem.all_kinds(seated.cuts), limits, limits)
    found = settled(places_of(chip, int(at.max()) + 1), at, _between_blocks(problem, seated.cuts), terms, EFFORT)
    after = Seated(seated.cuts, in_order(found))
    kept = problem.busiest(after) <= problem.busiest(seated) and problem.fullest(after) <= problem.fullest(seated)
    return found if kept else at  # sums of times in another order may be larger in the last digit


def _between_blocks(problem: Problem, cuts: Mapping[str, Cut]) -> sparse.csr_array:
    return messages_between(problem, Seated(cuts, np.arange(sum(cut.cores for cut in cuts.values()))))


def _ways(problem: Problem, cuts: Mapping[str, Cut], seats: Ints) -> float:
    """Hops in a step."""
    return cost(places_of(problem.chip, int(seats.max()) + 1), seats, _between_blocks(problem, cuts))


def _goodness(problem: Problem, seated: Seated) -> tuple[float, ...]:
    """Less is better."""
    return problem.busiest(seated), problem.fullest(seated), seated.cores


def _less_busy(problem: Problem, seated: Seated, choices: Choices, cores: int) -> Seated:
    cores = max(cores, seated.cores)
    seated = _levelled(problem, seated, cores, TIME)
    for _ in range(_rounds(seated)):
        found = finer(problem, seated, choices, cores)
        if found is None:
            break
        found = _levelled(problem, found, cores, TIME)
        if problem.busiest(found) >= problem.busiest(seated) * (1 - 1e-9):
            break
        seated = found
    return coarser(problem, seated, choices, _rounds(seated))


def _rounds(seated: Seated) -> int:
    return min(32, EFFORT // 200 // len(seated.core))


def _less_full(problem: Problem, seated: Seated) -> Seated:
    """Less on the fullest core, and no core busier than the busiest."""
    return _levelled(problem, seated, seated.cores, MEMORY)


def _levelled(problem: Problem, seated: Seated, cores: int, columns: slice) -> Seated:
    sizes, limits, weights = problem.all_sizes(seated.cuts), problem.limits.copy(), np.zeros(len(problem.limits))
    if columns == TIME:
        weights[TIME] = 1.0
    else:
        weights[MEMORY] = 1 / np.maximum(problem.limits[MEMORY], 1)
        limits[TIME] = problem.busiest(seated) * (1 + ROUNDING)
    terms = Terms(sizes, problem.all_kinds(seated.cuts), limits, weights)
    steps = min(500, EFFORT // 20 // len(seated.core))
    return Seated(seated.cuts, in_order(levelled(terms, seated.core, cores, steps)))


def messages_between(problem: Problem, seated: Seated) -> sparse.csr_array:
    """In a step, from core to core, `(cores, cores)`."""
    first = dict(zip(seated.cuts, np.cumsum([0, *(c.cores for c in seated.cuts.values())]).tolist(), strict=False))
    found = sparse.csr_array((seated.cores, seated.cores))
    for name in seated.cuts:
        for target, (source, to, messages) in traffic_of(problem.program, problem.activity, name, seated.cuts):
            ways = (seated.core[first[name] + source], seated.core[first[target] + to])
            found += sparse.coo_array((messages, ways), shape=found.shape).tocsr()
    return found
