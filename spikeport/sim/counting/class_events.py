"""One pass over what a node sent: events by step, sample and class."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.sim.engine import events, vectors
from spikeport.sim.engine.events import SPARE, list_events


def event_bytes(sent: NDArray[Any]) -> NDArray[np.uint8]:
    """Not 0 where there is an event, with the neurons of a step next to each other; a copy only if need be."""
    marks = (sent if sent.dtype.itemsize == 1 else sent != 0).view(np.uint8)
    return marks if marks.strides[-1] == 1 or marks.shape[-1] == 1 else np.ascontiguousarray(marks)


def count_events(sent: NDArray[np.uint8], label: NDArray[np.int32], classes: int) -> Ints:
    """How many values of each class are not 0, int64 `(steps * samples, classes)`; the samples of a step are together.

    Args:
        sent: `(steps, samples, n)`, as `event_bytes` gives it.
        label: The class of each neuron, `(n,)`.
    """
    counts = np.zeros((*sent.shape[:2], classes), np.int64)
    _count(sent, label, counts, np.empty(sent.shape[2] + SPARE, np.int32))
    return counts.reshape(-1, classes)


def _compile(sources: str) -> Any:
    """numba forgets a kept function when its own file changes, but not when what it calls does; see `engine.loop`."""

    @njit(cache=True)
    def count(sent, label, counts, found):  # type: ignore[no-untyped-def]
        if sources == "":
            return
        for t in range(sent.shape[0]):
            for b in range(sent.shape[1]):
                row = counts[t, b]
                for k in range(list_events(sent[t, b], found, 0)):
                    row[label[found[k]]] += 1

    return count


_count = _compile("".join(sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in (events, vectors)))
