"""What was sent, summed over samples and over synapses: one compiled pass over the bytes.

Every function here stands by itself, so that numba's kept copies are those of this file.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeport.fixed import Ints


def as_bytes(sent: NDArray[Any]) -> NDArray[np.uint8]:
    """1, or whatever was there, where there is an event, and 0 elsewhere; contiguous; a copy only if need be."""
    events = sent if sent.dtype.itemsize == 1 else sent != 0
    return np.ascontiguousarray(events).view(np.uint8)


@njit(nogil=True, cache=True)
def tally(sent, first, last, reached):  # type: ignore[no-untyped-def]
    """Events and synaptic operations of each step, and events of each neuron.

    Args:
        sent: `(steps, B, n)` uint8.
        first, last: The rows that are counted.
        reached: `(K, n)` int32, the fan-outs of K connections.

    Returns:
        int64 `(last - first, 1 + K)`: events, then the operations of each connection; and int64 `(n,)`.
    """
    _, batch, n = sent.shape
    per_step = np.zeros((last - first, 1 + len(reached)), np.int64)
    in_all, fired = np.zeros(n, np.int64), np.empty(n, np.int32)
    for row in range(first, last):
        fired[:] = 0
        for b in range(batch):
            spikes = sent[row, b]
            for j in range(n):
                fired[j] += spikes[j] != 0
        events = np.int64(0)
        for j in range(n):
            events += fired[j]
            in_all[j] += fired[j]
        per_step[row - first, 0] = events
        for k in range(len(reached)):
            fan, sops = reached[k], np.int64(0)
            for j in range(n):
                sops += np.int64(fired[j]) * np.int64(fan[j])
            per_step[row - first, 1 + k] = sops
    return per_step, in_all


@njit(nogil=True, cache=True)
def magnitude_bits(sent, first, last):  # type: ignore[no-untyped-def]
    """Sum of the bit lengths of |payload|, of rows `first` to `last - 1` of `(steps, B, n)`."""
    total = np.int64(0)
    for row in range(first, last):
        for b in range(sent.shape[1]):
            for payload in sent[row, b]:
                if payload != 0:
                    total += math.frexp(abs(float(payload)))[1]
    return total


@njit(nogil=True, cache=True)
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
