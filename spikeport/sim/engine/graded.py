"""Connections whose sums need 64 bits: payloads, or more spikes than 32 bits can add up.

Each sending step has a slot of its own in such a buffer, so that its sum can be put into its word by itself
(`reference.deliver`).
"""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.words import INT32, as_int32, shifted

WORD = np.int64(1 << 23)


@njit
def deliver_long(row, longs, t, strict, weights, events, first, m, payload, signed):  # type: ignore[no-untyped-def]
    """As `loop.deliver`; gives the synaptic operations, and whether a sum left its word.

    Args:
        payload: By neuron of every node, read where the source is `signed`.
    """
    bytes_, words, pointers, targets, delays, runs = weights
    signed = signed and row[col.GRADED] != 0
    if row[col.WIDE]:
        count = _add(row, longs, t, words, pointers, targets, delays, runs, events, first, m, payload, signed)
    else:
        count = _add(row, longs, t, bytes_, pointers, targets, delays, runs, events, first, m, payload, signed)
    start = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * row[col.SLOT]
    slot = longs[start : start + row[col.N_TARGET]]
    if row[col.KIND] == col.CONV:  # 32 bits under every profile, see `reference._conv_word`
        limit = WORD if strict else np.int64(INT32)
        return count, _leaves(slot, row[col.EXP], limit)
    return count, strict and row[col.GRADED] != 0 and _leaves(slot, np.int64(0), np.int64(INT32))


@njit
def _leaves(slot, up, limit):  # type: ignore[no-untyped-def]
    for i in range(slot.size):
        x = slot[i] << up
        if x >= limit or x < -limit:
            return True
    return False


@njit
def _add(row, longs, t, weight, pointers, targets, delays, runs, events, first, m, payload, signed):  # type: ignore[no-untyped-def]
    n, slots, base = row[col.SLOT], row[col.SLOTS], row[col.BUFFER]
    at = base + (t + 1 + row[col.DELAY]) % slots * n
    channels, pointer, product = row[col.C_IN], row[col.POINTER], row[col.WORD] == col.PRODUCT_WORD
    count = 0
    for k in range(first, first + m):
        e = np.int64(events[k])
        p = payload[first + e] if signed else np.int32(1)
        if row[col.KIND] == col.DENSE:
            add_times(longs, at, n, weight, row[col.WEIGHT] + e * n, p, product)
            count += row[col.N_TARGET]
        elif row[col.KIND] == col.LISTED:
            low, high = pointers[pointer + e], pointers[pointer + e + 1]
            shift = row[col.WEIGHT] - pointers[pointer]
            for j in range(low, high):
                x = np.int64(weight[shift + j]) * np.int64(p)
                to = base + (t + 1 + delays[j]) % slots * n + targets[j]
                longs[to] += as_int32(x) if product else x
            count += high - low
        else:
            place, channel = e // channels, e % channels
            to = at + channel // (channels // row[col.GROUPS]) * row[col.C_OUT_G]
            start = row[col.WEIGHT] + channel * row[col.STRIDE]
            for r in range(pointers[pointer + place], pointers[pointer + place + 1]):
                add_times(longs, to + runs[r, 0], runs[r, 2], weight, start + runs[r, 1], p, False)
                count += runs[r, 2]
    return count


@njit
def add_times(a, to, n, weight, start, p, product):  # type: ignore[no-untyped-def]
    """a[to + i] += weight[start + i] * p for i < n; each product in 32 bits if `product`."""
    i, w = np.uint64(to), np.uint64(start)
    if product:
        for k in range(np.uint64(n)):
            a[i + k] += as_int32(np.int64(weight[w + k]) * np.int64(p))
    else:
        for k in range(np.uint64(n)):
            a[i + k] += np.int64(weight[w + k]) * np.int64(p)


@njit
def gather_long(a, group, connections, buffer, longs, t, port):  # type: ignore[no-untyped-def]
    """What one port of a group receives at step t, into `a`; the slots that it came from are cleared."""
    a[:] = 0
    for k in range(group[col.FIRST_IN], group[col.LAST_IN]):
        row = connections[k]
        if row[col.PORT] != port:
            continue
        start = row[col.BUFFER] + t % row[col.SLOTS] * row[col.SLOT]
        wraps, word = row[col.KIND] == col.CONV, row[col.WORD] == col.SUM_WORD
        if row[col.LONG]:
            _take(a, longs[start : start + row[col.N_TARGET]], row[col.EXP], wraps, word)
        else:
            _take(a, buffer[start : start + row[col.N_TARGET]], row[col.EXP], wraps, word)


@njit
def _take(a, slot, exp, wraps, word):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        x = np.int64(slot[i])
        slot[i] = 0
        if word:
            x = as_int32(x)
        x = shifted(x, exp)
        a[i] += ((x + WORD) & (2 * WORD - 1)) - WORD if wraps else x
