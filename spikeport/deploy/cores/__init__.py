"""Core mapping: each group of neurons on as few cores as the chip's limits allow.

A group that a convolution enters or leaves is cut into channels, rows and columns, any other into runs of neurons, as
the public compilers do. Groups are cut from the last to the first, each to what its neurons, axons in, synapses and
axons out allow; where connections lead back, the groups that then have too many axons out are cut further until none
has. What a single neuron asks for cannot be cut: where
that is beyond a limit, the others still hold, and the design rules say so.

Those compilers give a core neurons of one group only; here blocks that leave room share one (`pack.py`). `search.py`
looks for better mappings, `naive.py` has the one that they are held against.

The same Program gives the same cores, whatever the values of its weights.
"""

from collections.abc import Callable, Mapping

import numpy as np

from spikeport.chip import Chip
from spikeport.cores import Cores, Cut, flat
from spikeport.deploy.cores.activity import assumed
from spikeport.deploy.cores.core_map import CoreMap as CoreMap
from spikeport.deploy.cores.core_map import Placement as Placement
from spikeport.deploy.cores.cut import image_cuts
from spikeport.deploy.cores.loads import LIMITS as LIMITS
from spikeport.deploy.cores.loads import limits_of, loads
from spikeport.deploy.cores.pack import packed
from spikeport.deploy.cores.problem import TIME, Problem, busy
from spikeport.fixed import Ints
from spikeport.neurons import Group
from spikeport.program import Conv, Program, Sparse

Fits = Callable[[Cut], bool]


def map_cores(program: Program, chip: Chip) -> CoreMap:
    """The compiler's own mapping: every group cut into as few blocks as fit, and blocks packed onto cores.

    Small blocks share a core where it is then not busier than the busiest block is alone. What a block is charged
    follows the tables that Intel's compiler printed (lava-dl's notebooks), and for a Loihi 1 nengo-loihi 1.1.0.

    Returns:
        As many cores as it takes, on one chip or several. A neuron that alone exceeds a limit has a core alone.
    """
    cuts = greedy_cuts(program, chip)
    problem = Problem(program, chip, assumed(program))
    sizes, limits = problem.all_sizes(cuts), problem.limits.copy()
    limits[TIME] = busy(sizes).max()
    return core_map(program, chip, cuts, packed(sizes, problem.all_kinds(cuts), limits))


def greedy_cuts(program: Program, chip: Chip) -> dict[str, Cut]:
    """Every group's cut, in the Program's order."""
    cuts: dict[str, Cut] = {}
    for group in reversed(program.groups):  # targets first, for axons out are counted by them
        known = all(c.target in cuts for c in program.connections if c.source == group.name)
        cuts[group.name] = _least(program, chip, group, cuts, out=known)
    while crowded := [g for g in reversed(program.groups) if _crowded(program, chip, g, cuts)]:
        for group in crowded:
            cuts[group.name] = _least(program, chip, group, cuts, out=True, above=cuts[group.name].cores)
    return {group.name: cuts[group.name] for group in program.groups}


def core_map(program: Program, chip: Chip, cuts: Mapping[str, Cut], seats: Ints | None = None) -> CoreMap:
    """The mapping of chosen cuts, with what each block needs; whether cores can hold it is not checked.

    Args:
        cuts: Of every group, by name.
        seats: The core of each block `(blocks,)`, groups in the Program's order; if None each has one of its own.
    """
    found = tuple(Placement(g.name, g.size, cuts[g.name], loads(program, chip, g.name, cuts)) for g in program.groups)
    return CoreMap(chip, found, np.arange(sum(p.cores for p in found)) if seats is None else seats)


def cores_of(core_map: CoreMap, chip: Chip) -> Cores:
    """The map as all parts know it: which core has which neurons, and where on the chips it is."""
    return Cores(chip, core_map.where.cuts, core_map.where.seats)


def _crowded(program: Program, chip: Chip, group: Group, cuts: Mapping[str, Cut]) -> bool:
    """Whether it has too many axons out, or with them too full a memory, and less where it is cut further."""
    needed = loads(program, chip, group.name, cuts)
    limits = limits_of(chip)
    over = [what for what in ("axons out", "memory") if needed[what].max() > limits[what]]
    if not over:
        return False
    alone = loads(program, chip, group.name, {**cuts, group.name: single(program, chip, group)})
    return any(needed[what].max() > alone[what].max() for what in over)


def _least(program: Program, chip: Chip, group: Group, cuts: Mapping[str, Cut], *, out: bool, above: int = 0) -> Cut:
    """The cut with the fewest cores, more than `above`, whose cores hold what they need."""
    search = _image if _is_image(program, group) else _runs
    has_list = any(isinstance(c, Sparse) and c.target == group.name for c in program.connections)

    def cut(limits: Mapping[str, int]) -> Cut | None:
        def fits(cut: Cut) -> bool:
            if cut.room.max() > limits["neurons"]:
                return False
            for listed in (False, True) if has_list else (True,):  # the others are quick, and most cuts fail by them
                found = loads(program, chip, group.name, {**cuts, group.name: cut}, out=out and listed, listed=listed)
                if any(found[resource].max() > limits[resource] for resource in limits):
                    return False
            return True

        return search(group, chip, fits, above)

    limits = limits_of(chip)
    if (found := cut(limits)) is not None:
        return found
    alone = single(program, chip, group)
    needed = loads(program, chip, group.name, {**cuts, group.name: alone}, out=out)
    return cut({resource: max(limit, int(needed[resource].max())) for resource, limit in limits.items()}) or alone


def single(program: Program, chip: Chip, group: Group) -> Cut:
    """One neuron on each core, along the axes that every cut of the group has."""
    return Cut(_box(group), (1, 1, 1), chip.generation > 1) if _is_image(program, group) else flat(group.size, 1)


def _runs(group: Group, chip: Chip, fits: Fits, above: int) -> Cut | None:
    """Runs of equal length, the last shorter: the longest that fit, by bisection."""
    longest = group.size if not above else -(-group.size // above) - 1
    low, high = 0, max(min(longest, chip.neurons_per_core), 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(flat(group.size, middle)) else (low, middle - 1)
    if not low:
        return None
    cores = -(-group.size // low)
    even = flat(group.size, -(-group.size // cores))
    return even if fits(even) else flat(group.size, low)


def _image(group: Group, chip: Chip, fits: Fits, above: int) -> Cut | None:
    """The first that fits of those with the fewest cores."""
    cuts = image_cuts(_box(group), padded=chip.generation > 1)
    return next((cut for cut in cuts if cut.cores > above and fits(cut)), None)


def _is_image(program: Program, group: Group) -> bool:
    return any(isinstance(c, Conv) and group.name in (c.source, c.target) for c in program.connections)


def _box(group: Group) -> tuple[int, int, int]:
    channels, rows, columns = group.shape
    return channels, rows, columns
