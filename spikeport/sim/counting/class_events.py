"""One pass over what a node sent: events by class of neurons, and what one event of each class adds to the columns of
a table.

Whether 64 neurons sent is one word. So events of a class are bits under a mask, and no event is looked at by itself.
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


class Classes(NamedTuple):
    """The class of each neuron of a node: which bits of which word are of one class, piece by piece."""

    word: NDArray[np.int32]
    mask: NDArray[np.uint64]
    of: NDArray[np.int32]
    """The class."""


class Adds(NamedTuple):
    """A sparse matrix: what one event of each class adds."""

    pointers: Ints
    """`(classes + 1,)`."""
    columns: NDArray[np.int32]
    values: Ints


def classes(label: Ints) -> Classes:
    """Of neurons with these classes, `(n,)`."""
    neuron = np.argsort(label + np.arange(label.size) // 64 * (label.max() + 1), kind="stable")
    word, of = neuron // 64, label[neuron]
    first = np.flatnonzero(np.append(True, (word[1:] != word[:-1]) | (of[1:] != of[:-1])))
    bit = np.left_shift(np.uint64(1), (neuron % 64).astype(np.uint64))
    return Classes(word[first].astype(np.int32), np.bitwise_or.reduceat(bit, first), of[first].astype(np.int32))


def _compile(sources: str) -> tuple[Any, Any]:
    """numba forgets a kept function when its own file changes, but not when what it calls does; see `engine.loop`."""

    @njit(nogil=True, cache=True)
    def add_events(sent, first, last, classes, adds, sums):  # type: ignore[no-untyped-def]
        """Adds what the events of a window cause; gives the events of each class, int64 `(classes,)`.

        Args:
            sent: uint8 `(steps, B, n)`, not 0 where there is an event.
            first, last: Its rows that are in the window.
            sums: int64 `(B, steps of the input, columns)`; a step is in the row of its number modulo theirs.
        """
        found, total = np.zeros((2, adds.pointers.size - 1), np.int64)
        words = np.empty(sent.shape[2] // 64 + 1, np.uint64)
        if sources == "":
            return total
        for step in range(first, last):
            for b in range(sent.shape[1]):
                found[:], words[:] = 0, 0
                add_bits(sent[step, b], words)
                for k in range(classes.of.size):
                    found[classes.of[k]] += count_bits(words[classes.word[k]] & classes.mask[k])
                row = sums[b, step % sums.shape[1]]
                for k in range(found.size):
                    if found[k]:
                        total[k] += found[k]
                        for at in range(adds.pointers[k], adds.pointers[k + 1]):
                            row[adds.columns[at]] += found[k] * adds.values[at]
        return total

    @njit(nogil=True, cache=True)
    def add_active(reached, full, own, sample, first, classes, everyone, sums):  # type: ignore[no-untyped-def]
        """Adds the active neurons of each class to the columns; `reach` says what the first two are.

        Args:
            own: uint8 `(steps, B, n)`: what the group sent.
            sample, first: The first sample and the first row of it in `reached`.
            everyone: The neurons of each class, `(classes,)`.
            sums: int64 `(B, steps of the input, classes)`.
        """
        words = np.empty(own.shape[2] // 64 + 1, np.uint64)
        if sources == "":
            return
        for i in range(len(reached)):
            for b in range(reached.shape[1]):
                row = sums[sample + b, (first + i) % sums.shape[1]]
                if full[i, b]:
                    row += everyone
                    continue
                words[:] = 0
                add_bits(reached[i, b], words)
                add_bits(own[first + i, sample + b], words)
                for k in range(classes.of.size):
                    row[classes.of[k]] += count_bits(words[classes.word[k]] & classes.mask[k])

    return add_events, add_active


add_events, add_active = _compile(
    "".join(sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in (events, vectors))
)
