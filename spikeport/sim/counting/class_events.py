"""One pass over what a node sent: events by class of neurons, and what one event of each class adds to the columns of
a table. `pieces` says how they are found.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeport.compiled import kept
from spikeport.fixed import Ints
from spikeport.sim.engine import events, vectors
from spikeport.sim.engine.events import count_bits, set_bits


class Adds(NamedTuple):
    """A sparse matrix: what one event of each class adds."""

    pointers: Ints
    """`(classes + 1,)`."""
    columns: NDArray[np.int32]
    values: Ints


@njit
def _join(marks, spikes, size, alike, active):  # type: ignore[no-untyped-def]
    """Whoever was reached or spiked; of `alike` channels of this size there is one in `marks`."""
    for channel in range(active.size // size):
        start, shared = channel * size, channel // alike * size
        _either(marks[shared : shared + size], spikes[start : start + size], active[start : start + size])


@njit
def _either(marks, spikes, active):  # type: ignore[no-untyped-def]
    for j in range(active.size):
        active[j] = marks[j] | spikes[j]


@njit(forceinline=True)
def _room(n, pieces):  # type: ignore[no-untyped-def]
    """Words of bits; a channel of an image, and sums of its rows."""
    plane = np.empty(pieces.row.shape[1] * pieces.sums[1], np.uint8)
    return np.empty(n // 64 + 1, np.uint64), plane, np.empty(pieces.sums, np.int32)


@njit(forceinline=True)
def _count_bits(marks, pieces, words, found):  # type: ignore[no-untyped-def]
    """Adds to `found` how many of each class are not 0."""
    set_bits(marks, words)
    for k in range(pieces.of.size):
        found[pieces.of[k]] += count_bits(words[pieces.word[k]] & pieces.mask[k])


@njit(forceinline=True)
def _count_runs(spikes, marks, alike, pieces, plane, lines, found):  # type: ignore[no-untyped-def]
    """As `_count_bits`, of an image and what is not 0 in one or the other; of `alike` channels one is in `marks`."""
    lines[:] = 0
    size, length = plane.size, lines.shape[1]
    for band in range(len(pieces.bands)):
        plane[:] = 0
        for channel in range(pieces.bands[band, 0], pieces.bands[band, 1]):
            start, shared = channel * size, channel // alike * size
            _add_marks(plane, spikes[start : start + size], marks[shared : shared + size])
        for row in range(pieces.row.shape[1]):
            _add_bytes(lines[pieces.row[band, row]], plane[row * length : (row + 1) * length])
    in_turn, start = lines.reshape(-1), 0
    for k in range(pieces.of.size):
        events = np.int32(0)
        for part in in_turn[start : pieces.stop[k]]:
            events = np.int32(events + part)
        found[pieces.of[k]] += events
        start = pieces.stop[k]


@njit
def _add_marks(sums, spikes, marks):  # type: ignore[no-untyped-def]
    for j in range(sums.size):
        sums[j] = np.uint8(sums[j] + np.uint8((spikes[j] | marks[j]) != 0))


@njit
def _add_bytes(sums, parts):  # type: ignore[no-untyped-def]
    for j in range(sums.size):
        sums[j] += np.int32(parts[j])


def _compile(sources: str) -> tuple[Any, Any]:
    """numba forgets a kept function when its own file changes, but not when what it calls does; see `engine.loop`."""

    @kept(nogil=True)
    def add_events(sent, first, last, pieces, adds, sums):  # type: ignore[no-untyped-def]
        """Adds what the events of a window cause; gives the events of each class, int64 `(classes,)`.

        Args:
            sent: uint8 `(steps, B, n)`, not 0 where there is an event.
            first, last: Its rows that are in the window.
            sums: int64 `(B, steps of the input, columns)`; a step is in the row of its number modulo theirs.
        """
        found, total = np.zeros((2, adds.pointers.size - 1), np.int64)
        words, plane, lines = _room(sent.shape[2], pieces)
        if sources == "":
            return total
        for step in range(first, last):
            for b in range(sent.shape[1]):
                found[:] = 0
                spikes = sent[step, b]
                if len(pieces.bands):
                    _count_runs(spikes, spikes, 1, pieces, plane, lines, found)
                else:
                    _count_bits(spikes, pieces, words, found)
                row = sums[b, step % sums.shape[1]]
                for k in range(found.size):
                    if found[k]:
                        total[k] += found[k]
                        for at in range(adds.pointers[k], adds.pointers[k + 1]):
                            row[adds.columns[at]] += found[k] * adds.values[at]
        return total

    @kept(nogil=True)
    def add_active(reached, own, first, pieces, everyone, sums):  # type: ignore[no-untyped-def]
        """Adds the active neurons of each class to the columns.

        Args:
            reached: `Reached`.
            own: uint8 `(steps, B, n)`: what the group sent.
            first: The row of it that the window starts with.
            everyone: The neurons of each class, `(classes,)`.
            sums: int64 `(B, steps of the input, classes)`.
        """
        words, plane, lines = _room(own.shape[2], pieces)
        active = np.empty(own.shape[2], np.uint8)
        if sources == "":
            return
        for i in range(len(reached.marks)):
            for b in range(reached.marks.shape[1]):
                row = sums[reached.sample + b, (first + i) % sums.shape[1]]
                if reached.full[i, b]:
                    for k in range(everyone.size):
                        row[k] += everyone[k]
                    continue
                spikes, marks = own[first + i, reached.sample + b], reached.marks[i, b]
                if len(pieces.bands):
                    _count_runs(spikes, marks, reached.alike, pieces, plane, lines, row)
                else:
                    _join(marks, spikes, reached.size, reached.alike, active)
                    _count_bits(active, pieces, words, row)

    return add_events, add_active


add_events, add_active = _compile(
    "".join(sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in (events, vectors))
)
