"""Core mapping: each group of neurons on as few cores as the chip's limits allow.

A core holds neurons of one group only, as the public compilers place them. A group that a convolution enters or
leaves is cut into channels, rows and columns, any other into runs of neurons. Groups are cut from the last to the
first, each to what its neurons, axons in, synapses and axons out allow; where connections lead back, the groups
that then have too many axons out are cut further until none has. What a single neuron asks for cannot be cut: where
that is beyond a limit, the others still hold, and the design rules say so.

The same Program gives the same cores, whatever the values of its weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spikeport.chip import Chip
from spikeport.cores import Cores, Cut, flat
from spikeport.deploy.cores.cut import image_cuts
from spikeport.deploy.cores.loads import LIMITS as LIMITS
from spikeport.deploy.cores.loads import Loads, limits_of, loads
from spikeport.neurons import Group
from spikeport.program import Conv, Program, Sparse

Fits = Callable[[Cut], bool]


@dataclass(frozen=True, eq=False)
class Placement:
    """The cores of one group."""

    group: str
    neurons: int
    cut: Cut
    loads: Loads

    @property
    def cores(self) -> int:
        return self.cut.cores

    def most(self, resource: str) -> int:
        """What the fullest core needs."""
        return int(self.loads[resource].max())

    def fullest(self, chip: Chip) -> tuple[str, float]:
        """The resource that is nearest to its limit on a core, and what part of it is used."""
        used = {resource: self.most(resource) / max(limit, 1) for resource, limit in limits_of(chip).items()}
        resource = max(used, key=used.__getitem__)
        return resource, used[resource]


CoreMap = tuple[Placement, ...]


def map_cores(program: Program, chip: Chip) -> CoreMap:
    """Every group's cores, in the Program's order."""
    cuts: dict[str, Cut] = {}
    for group in reversed(program.groups):  # targets first, for axons out are counted by them
        known = all(c.target in cuts for c in program.connections if c.source == group.name)
        cuts[group.name] = _least(program, chip, group, cuts, out=known)
    while crowded := [g for g in reversed(program.groups) if _crowded(program, chip, g, cuts)]:
        for group in crowded:
            cuts[group.name] = _least(program, chip, group, cuts, out=True, above=cuts[group.name].cores)
    return tuple(Placement(g.name, g.size, cuts[g.name], loads(program, chip, g.name, cuts)) for g in program.groups)


def cores_of(core_map: CoreMap, chip: Chip) -> Cores:
    """The map as all parts know it: which core has which neurons, and where on the chips it is."""
    return Cores(chip, {placement.group: placement.cut for placement in core_map})


def _crowded(program: Program, chip: Chip, group: Group, cuts: Mapping[str, Cut]) -> bool:
    """Whether it has too many axons out, or with them too full a memory, and less where it is cut further."""
    needed = loads(program, chip, group.name, cuts)
    limits = limits_of(chip)
    over = [what for what in ("axons out", "memory") if needed[what].max() > limits[what]]
    if not over:
        return False
    alone = loads(program, chip, group.name, {**cuts, group.name: _single(program, chip, group)})
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
    single = _single(program, chip, group)
    needed = loads(program, chip, group.name, {**cuts, group.name: single}, out=out)
    return cut({resource: max(limit, int(needed[resource].max())) for resource, limit in limits.items()}) or single


def _single(program: Program, chip: Chip, group: Group) -> Cut:
    """One neuron on each core."""
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


def chips(core_map: CoreMap, chip: Chip) -> int:
    """How many chips have that many cores."""
    return -(-sum(p.cores for p in core_map) // chip.cores_per_chip)
