"""Which core has which neurons: groups cut into blocks, and blocks that sit on cores, alone or several together."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from spikeport.chip import Chip
from spikeport.errors import InputError, WrongShape
from spikeport.fixed import Ints

Box = tuple[int, int, int]


@dataclass(frozen=True)
class Cut:
    """Blocks of `block` along channels, rows and columns of `shape`; the last of an axis may be smaller.

    Blocks are counted channels first, then rows, then columns. A group that is no image is `(n, 1, 1)`.
    Whoever looks at one group alone calls its blocks cores, for no two of them need to share one.
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
        """Blocks that the group is cut into, of which each takes a core where none is shared."""
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
        """In each block, int64 `(cores,)`."""
        return spread(self.sizes(0), self.sizes(1), self.sizes(2))

    @property
    def room(self) -> Ints:
        """Neurons that each core has to have room for."""
        columns = np.full(self.parts[2], self.block[2]) if self.padded else self.sizes(2)
        return spread(self.sizes(0), self.sizes(1), columns)

    def labels(self) -> Ints:
        """The block of each neuron, int64 `(n_neurons,)`."""
        c, y, x = (np.arange(n) // b for n, b in zip(self.shape, self.block, strict=True))
        _, rows, columns = self.parts
        return ((c[:, None, None] * rows + y[:, None]) * columns + x).reshape(-1)


def spread(channels: Ints, rows: Ints, columns: Ints) -> Ints:
    """Products of what each block has along the three axes, in the order of the blocks."""
    return (channels[:, None, None] * rows[:, None] * columns).reshape(-1)


def flat(size: int, block: int) -> Cut:
    return Cut((size, 1, 1), (block, 1, 1))


@dataclass(frozen=True, eq=False)
class Cores:
    """Where a Program's neurons are: each group's cut, its blocks numbered after those of the group before it.

    Core number n is on chip n // cores_per_chip. Cores fill the tiles of a chip in the order of their numbers, tiles
    its rows. Only cores with neurons count: whatever is said of cores, `(cores,)`, is of those, by their number.

    Raises InputError for seats that are not a number of 0 or more for each block.
    """

    chip: Chip
    cuts: Mapping[str, Cut]
    """Of every group, in the Program's order."""
    seats: Ints | None = None
    """The number of each block's core, int64 `(blocks,)`; None: block k is on core k."""

    def __post_init__(self) -> None:
        if self.seats is None:
            return
        if self.seats.shape != (self.blocks,) or self.seats.dtype.kind not in "iu":
            got = f"{self.seats.dtype} of shape {self.seats.shape}"
            raise WrongShape("cores", "seats", got=got, relation="are not", limit=f"integers of shape ({self.blocks},)")
        if self.seats.min() < 0:
            raise InputError("cores", "seat", got=int(self.seats.min()), relation="is below", limit=0)

    @cached_property
    def first(self) -> Mapping[str, int]:
        """The number of each group's first block."""
        starts = np.cumsum([0, *(cut.cores for cut in self.cuts.values())]).tolist()
        return dict(zip(self.cuts, starts, strict=False))

    @property
    def blocks(self) -> int:
        """All blocks of all groups."""
        return sum(cut.cores for cut in self.cuts.values())

    @cached_property
    def numbers(self) -> Ints:
        """Of the cores in use, ascending, int64 `(cores,)`."""
        return np.arange(self.blocks) if self.seats is None else np.unique(self.seats).astype(np.int64)

    @cached_property
    def of_block(self) -> Ints:
        """Which of the cores in use each block is on, int64 `(blocks,)`: indices of `numbers`."""
        return np.arange(self.blocks) if self.seats is None else np.searchsorted(self.numbers, self.seats)

    @property
    def count(self) -> int:
        """Cores in use."""
        return len(self.numbers)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The group on each core; where there are several, their names with a + between them."""
        found: list[dict[str, None]] = [{} for _ in range(self.count)]
        for name, cut in self.cuts.items():
            for core in self.of_block[self.first[name] : self.first[name] + cut.cores].tolist():
                found[core][name] = None
        return tuple("+".join(names) for names in found)

    @cached_property
    def neurons(self) -> Ints:
        """On each core, int64 `(cores,)`."""
        return self.on_cores(np.concatenate([cut.neurons for cut in self.cuts.values()]))

    def labels(self, group: str) -> Ints:
        """Which of the cores in use each neuron of a group is on, int64 `(n,)`."""
        return self.of_block[self.first[group] + self.cuts[group].labels()]

    def on_cores(self, blocks: Ints) -> Ints:
        """What blocks have, `(..., blocks)`, added up for each core, `(..., cores)`."""
        if self.seats is None:
            return blocks
        order = np.argsort(self.of_block, kind="stable")
        starts = np.searchsorted(self.of_block[order], np.arange(self.count))
        return np.asarray(np.add.reduceat(blocks[..., order], starts, axis=-1), blocks.dtype)

    def chips(self) -> Ints:
        """The chip of each core, int64 `(cores,)`."""
        return self.numbers // self.chip.cores_per_chip

    def tiles(self) -> Ints:
        """The tile of each core on its chip, int64 `(cores, 2)`: x and y."""
        tile = self.numbers % self.chip.cores_per_chip // self.chip.cores_per_tile
        return np.stack([tile % self.chip.mesh[0], tile // self.chip.mesh[0]], axis=1)
