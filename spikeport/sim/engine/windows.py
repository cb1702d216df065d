"""A convolution from its targets' side: each place of the target adds up the events in its window, once.

Events are listed in the order of places, channel last, so those in one line of a window follow each other, and their
weights are rows of one matrix. It costs a look at every window, so it pays where there are many events
(`deliver.py` decides, step by step); `kernels.add_conv` walks the few.
"""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.rows import add_rows, append

GROUP = 4  # rows are added so many at a time, so that how many there are is easier to guess for the processor


@njit
def add_windows(buffer, at, row, weight, events, first, m, edges, rows):  # type: ignore[no-untyped-def]
    """Adds the kernels of m events to the slot that begins at `at`. Gives the number of synapses.

    Args:
        edges: Room for one entry per place of the source, and one more.
        rows: Room for one entry per weight of a target's kernel, `AHEAD` and `GROUP` more.
    """
    channels, width = row[col.C_IN], row[col.W_IN]
    find_edges(edges, row[col.H_IN] * width, channels, events, first, first + m)
    line = row[col.K_W] * channels
    nothing = row[col.K_H] * line  # a row of zeros follows the last
    total = 0
    for y in range(row[col.H_OUT]):
        top = y * row[col.S_H] - row[col.P_H]
        for x in range(row[col.W_OUT]):
            left = x * row[col.S_W] - row[col.P_W]
            low, high = min(max(left, 0), width), min(max(left + row[col.K_W], 0), width)
            count = 0
            for k in range(row[col.K_H]):
                source = top + k * row[col.D_H]
                if source >= 0 and source < row[col.H_IN]:
                    begin, end = edges[source * width + low], edges[source * width + high]
                    count = append(rows, count, events, begin, end, k * line - (source * width + left) * channels)
            if count:
                total += count
                for k in range(GROUP):
                    rows[count + k] = nothing
                to = at + (y * row[col.W_OUT] + x) * row[col.C_OUT_G]
                last = (count + GROUP - 1) // GROUP * GROUP
                add_rows(buffer, to, row[col.ROW], weight, row[col.GATHER], rows, 0, last)
    return total * row[col.C_OUT_G]


@njit
def find_edges(edges, places, channels, events, first, last):  # type: ignore[no-untyped-def]
    """edges[p]: the first event at place p or beyond; edges[places] is `last`.

    Each event says where its place ends, unless a later one knows better. No branch depends on an event; nor does a
    division: (event + 1/2) / channels is at least 1 / (2 channels) away from the next integer, so floats are exact.
    """
    edges[: places + 1] = first
    per_channel = 1.0 / channels
    for k in range(first, last):
        edges[np.int64((events[k] + 0.5) * per_channel) + 1] = k + 1
    for p in range(1, places + 1):
        edges[p] = max(edges[p], edges[p - 1])
