"""One pass over what a node sent: events by class of neurons, and what one event of each class adds to the columns of
a table. `pieces` says how they are found.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.sim.engine import events, vectors
from spikeport.sim.engine.events import add_bits, count_bits


class Adds(NamedTuple):
    """A sparse matrix: what one event of each class adds."""

    pointers: Ints
    """`(classes + 1,)`."""
    columns: NDArray[np.int32]
    values: Ints


@njit
def _room(n, pieces):  # type: ignore[no-untyped-def]
    """Words of bits, or a channel of an image and sums of its rows."""
    plane = np.empty(pieces.row.shape[1] * pieces.sums[1], np.uint8)
    return np.empty(n // 64 + 1, np.uint64), plane, np.empty(pieces.sums, np.int32)


@njit
def _sum_bits(words, pieces, found):  # type: ignore[no-untyped-def]
    for k in range(pieces.of.size):
        found[pieces.of[k]] += count_bits(words[pieces.word[k]] & pieces.mask[k])


@njit
def _sum_runs(marks, pieces, plane, lines, found):  # type: ignore[no-untyped-def]
    lines[:] = 0
    size, length = plane.size, lines.shape[1]
    for band in range(len(pieces.bands)):
        plane[:] = 0
        for channel in range(pieces.bands[band, 0], pieces.bands[band, 1]):
            _add_marks(plane, marks[channel * size : (channel + 1) * size])
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
def _add_marks(sums, marks):  # type: ignore[no-untyped-def]
    for j in range(sums.size):
        sums[j] = np.uint8(sums[j] + np.uint8(marks[j] != 0))


@njit
def _add_bytes(sums, parts):  # type: ignore[no-untyped-def]
    for j in range(sums.size):
        sums[j] += np.int32(parts[j])


def _compile(sources: str) -> tuple[Any, Any]:
    """numba forgets a kept function when its own file changes, but not when what it calls does; see `engine.loop`."""

    @njit(nogil=True, cache=True)
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
                marks = sent[step, b]
                if len(pieces.bands):
                    _sum_runs(marks, pieces, plane, lines, found)
                else:
                    words[:] = 0
                    add_bits(marks, words)
                    _sum_bits(words, pieces, found)
                row = sums[b, step % sums.shape[1]]
                for k in range(found.size):
                    if found[k]:
                        total[k] += found[k]
                        for at in range(adds.pointers[k], adds.pointers[k + 1]):
                            row[adds.columns[at]] += found[k] * adds.values[at]
        return total

    @njit(nogil=True, cache=True)
    def add_active(reached, full, own, sample, first, pieces, everyone, sums):  # type: ignore[no-untyped-def]
        """Adds the active neurons of each class to the columns; `reach` says what the first two are.

        Args:
            own: uint8 `(steps, B, n)`: what the group sent.
            sample, first: The first sample and the first row of it in `reached`.
            everyone: The neurons of each class, `(classes,)`.
            sums: int64 `(B, steps of the input, classes)`.
        """
        words, plane, lines = _room(own.shape[2], pieces)
        if sources == "":
            return
        for i in range(len(reached)):
            for b in range(reached.shape[1]):
                row = sums[sample + b, (first + i) % sums.shape[1]]
                if full[i, b]:
                    row += everyone
                    continue
                marks, spikes = reached[i, b], own[first + i, sample + b]
                if len(pieces.bands):
                    for j in range(marks.size):
                        marks[j] |= spikes[j]
                    _sum_runs(marks, pieces, plane, lines, row)
                else:
                    words[:] = 0
                    add_bits(marks, words)
                    add_bits(spikes, words)
                    _sum_bits(words, pieces, row)

    return add_events, add_active


add_events, add_active = _compile(
    "".join(sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in (events, vectors))
)
