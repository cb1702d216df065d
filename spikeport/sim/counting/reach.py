"""Which neurons the events of a connection reach, and how many a group has of them: compiled.

`reached` is uint8 `(W, block, n)`: window steps, some samples, neurons of the target, or of each few channels that are
reached together one. Where `full`, `(W, block)`, is set, all are, and `reached` says nothing. `sent` is uint8
`(steps, B, n)` of the source, the whole run. What arrives in window step i was sent in row `start - delay + i`, if
there is such a row.
Every function calls those of this file only, so that numba's kept copies are those of this file.
"""

import numpy as np
from numba import njit

from spikeport.compiled import kept

CHUNK = 128  # bytes that are looked at together; their number fits a byte


@kept(nogil=True)
def reach_all(full, sent, sample, start):  # type: ignore[no-untyped-def]
    """Any event reaches every neuron."""
    for i in range(max(0, -start), len(full)):
        for b in range(full.shape[1]):
            full[i, b] |= _any(sent[start + i, sample + b])


@kept(nogil=True)
def reach_listed(reached, full, sent, sample, start, delays, pointers, targets):  # type: ignore[no-untyped-def]
    """Walks the synapses of the events, until every neuron is reached.

    Args:
        delays: `(D,)`.
        pointers: `(D, n_source + 1)`: source j reaches `targets[pointers[d, j] : pointers[d, j + 1]]` with that delay.
    """
    n_source = sent.shape[2]
    for i in range(len(reached)):
        for b in range(reached.shape[1]):
            marks = reached[i, b]
            left = 0 if full[i, b] else np.count_nonzero(marks == 0)
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


@kept(nogil=True)
def reach_windows(reached, full, sent, sample, start, shapes, window):  # type: ignore[no-untyped-def]
    """A convolution: all channels of a group that look at a place with an event; first rows, then columns.

    Args:
        shapes: groups, channels of the source in each, its height and width, and of the target likewise.
        window: kernel, stride, padding and dilation, each in y and x.
    """
    groups, c_in, h_in, w_in, c_out, h_out, w_out = shapes
    (kernel_y, kernel_x), (stride_y, stride_x), (padding_y, padding_x), (dilation_y, dilation_x) = window
    plane, place = np.empty((h_in, w_in), np.uint8), np.empty((h_out, w_out), np.uint8)
    line = np.zeros(w_in + 2 * padding_x, np.uint8)  # a row with its padding
    inner, wide = line[padding_x : padding_x + w_in], np.empty((w_out - 1) * stride_x + 1, np.uint8)
    flat, seen = plane.reshape(-1), place.reshape(-1)
    n_in, n_out = flat.size, seen.size
    for i in range(max(0, -start), len(reached)):
        for b in range(reached.shape[1]):
            for g in range(groups):
                flat[:] = 0
                for c in range(g * c_in, (g + 1) * c_in):
                    _merge(flat, sent[start + i, sample + b, c * n_in : (c + 1) * n_in])
                if full[i, b] or not _any(flat):
                    continue
                for y in range(h_out):
                    inner[:], wide[:] = 0, 0
                    for k in range(kernel_y):
                        row = y * stride_y - padding_y + k * dilation_y
                        if 0 <= row < h_in:
                            _merge(inner, plane[row])
                    for k in range(kernel_x):
                        _merge(wide, line[k * dilation_x : k * dilation_x + wide.size])
                    place[y] = wide[::stride_x]
                for c in range(g * c_out, (g + 1) * c_out):
                    _merge(reached[i, b, c * n_out : (c + 1) * n_out], seen)


@kept(nogil=True)
def count_active(reached, own, first, found):  # type: ignore[no-untyped-def]
    """Adds to `found[i]` the neurons that were reached, or spiked themselves: in row `first + i` of `own`.

    Args:
        reached: `active.Reached`.
    """
    size = reached.size
    for i in range(len(reached.marks)):
        for b in range(reached.marks.shape[1]):
            marks, spikes = reached.marks[i, b], own[first + i, reached.sample + b]
            if reached.full[i, b]:
                found[i] += spikes.size
                continue
            for channel in range(spikes.size // size):
                start, shift = channel * size, (channel // reached.alike - channel) * size
                for low in range(start, start + size, CHUNK):
                    high = min(low + CHUNK, start + size)
                    found[i] += _count(marks[low + shift : high + shift], spikes[low:high])


@njit
def _any(spikes):  # type: ignore[no-untyped-def]
    for low in range(0, spikes.size, CHUNK):
        found = np.uint8(0)
        for spike in spikes[low : low + CHUNK]:
            found = np.uint8(found | spike)
        if found:
            return True
    return False


@njit
def _count(marks, spikes):  # type: ignore[no-untyped-def]
    """How many of at most 255 bytes are not 0 in one or the other."""
    found = np.uint8(0)
    for j in range(marks.size):
        found = np.uint8(found + np.uint8((marks[j] | spikes[j]) != 0))
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
