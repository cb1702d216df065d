"""One pass over what a node sent: events by class of neurons, and what one event of each class adds to the columns of
a table.

Classes of an image are much alike from channel to channel and from row to row. So channels with the same classes are
added up first, then rows, then what lies between two changes of class: sums of bytes, without a look at any of them.
Every function calls those of this file only, so that numba's kept copies are those of this file.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.program import Shape

BAND = 255  # channels that are added up in a byte


class Bins(NamedTuple):
    """The classes of the neurons of a node, which are channels of rows; all in one row if it is no image."""

    bands: Ints
    """Channels with the same classes, at most `BAND`: `(bands, 2)`, first and last + 1."""
    line: Ints
    """Which of the different rows of classes each row of a band has, `(bands, rows)`."""
    stops: Ints
    """Where each run of one class ends in these different rows, one after the other, `(runs,)`."""
    classes: Ints
    """Of each run, `(runs,)`."""
    shape: tuple[int, int]
    """How many different rows there are, and how long they are."""


class Adds(NamedTuple):
    """A sparse matrix: what one event of each class adds."""

    pointers: Ints
    """`(classes + 1,)`."""
    columns: NDArray[np.int32]
    values: Ints


def bins(label: Ints, shape: Shape) -> Bins:
    """Of neurons with these classes, `(n,)`: as an image of this shape or as one row, whichever is less to do."""
    image = (shape[0], shape[1], -1) if len(shape) == 3 else (1, 1, -1)
    return min(_bins(label.reshape(image)), _bins(label.reshape(1, 1, -1)), key=_effort)


def _bins(label: Ints) -> Bins:
    channels, rows, length = label.shape
    differ = np.flatnonzero((label[1:] != label[:-1]).any(axis=(1, 2))) + 1
    edges = np.union1d([0, *differ, channels], np.arange(0, channels, BAND))
    lines, line = np.unique(label[edges[:-1]].reshape(-1, length), axis=0, return_inverse=True)
    in_turn = lines.reshape(-1)
    last = np.append(in_turn[1:] != in_turn[:-1], True)  # of a run
    bands = np.stack([edges[:-1], edges[1:]], axis=1)
    return Bins(bands, line.reshape(-1, rows), np.flatnonzero(last) + 1, in_turn[last], lines.shape)


def _effort(found: Bins) -> int:
    return int(found.bands[-1, 1]) + found.line.size + found.stops.size


@njit(nogil=True, cache=True)
def add_events(sent, first, last, bins, adds, sums):  # type: ignore[no-untyped-def]
    """Adds what the events of a window cause; gives the events of each class, int64 `(classes,)`.

    Args:
        sent: uint8 `(steps, B, n)`, contiguous; not 0 where there is an event.
        first, last: Its rows that are in the window.
        sums: int64 `(B, steps of the input, columns)`; a step is in the row of its number modulo theirs.
    """
    found, total = np.zeros((2, adds.pointers.size - 1), np.int64)
    plane, lines = np.empty(bins.line.shape[1] * bins.shape[1], np.uint8), np.empty(bins.shape, np.int32)
    for step in range(first, last):
        for b in range(sent.shape[1]):
            found[:] = 0
            _count(sent[step, b], bins, plane, lines, found)
            row = sums[b, step % sums.shape[1]]
            for k in range(found.size):
                if found[k]:
                    total[k] += found[k]
                    for at in range(adds.pointers[k], adds.pointers[k + 1]):
                        row[adds.columns[at]] += found[k] * adds.values[at]
    return total


@njit(nogil=True, cache=True)
def add_active(reached, full, own, sample, first, bins, everyone, sums):  # type: ignore[no-untyped-def]
    """Adds the active neurons of each class to the columns; `reach` says what the first two are.

    Args:
        own: uint8 `(steps, B, n)`, contiguous: what the group sent.
        sample, first: The first sample and the first row of it in `reached`.
        everyone: The neurons of each class, `(classes,)`.
        sums: int64 `(B, steps of the input, classes)`.
    """
    plane, lines = np.empty(bins.line.shape[1] * bins.shape[1], np.uint8), np.empty(bins.shape, np.int32)
    for i in range(len(reached)):
        for b in range(reached.shape[1]):
            row = sums[sample + b, (first + i) % sums.shape[1]]
            if full[i, b]:
                row += everyone
                continue
            marks, spikes = reached[i, b], own[first + i, sample + b]
            for j in range(marks.size):
                marks[j] |= spikes[j]
            _count(marks, bins, plane, lines, row)


@njit
def _count(marks, bins, plane, lines, found):  # type: ignore[no-untyped-def]
    """Adds to `found` how many of each class are not 0; `plane` and `lines` are room for sums."""
    lines[:] = 0
    size, length = plane.size, lines.shape[1]
    for band in range(len(bins.bands)):
        plane[:] = 0
        for channel in range(bins.bands[band, 0], bins.bands[band, 1]):
            _add_marks(plane, marks[channel * size : (channel + 1) * size])
        for row in range(bins.line.shape[1]):
            _add_bytes(lines[bins.line[band, row]], plane[row * length : (row + 1) * length])
    in_turn, start = lines.reshape(-1), 0
    for run in range(bins.stops.size):
        events = np.int32(0)
        for part in in_turn[start : bins.stops[run]]:
            events = np.int32(events + part)
        found[bins.classes[run]] += events
        start = bins.stops[run]


@njit
def _add_marks(sums, marks):  # type: ignore[no-untyped-def]
    for j in range(sums.size):
        sums[j] = np.uint8(sums[j] + np.uint8(marks[j] != 0))


@njit
def _add_bytes(sums, parts):  # type: ignore[no-untyped-def]
    for j in range(sums.size):
        sums[j] += np.int32(parts[j])
