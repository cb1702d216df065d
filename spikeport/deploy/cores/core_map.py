"""A Program on the cores of a chip: what each block and each core needs, and which block is where."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikeport.chip import Chip
from spikeport.cores import Cores, Cut
from spikeport.deploy.cores.loads import LIMITS, Loads, limits_of
from spikeport.fixed import Ints


@dataclass(frozen=True, eq=False)
class Placement:
    """The blocks of one group, as if each had a core of its own."""

    group: str
    neurons: int
    cut: Cut
    loads: Loads

    @property
    def cores(self) -> int:
        """Blocks of the group."""
        return self.cut.cores

    def most(self, resource: str) -> int:
        """What the block that needs most of it needs."""
        return int(self.loads[resource].max())

    def fullest(self, chip: Chip) -> tuple[str, float]:
        """The resource that is nearest to its limit, and what part of it a block uses."""
        used = {resource: self.most(resource) / max(limit, 1) for resource, limit in limits_of(chip).items()}
        resource = max(used, key=used.__getitem__)
        return resource, used[resource]


@dataclass(frozen=True, eq=False)
class CoreMap:
    """Every group's placement, in the Program's order, and the core of every block."""

    chip: Chip
    placements: tuple[Placement, ...]
    seats: Ints
    """The number of each block's core, `(blocks,)`, as in `Cores`."""

    def __iter__(self) -> Iterator[Placement]:
        return iter(self.placements)

    def __len__(self) -> int:
        return len(self.placements)

    @cached_property
    def where(self) -> Cores:
        """Which core has which neurons, and where on the chips it is, as all parts know it."""
        cuts = {placement.group: placement.cut for placement in self.placements}
        alone = np.array_equal(self.seats, np.arange(len(self.seats)))
        return Cores(self.chip, cuts, None if alone else self.seats)

    @property
    def cores(self) -> int:
        """In use."""
        return self.where.count

    @property
    def chips(self) -> int:
        """In use."""
        return len(np.unique(self.where.chips()))

    @property
    def loads(self) -> Loads:
        """What the blocks of each core need together, each `(cores,)`."""
        return {
            resource: self.where.on_cores(np.concatenate([placement.loads[resource] for placement in self.placements]))
            for resource in LIMITS
        }
