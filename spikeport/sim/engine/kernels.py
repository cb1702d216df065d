"""The inner loops, compiled by numba: what one event without payload adds.

Unsigned indices (a signed one may count from the end) and explicit narrow types: only so does the compiler use its
vector units.
"""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col


@njit
def add_one(a, to, n, weight, start):  # type: ignore[no-untyped-def]
    """a[to + i] += weight[start + i] for i < n."""
    t, w = np.uint64(to), np.uint64(start)
    for i in range(np.uint64(n)):
        a[t + i] += weight[w + i]


@njit
def add_two(a, to, n, weight, starts, k, shift):  # type: ignore[no-untyped-def]
    """Two runs of bytes at once, from `starts[k] + shift` on: `a` is read and written once for both."""
    t, w0, w1 = np.uint64(to), np.uint64(starts[k] + shift), np.uint64(starts[k + 1] + shift)
    for i in range(np.uint64(n)):
        a[t + i] += np.int32(np.int16(np.int16(weight[w0 + i]) + weight[w1 + i]))


@njit
def add_four(a, to, n, weight, starts, k, shift):  # type: ignore[no-untyped-def]
    """Four runs of bytes at once; four bytes add up within int16."""
    t = np.uint64(to)
    w0, w1 = np.uint64(starts[k] + shift), np.uint64(starts[k + 1] + shift)
    w2, w3 = np.uint64(starts[k + 2] + shift), np.uint64(starts[k + 3] + shift)
    for i in range(np.uint64(n)):
        low = np.int16(np.int16(weight[w0 + i]) + weight[w1 + i])
        high = np.int16(np.int16(weight[w2 + i]) + weight[w3 + i])
        a[t + i] += np.int32(np.int16(low + high))


@njit
def add_listed(buffer, row, step, weight, pointers, targets, delays, events, first_event, m):  # type: ignore[no-untyped-def]
    """Adds the listed synapses of m events into the slots of their delays. Gives the number of synapses."""
    n, slots, base = row[col.SLOT], row[col.SLOTS], row[col.BUFFER]
    shift = row[col.WEIGHT] - pointers[row[col.POINTER]]
    total = 0
    for e in range(first_event, first_event + m):
        low, high = pointers[row[col.POINTER] + events[e]], pointers[row[col.POINTER] + events[e] + 1]
        total += high - low
        for k in range(low, high):
            slot = (step + 1 + delays[k]) % slots
            buffer[base + slot * n + targets[k]] += weight[shift + k]
    return total


@njit
def add_conv(buffer, at, row, weight, pointers, runs, events, first_event, m, starts):  # type: ignore[no-untyped-def]
    """Adds the kernels of m events to the slot that begins at `at`. Gives the number of synapses.

    Slot and events are channel last, so the events of one place follow each other and add to the same runs;
    `pointers` and `runs` say which (`Layout.runs`). `starts` is room for the events of one place.
    """
    channels, per_group, per_channel = (
        np.uint32(row[col.C_IN]),
        np.uint32(row[col.C_IN] // row[col.GROUPS]),
        row[col.STRIDE],
    )
    total = 0
    k, end = first_event, first_event + m
    while k < end:
        place = np.int64(np.uint32(events[k]) // channels)
        first_channel = place * np.int64(channels)
        group = 0 if per_group == channels else (events[k] - first_channel) // per_group
        after = first_channel + (group + 1) * np.int64(per_group)
        count = 0
        while k < end and events[k] < after:
            starts[count] = row[col.WEIGHT] + (events[k] - first_channel) * per_channel
            count += 1
            k += 1
        total += count * _add_place(
            buffer, at + group * row[col.C_OUT_G], weight, runs, pointers[row[col.POINTER] + place],
            pointers[row[col.POINTER] + place + 1], starts, count,
        )  # fmt: skip
    return total


@njit
def _add_place(buffer, at, weight, runs, first, last, starts, count):  # type: ignore[no-untyped-def]
    """Every run of one place, for all its events. Gives the synapses of one event."""
    k = 0
    if weight.itemsize == 1:
        while k + 4 <= count:
            for r in range(first, last):
                add_four(buffer, at + runs[r, 0], runs[r, 2], weight, starts, k, runs[r, 1])
            k += 4
        if k + 2 <= count:
            for r in range(first, last):
                add_two(buffer, at + runs[r, 0], runs[r, 2], weight, starts, k, runs[r, 1])
            k += 2
    while k < count:
        for r in range(first, last):
            add_one(buffer, at + runs[r, 0], runs[r, 2], weight, starts[k] + runs[r, 1])
        k += 1
    synapses = 0
    for r in range(first, last):
        synapses += runs[r, 2]
    return synapses
