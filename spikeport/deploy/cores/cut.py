"""A group of neurons cut into blocks, one for each core."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

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


def image_cuts(shape: Box, padded: bool) -> Iterator[Cut]:
    """Channels, rows and columns halved over and over; fewest cores first.

    Of two with as many cores, the one with more channels and then more rows on a core comes first: a spike of a
    pixel then goes to fewer cores. `padded` is Loihi 2: columns come in powers of two, and channels or rows in
    unequal parts only where nothing else fits. This gives the blocks of lava-dl's pilotnet and yolo_kp logs.
    """
    channels, rows, columns = (sorted({-(-n // 2**k) for k in range(n.bit_length() + 1)}) for n in shape)
    if padded:
        columns = [2**k for k in range((shape[2] - 1).bit_length() + 1)]
    found = [Cut(shape, (c, y, x), padded) for c in channels for y in rows for x in columns]

    def order(cut: Cut) -> tuple[int, ...]:
        parts = cut.parts[:2]
        uneven = padded and any(n % p or p & (p - 1) for n, p in zip(shape, parts, strict=False))
        return int(uneven), cut.cores, -cut.block[0], -cut.block[1]

    return iter(sorted(found, key=order))
