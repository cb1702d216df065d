"""Which core has which neurons: groups cut into blocks, one for each core, and the cores in their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from spikeport.chip import Chip
from spikeport.fixed import Ints

Box = tuple[int, int, int]


@dataclass(frozen=True)
class Cut:
    """Blocks of `block` along channels, rows and columns of `shape`; the last of an axis may be smaller.

    Cores are counted channels first, then rows, then columns. A group that is no image is `(n, 1, 1)`.
    """

    shape: Box
    block: Box
    padded: bool = False
    """Whether a core keeps the room of whole blocks of columns (Loihi 2's convolutions)."""

    @cached_property
    def parts(self) -> Box:
        channels, rows, columns = (-(-n // b) for n, b in zip(self.shape, self.block, strict=True))
        return channels, rows, columns

    @property
    def cores(self) -> int:
        return prod(self.parts)

    def sizes(self, axis: int) -> Ints:
        """Of the blocks along an axis, int64 `(parts,)`."""
        size = np.full(self.parts[axis], self.block[axis])
        size[-1] = self.shape[axis] - self.block[axis] * (self.parts[axis] - 1)
        return size

    def starts(self, axis: int) -> Ints:
        """The first index of each block along an axis."""
        return np.arange(self.parts[axis]) * self.block[axis]

    @cached_property
    def neurons(self) -> Ints:
        """On each core, int64 `(cores,)`."""
        return spread(self.sizes(0), self.sizes(1), self.sizes(2))

    @property
    def room(self) -> Ints:
        """Neurons that each core has to have room for."""
        columns = np.full(self.parts[2], self.block[2]) if self.padded else self.sizes(2)
        return spread(self.sizes(0), self.sizes(1), columns)

    def labels(self) -> Ints:
        """The core of each neuron, int64 `(n_neurons,)`."""
        c, y, x = (np.arange(n) // b for n, b in zip(self.shape, self.block, strict=True))
        _, rows, columns = self.parts
        return ((c[:, None, None] * rows + y[:, None]) * columns + x).reshape(-1)


def spread(channels: Ints, rows: Ints, columns: Ints) -> Ints:
    """Products of what each block has along the three axes, in the order of the cores."""
    return (channels[:, None, None] * rows[:, None] * columns).reshape(-1)


def flat(size: int, block: int) -> Cut:
    return Cut((size, 1, 1), (block, 1, 1))


@dataclass(frozen=True, eq=False)
class Cores:
    """Where a Program's neurons are: each group's cut, its cores numbered after those of the group before it.

    Cores fill the tiles of a chip in the order of their numbers, tiles its rows, and chips follow each other.
    """

    chip: Chip
    cuts: Mapping[str, Cut]
    """Of every group, in the Program's order."""

    @cached_property
    def first(self) -> Mapping[str, int]:
        """The number of each group's first core."""
        starts = np.cumsum([0, *(cut.cores for cut in self.cuts.values())]).tolist()
        return dict(zip(self.cuts, starts, strict=False))

    @property
    def count(self) -> int:
        return sum(cut.cores for cut in self.cuts.values())

    @property
    def groups(self) -> tuple[str, ...]:
        """The group on each core."""
        return tuple(name for name, cut in self.cuts.items() for _ in range(cut.cores))

    def labels(self, group: str) -> Ints:
        """The core of each neuron of a group, int64 `(n,)`."""
        return self.first[group] + self.cuts[group].labels()

    def chips(self) -> Ints:
        """The chip of each core, int64 `(cores,)`."""
        return np.arange(self.count) // self.chip.cores_per_chip

    def tiles(self) -> Ints:
        """The tile of each core on its chip, int64 `(cores, 2)`: x and y."""
        tile = np.arange(self.count) % self.chip.cores_per_chip // self.chip.cores_per_tile
        return np.stack([tile % self.chip.mesh[0], tile // self.chip.mesh[0]], axis=1)
