"""What was sent, summed over samples and over synapses: one compiled pass over the bytes.

Every function here stands by itself, so that numba's kept copies are those of this file.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.compiled import kept
from spikeport.fixed import Ints

CHUNK = 2048  # neurons that are looked at together, over all steps
SAMPLES = 255  # that are added up in a byte


def as_bytes(sent: NDArray[Any]) -> NDArray[np.uint8]:
    """1, or whatever was there, where there is an event, and 0 elsewhere; contiguous; a copy only if need be."""
    events = sent if sent.dtype.itemsize == 1 else sent != 0
    return np.ascontiguousarray(events).view(np.uint8)


def tally(sent: NDArray[np.uint8], first: int, last: int, reached: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Events and synaptic operations of each step, and events of each neuron.

    Args:
        sent: `(steps, B, n)`, contiguous.
        first, last: The rows that are counted.
        reached: `(K, n)`, the fan-outs of K connections; int32 or int64.

    Returns:
        int64 `(last - first, 1 + K)`: events, then the operations of each connection; and int64 `(n,)`.
    """
    most = sent.shape[1] * max(CHUNK * int(reached.max(initial=1)), last - first)
    word = np.int32 if most < 1 << 31 else np.int64  # no sum over a chunk leaves it, nor one over all steps
    return _tally(sent, first, last, reached.astype(word, copy=False))


@kept(nogil=True)
def _tally(sent, first, last, reached):  # type: ignore[no-untyped-def]
    _, batch, n = sent.shape
    word = reached.dtype.type
    per_step = np.zeros((last - first, 1 + len(reached)), np.int64)
    in_all, room, bytes_ = np.empty(n, np.int64), np.empty(CHUNK, reached.dtype), np.empty(CHUNK, np.uint8)
    for low in range(0, n, CHUNK):
        high = min(low + CHUNK, n)
        so_far, fired = room[: high - low], bytes_[: high - low]
        so_far[:] = 0
        for row in range(first, last):
            for some in range(0, batch, SAMPLES):
                fired[:] = 0
                for b in range(some, min(some + SAMPLES, batch)):
                    spikes = sent[row, b, low:high]
                    for j in range(fired.size):
                        fired[j] = np.uint8(fired[j] + np.uint8(spikes[j] != 0))
                events = word(0)
                for j in range(fired.size):
                    events = word(events + fired[j])
                    so_far[j] += word(fired[j])
                per_step[row - first, 0] += events
                for k in range(len(reached)):
                    fan, sops = reached[k, low:high], word(0)
                    for j in range(fired.size):
                        sops = word(sops + word(fired[j]) * fan[j])
                    per_step[row - first, 1 + k] += sops
        in_all[low:high] = so_far
    return per_step, in_all


@kept(nogil=True)
def magnitude_bits(sent, first, last):  # type: ignore[no-untyped-def]
    """Sum of the bit lengths of |payload|, of rows `first` to `last - 1` of `(steps, B, n)`."""
    total = np.int64(0)
    for row in range(first, last):
        for b in range(sent.shape[1]):
            for payload in sent[row, b]:
                if payload != 0:
                    total += math.frexp(abs(float(payload)))[1]
    return total


@kept(nogil=True)
def _find_changes(x, changed):  # type: ignore[no-untyped-def]
    for b in range(x.shape[1]):
        for t in range(1, len(x)):
            start, now, differ = x[0, b], x[t, b], False
            for j in range(x.shape[2]):
                differ |= now[j] != start[j]
            if differ:
                changed[b] = True
                break


def changing(x: Ints) -> NDArray[np.bool_]:
    """`(B,)`: whether a sample of `(T, B, n)` has a step that differs from its first."""
    changed = np.zeros(x.shape[1], np.bool_)
    _find_changes(np.ascontiguousarray(x), changed)
    return changed
