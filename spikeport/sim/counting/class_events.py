"""One pass over what a node sent: events by class of neurons, and what one event of each class adds to the columns of
a table.

Classes come in runs of neighbours, and channels of an image in bands that have the same ones. So channels are added up
first, then what lies between two changes of class: both are sums of bytes, without a look at any one of them.
Every function calls those of this file only, so that numba's kept copies are those of this file.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeport.fixed import Ints

BAND = 255  # rows that are added up in a byte


class Bins(NamedTuple):
    """The classes of a node's neurons, which are rows of equal length."""

    bands: Ints
    """Rows with the same classes, at most `BAND`: `(bands, 2)`, first and last + 1."""
    pointers: Ints
    """The runs of each band, `(bands + 1,)`."""
    stops: Ints
    """Where in a row each run ends, `(runs,)`."""
    classes: Ints
    """Of each run, `(runs,)`."""
    plane: NDArray[np.uint8]
    """As long as a row, for its length."""


class Adds(NamedTuple):
    """A sparse matrix: what one event of each class adds."""

    pointers: Ints
    """`(classes + 1,)`."""
    columns: NDArray[np.int32]
    values: Ints


def bins(label: Ints, channels: int) -> Bins:
    """Of neurons `(n,)` with these classes: one row, or one for each channel, whichever is less to do."""
    return min(_bins(label[None]), _bins(label.reshape(channels, -1)), key=lambda b: int(b.bands[-1, 1]) + b.stops.size)


def _bins(rows: Ints) -> Bins:
    number, length = rows.shape
    differ = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)) + 1
    edges = np.union1d([0, *differ, number], np.arange(0, number, BAND))
    chosen = rows[edges[:-1]]
    last = np.ones(chosen.shape, np.bool_)  # of a run
    last[:, :-1] = chosen[:, 1:] != chosen[:, :-1]
    pointers = np.concatenate([[0], np.cumsum(last.sum(axis=1))])
    stops = np.nonzero(last)[1] + 1
    return Bins(np.stack([edges[:-1], edges[1:]], axis=1), pointers, stops, chosen[last], np.empty(length, np.uint8))


@njit(nogil=True, cache=True)
def add_events(sent, first, last, bins, adds, sums):  # type: ignore[no-untyped-def]
    """Adds what the events of a window cause; gives the events of each class, int64 `(classes,)`.

    Args:
        sent: uint8 `(steps, B, n)`, contiguous; not 0 where there is an event.
        first, last: Its rows that are in the window.
        sums: int64 `(B, steps of the input, columns)`; a step is in the row of its number modulo theirs.
    """
    found, total = np.zeros((2, adds.pointers.size - 1), np.int64)
    plane = np.empty_like(bins.plane)
    for step in range(first, last):
        for b in range(sent.shape[1]):
            found[:] = 0
            _count(sent[step, b], bins, plane, found)
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
    plane = np.empty_like(bins.plane)
    for i in range(len(reached)):
        for b in range(reached.shape[1]):
            row = sums[sample + b, (first + i) % sums.shape[1]]
            if full[i, b]:
                row += everyone
                continue
            marks, spikes = reached[i, b], own[first + i, sample + b]
            for j in range(marks.size):
                marks[j] |= spikes[j]
            _count(marks, bins, plane, row)


@njit
def _count(marks, bins, plane, found):  # type: ignore[no-untyped-def]
    """Adds to `found` how many of each class are not 0."""
    length = plane.size
    for band in range(len(bins.bands)):
        plane[:] = 0
        for k in range(bins.bands[band, 0], bins.bands[band, 1]):
            row = marks[k * length : (k + 1) * length]
            for j in range(length):
                plane[j] += row[j] != 0
        start = 0
        for run in range(bins.pointers[band], bins.pointers[band + 1]):
            stop, events = bins.stops[run], np.int32(0)
            for j in range(start, stop):
                events = np.int32(events + plane[j])
            found[bins.classes[run]] += events
            start = stop
