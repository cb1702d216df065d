"""Which neurons the events of a connection reach, and how many a group has of them: compiled.

`reached` is uint8 `(W, block, n)`: window steps, some samples, neurons of the target. `sent` is uint8 `(steps, B, n)`
of the source, the whole run. What arrives in window step i was sent in row `start - delay + i`, if there is such a row.
Every function calls those of this file only, so that numba's kept copies are those of this file.
"""

import numpy as np
from numba import njit

CHUNK = 64  # bytes that are looked at together


@njit(nogil=True, cache=True)
def reach_all(reached, sent, sample, start):  # type: ignore[no-untyped-def]
    """Any event reaches every neuron."""
    for i in range(max(0, -start), len(reached)):
        for b in range(reached.shape[1]):
            if _any(sent[start + i, sample + b]):
                reached[i, b] = 1


@njit(nogil=True, cache=True)
def reach_listed(reached, sent, sample, start, delays, pointers, targets):  # type: ignore[no-untyped-def]
    """Walks the synapses of the events, until every neuron is reached.

    Args:
        delays: `(D,)`.
        pointers: `(D, n_source + 1)`: source j reaches `targets[pointers[d, j] : pointers[d, j + 1]]` with that delay.
    """
    n_source = sent.shape[2]
    for i in range(len(reached)):
        for b in range(reached.shape[1]):
            marks = reached[i, b]
            left = marks.size - _count(marks)
            for d in range(len(delays)):
                row = start - delays[d] + i
                if row < 0 or left == 0:
                    continue
                spikes, at = sent[row, sample + b], pointers[d]
                for low in range(0, n_source, CHUNK):
                    high = min(low + CHUNK, n_source)
                    if left and _any(spikes[low:high]):
                        for j in range(low, high):
                            if spikes[j]:
                                left -= _mark(marks, targets[at[j] : at[j + 1]])


@njit(nogil=True, cache=True)
def reach_windows(reached, sent, sample, start, shapes, taps_y, taps_x):  # type: ignore[no-untyped-def]
    """A convolution: all channels of a group that look at a place with an event; first columns, then rows.

    Args:
        shapes: groups, channels of the source in each, its height and width, and of the target likewise.
        taps_y, taps_x: `(kernel, 4)`, `Taps`.
    """
    groups, c_in, h_in, w_in, c_out, h_out, w_out = shapes
    plane, line = np.empty((h_in, w_in), np.uint8), np.empty((h_in, w_out), np.uint8)
    place = np.empty((h_out, w_out), np.uint8)
    flat, seen = plane.reshape(-1), place.reshape(-1)
    n_in, n_out = flat.size, seen.size
    for i in range(max(0, -start), len(reached)):
        for b in range(reached.shape[1]):
            for g in range(groups):
                flat[:] = 0
                for c in range(g * c_in, (g + 1) * c_in):
                    _merge(flat, sent[start + i, sample + b, c * n_in : (c + 1) * n_in])
                if not _any(flat):
                    continue
                line[:] = 0
                for y in range(h_in):
                    _slide(line[y], plane[y], taps_x)
                place[:] = 0
                for k in range(len(taps_y)):
                    first, last, stride, offset = taps_y[k]
                    for y in range(first, last):
                        _merge(place[y], line[y * stride + offset])
                for c in range(g * c_out, (g + 1) * c_out):
                    _merge(reached[i, b, c * n_out : (c + 1) * n_out], seen)


@njit(nogil=True, cache=True)
def count_active(reached, sent, sample, first, found):  # type: ignore[no-untyped-def]
    """Adds to `found[i]` the neurons that were reached, or spiked themselves: in row `first + i` of `sent`."""
    for i in range(len(reached)):
        for b in range(reached.shape[1]):
            marks, spikes, active = reached[i, b], sent[first + i, sample + b], np.int64(0)
            for j in range(marks.size):
                active += (marks[j] | spikes[j]) != 0
            found[i] += active


@njit
def _any(spikes):  # type: ignore[no-untyped-def]
    for low in range(0, spikes.size, CHUNK):
        found = np.uint8(0)
        for j in range(low, min(low + CHUNK, spikes.size)):
            found |= spikes[j]
        if found:
            return True
    return False


@njit
def _count(marks):  # type: ignore[no-untyped-def]
    found = np.int64(0)
    for j in range(marks.size):
        found += marks[j] != 0
    return found


@njit
def _mark(marks, targets):  # type: ignore[no-untyped-def]
    """Gives how many were not marked before."""
    new = np.int64(0)
    for i in targets:
        new += marks[i] == 0
        marks[i] = 1
    return new


@njit
def _merge(into, marks):  # type: ignore[no-untyped-def]
    for j in range(into.size):
        into[j] |= np.uint8(marks[j] != 0)


@njit
def _slide(line, source, taps):  # type: ignore[no-untyped-def]
    for k in range(len(taps)):
        first, last, stride, offset = taps[k]
        for x in range(first, last):
            line[x] |= source[x * stride + offset]
