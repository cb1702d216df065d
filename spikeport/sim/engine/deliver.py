"""What a source's events of one step add to where they arrive: picks the kernel."""

from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.kernels import add_conv, add_listed, add_one
from spikeport.sim.engine.rows import add_rows
from spikeport.sim.engine.windows import add_windows

PER_WINDOW = 3  # a convolution walks its windows where it has at least a third as many events


@njit(forceinline=True)
def deliver(row, buffer, t, weights, events, first, m, room):  # type: ignore[no-untyped-def]
    """Adds m events of a source at step t to the connection's slots. Gives the synaptic operations.

    Args:
        row: The connection's, of 32 bits.
        events: The source's stand from `first` on.
        room: `room.for_delivery`.
    """
    bytes_, words, pointers, targets, delays, runs = weights
    starts, edges, rows = room
    if row[col.KIND] == col.LISTED:
        if row[col.WIDE]:
            return add_listed(buffer, row, t, words, pointers, targets, delays, events, first, m)
        return add_listed(buffer, row, t, bytes_, pointers, targets, delays, events, first, m)
    n = row[col.SLOT]
    at = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * n
    if row[col.KIND] == col.DENSE:
        if row[col.WIDE]:
            for k in range(first, first + m):
                add_one(buffer, at, n, words, row[col.WEIGHT] + events[k] * n)
        else:
            add_rows(buffer, at, n, bytes_, row[col.WEIGHT], events, first, first + m)
        return m * row[col.N_TARGET]
    if row[col.WIDE]:
        return add_conv(buffer, at, row, words, pointers, runs, events, first, m, starts)
    if row[col.GATHER] >= 0 and m * PER_WINDOW >= row[col.H_OUT] * row[col.W_OUT]:
        return add_windows(buffer, at, row, bytes_, events, first, m, edges, rows)
    return add_conv(buffer, at, row, bytes_, pointers, runs, events, first, m, starts)
