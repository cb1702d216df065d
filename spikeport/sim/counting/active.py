"""Which neurons were active: received at least one synaptic operation in the step, or spiked in it.

A synapse of weight 0 counts, since storage visits it. A spike that is sent at hardware step s arrives at s + 1 + delay.
So a dense connection with one delay makes every neuron active at any event, and a convolution all channels of a place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd, prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Shape, Sparse
from spikeport.sim.counting.reach import count_active, reach_all, reach_listed, reach_windows

BLOCK_BYTES = 1 << 20
"""As many samples are looked at together as fit in there, so that they stay in a processor's cache."""
Marks: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Everyone:
    """A dense connection with one delay."""

    source: str
    delay: int
    alike: int = 0
    """Channels of the target that receive the same: a multiple of it."""

    def mark(self, to: "Reached", sent: Marks, first: int) -> None:
        """Marks what arrives from row `first` of the window on; `sent` is `(steps, B, n)` of the source."""
        reach_all(to.full, sent, to.sample, first - 1 - self.delay)


@dataclass(frozen=True, eq=False)
class Windows:
    """A convolution."""

    source: str
    delay: int
    shapes: tuple[int, ...]
    window: tuple[tuple[int, int], ...]
    """Kernel, stride, padding and dilation."""

    @property
    def alike(self) -> int:
        return self.shapes[4]

    def mark(self, to: "Reached", sent: Marks, first: int) -> None:
        *source, c_out, h_out, w_out = self.shapes
        shapes, start = (*source, c_out // to.alike, h_out, w_out), first - 1 - self.delay
        reach_windows(to.marks, to.full, sent, to.sample, start, shapes, self.window)


@dataclass(frozen=True, eq=False)
class Listed:
    """Synapses one by one, by delay and source."""

    source: str
    delays: Ints
    pointers: Ints
    targets: NDArray[np.int32]
    alike: int = 1

    def mark(self, to: "Reached", sent: Marks, first: int) -> None:
        reach_listed(to.marks, to.full, sent, to.sample, first - 1, self.delays, self.pointers, self.targets)


Reach: TypeAlias = Everyone | Windows | Listed


class Reached(NamedTuple):
    """Neurons of a group that something reached, of some samples."""

    sample: int
    """The first of them."""
    marks: Marks
    """`(W, samples, n / alike)`: window steps, neurons; of channels that receive the same the first alone."""
    full: Marks
    """`(W, samples)`: where not 0, all neurons are reached, and `marks` says nothing."""
    size: int
    """Neurons of a channel; all, if every channel receives something else."""
    alike: int
    """Channels that receive the same, one after the other."""


def reach_of(connection: Connection, source: Shape) -> Reach:
    """Who receives what its source sends."""
    match connection:
        case Conv():
            return _windows(connection, source)
        case Dense(delay=int(delay)):
            return Everyone(connection.source, delay)
        case Dense():
            row, col = (x.reshape(-1) for x in np.indices(connection.weight.shape))
            return _listed(connection, row, col, source)
        case Sparse():
            return _listed(connection, connection.row, connection.col, source)


def active_per_step(reaches: tuple[Reach, ...], sent: Mapping[str, Marks], own: Marks, window: range) -> Ints:
    """Active neurons of a group in each step of its window, all samples, int64 `(W,)`.

    Arguments are those of `reached_blocks`.
    """
    found, first = np.zeros(len(window), np.int64), window.start - 1
    for reached in reached_blocks(reaches, sent, own, window):
        count_active(reached, own, first, found)
    return found


def reached_blocks(
    reaches: tuple[Reach, ...], sent: Mapping[str, Marks], own: Marks, window: range
) -> Iterator[Reached]:
    """Some samples at a time.

    Args:
        reaches: Of the connections into the group; those that mark most at once come first.
        sent: `(steps, B, n)` of their sources, the whole run.
        own: Likewise of the group.
    """
    _, samples, n = own.shape
    alike = gcd(*(reach.alike for reach in reaches)) or 1
    size = n if alike == 1 else prod(next(r.shapes[5:] for r in reaches if isinstance(r, Windows)))
    block = max(1, BLOCK_BYTES // max(1, len(window) * n))
    for sample in range(0, samples, block):
        marks = np.zeros((len(window), min(block, samples - sample), n // alike), np.uint8)
        reached = Reached(sample, marks, np.zeros(marks.shape[:2], np.uint8), size, alike)
        for reach in reaches:
            reach.mark(reached, sent[reach.source], window.start - 1)
        yield reached


def in_order(reaches: list[Reach]) -> tuple[Reach, ...]:
    """Those that cost least first: the others stop where every neuron is marked."""
    return tuple(sorted(reaches, key=lambda reach: (Everyone, Windows, Listed).index(type(reach))))


def _windows(conv: Conv, source: Shape) -> Windows:
    c_out, *out = conv.output_shape(source)
    _, c_in, *kernel = conv.weight.shape
    shapes = (conv.groups, c_in, *source[1:], c_out // conv.groups, *out)
    window = ((kernel[0], kernel[1]), conv.stride, conv.padding, conv.dilation)
    return Windows(conv.source, conv.delay, shapes, window)


def _listed(connection: Dense | Sparse, row: NDArray[Any], col: NDArray[Any], source: Shape) -> Listed:
    n_source = int(np.prod(source))
    delay = np.broadcast_to(np.asarray(connection.delay, np.int64).reshape(-1), row.shape)
    delays, which = np.unique(delay, return_inverse=True)
    cell = which.reshape(-1) * n_source + col  # sorted by delay, then by source
    edges = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=len(delays) * n_source))])
    pointers = edges[np.arange(len(delays))[:, None] * n_source + np.arange(n_source + 1)]
    targets = row[np.argsort(cell, kind="stable")].astype(np.int32)
    return Listed(connection.source, delays, pointers, targets)
