"""A convolution from its targets' side: each place of the target adds up the events in its window, once.

Events are listed in the order of places, channel last, so those in one line of a window follow each other, and their
weights are rows of one matrix. It costs a look at every window, so it pays where there are many events
(`loop.deliver` decides, step by step); `kernels.add_conv` walks the few.
"""

from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.rows import MOST, add_rows


@njit
def add_windows(buffer, at, row, weight, events, first, m, edges, spans):  # type: ignore[no-untyped-def]
    """Adds the kernels of m events to the slot that begins at `at`. Gives the number of synapses.

    Args:
        edges: Room for one entry per place of the source, and one more.
        spans: Room for one span per kernel row, and one more.
    """
    channels, width, n = row[col.C_IN], row[col.W_IN], row[col.ROW]
    find_edges(edges, row[col.H_IN] * width, channels, events, first, first + m)
    per_kernel_row = row[col.K_W] * channels
    rows = 0
    for y in range(row[col.H_OUT]):
        top = y * row[col.S_H] - row[col.P_H]
        for x in range(row[col.W_OUT]):
            left = x * row[col.S_W] - row[col.P_W]
            low, high = min(max(left, 0), width), min(max(left + row[col.K_W], 0), width)
            to = at + (y * row[col.W_OUT] + x) * row[col.C_OUT_G]
            count, room = 0, MOST
            for k in range(row[col.K_H]):
                line = top + k * row[col.D_H]
                if line < 0 or line >= row[col.H_IN]:
                    continue
                begin, end = edges[line * width + low], edges[line * width + high]
                rows += end - begin
                base = row[col.GATHER] + (k * per_kernel_row - (line * width + left) * channels) * n
                while end - begin > room:
                    spans[count, 0], spans[count, 1], spans[count, 2] = base, begin, begin + room
                    add_rows(buffer, to, n, weight, events, spans, count + 1)
                    begin += room
                    count, room = 0, MOST
                if begin < end:
                    spans[count, 0], spans[count, 1], spans[count, 2] = base, begin, end
                    room -= end - begin
                    count += 1
            if count:
                add_rows(buffer, to, n, weight, events, spans, count)
    return rows * row[col.C_OUT_G]


@njit
def find_edges(edges, places, channels, events, first, last):  # type: ignore[no-untyped-def]
    """edges[p]: the first event at place p or beyond; edges[places] is `last`."""
    place, bound = 0, 0
    for k in range(first, last):
        while events[k] >= bound:
            edges[place] = k
            place += 1
            bound += channels
    for p in range(place, places + 1):
        edges[p] = last
