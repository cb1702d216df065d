"""The compiled run: steps of one sample in a loop, samples in parallel."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.kernels import add_conv, add_listed, add_runs, list_events, step_lif, step_lif_wide

WORD = 1 << 23
SOURCES = ("columns.py", "kernels.py", "loop.py")


@njit
def gather(a, group, connections, buffer, t):  # type: ignore[no-untyped-def]
    """What a group receives at step t, into `a`; the slots that it came from are cleared."""
    a[:] = 0
    for k in range(group[col.FIRST_IN], group[col.LAST_IN]):
        row = connections[k]
        start = row[col.BUFFER] + t % row[col.SLOTS] * row[col.N_TARGET]
        slot = buffer[start : start + row[col.N_TARGET]]
        if row[col.KIND] == col.CONV:
            _take_conv(a, slot, np.int32(row[col.EXP]))
        else:
            _take(a, slot, np.int32(max(0, row[col.EXP])), np.int32(max(0, -row[col.EXP])))


@njit
def _take(a, slot, up, down):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        a[i] += np.int32(np.int32(slot[i] << up) >> down)
        slot[i] = 0


@njit
def _take_conv(a, slot, up):  # type: ignore[no-untyped-def]
    """A convolution's sum wraps at 24 bits (`fixed.wrap_conv`)."""
    for i in range(a.size):
        a[i] += np.int32(np.int32(np.int32(np.int32(slot[i] << up) + WORD) & np.int32(2 * WORD - 1)) - WORD)
        slot[i] = 0


@njit
def leaves_word(slot, up):  # type: ignore[no-untyped-def]
    """Whether `_take_conv` would change a sum."""
    left = np.int32(0)
    for i in range(slot.size):
        x = np.int64(slot[i]) << up
        left |= np.int32((x >= WORD) | (x < -WORD))
    return left != 0


@njit
def deliver(row, buffer, t, weights, events, first, m, starts):  # type: ignore[no-untyped-def]
    """Adds m events of a source at step t to where they arrive. Gives the synaptic operations.

    `starts` is room for one weight index per event.
    """
    bytes_, words, pointers, targets, delays, runs = weights
    if row[col.KIND] == col.LISTED:
        if row[col.WIDE]:
            return add_listed(buffer, row, t, words, pointers, targets, delays, events, first, m)
        return add_listed(buffer, row, t, bytes_, pointers, targets, delays, events, first, m)
    n = row[col.N_TARGET]
    at = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * n
    if row[col.KIND] == col.DENSE:
        for k in range(m):
            starts[k] = row[col.WEIGHT] + np.int64(events[first + k]) * n
        if row[col.WIDE]:
            add_runs(buffer, at, n, words, starts, m)
        else:
            add_runs(buffer, at, n, bytes_, starts, m)
        return m * n
    if row[col.WIDE]:
        return add_conv(buffer, at, row, words, pointers, runs, events, first, m, starts)
    return add_conv(buffer, at, row, bytes_, pointers, runs, events, first, m, starts)


@njit
def run_sample(lay, steps, t_before, strict, x, coded, coded_at, state, kept_spikes, kept_states, sops):  # type: ignore[no-untyped-def]
    """Steps t_before + 1 ... t_before + steps of one sample; everything is updated in place.

    Args:
        lay: Tables of `Layout`.
        x: `(T, sum of inputs)` bytes, channel last; the k-th step of this call takes entry k, and zeros after T.
        coded, coded_at: Biases that the host loads, `(T or 1, neurons)`, and each group's offset in them or -1.
        state: u, v, delivery buffer.
        kept_spikes, kept_states: `(array, offset per node or -1)`.

    Returns:
        The step and the row at which a value left its word under `strict`, or zeros. Groups count from 0,
        connections from the number of groups.
    """
    groups, connections, weights, bias, node_offset, n_inputs = lay
    u, v, buffer = state
    spikes_out, spikes_at = kept_spikes
    u_out, v_out, states_at = kept_states
    widest = 0
    for g in range(len(groups)):
        widest = max(widest, groups[g, col.N])
    a, fired = np.zeros(widest, np.int32), np.zeros(widest, np.uint8)
    events = np.zeros(node_offset[-1], np.int32)
    count = np.zeros(len(node_offset) - 1, np.int64)
    starts = np.zeros(np.max(np.diff(node_offset)), np.int64)
    wild = np.zeros(len(groups), np.bool_)
    for g in range(len(groups)):
        low = groups[g, col.OFFSET]
        wild[g] = leaves_word(u[low : low + groups[g, col.N]], np.int64(0))
    for step in range(steps):
        t = t_before + step + 1
        for node in range(n_inputs):
            low, high = node_offset[node], node_offset[node + 1]
            count[node] = list_events(x[step, low:high], events[low:high]) if step < len(x) else 0
        for g in range(len(groups)):
            group = groups[g]
            n, low = group[col.N], group[col.OFFSET]
            ug, vg, ag, sg = u[low : low + n], v[low : low + n], a[:n], fired[:n]
            if group[col.INTERVAL] > 0 and t % group[col.INTERVAL] == group[col.RESET_AT]:
                ug[:] = 0
                vg[:] = 0
                wild[g] = False
            gather(ag, group, connections, buffer, t)
            if coded_at[g] >= 0:
                bg = coded[min(step, len(coded) - 1), coded_at[g] : coded_at[g] + n]
            else:
                bg = bias[low : low + n]
            if wild[g]:
                left = step_lif_wide(ug, vg, ag, bg, sg, group[col.KEEP_U], group[col.KEEP_V], group[col.VTH])
            else:
                left = step_lif(ug, vg, ag, bg, sg, group[col.KEEP_U], group[col.KEEP_V], group[col.VTH])
            if left:
                if strict:
                    return t, g
                wild[g] = True
            node = group[col.NODE]
            first = node_offset[node]
            count[node] = list_events(sg, events[first : first + n])
            if spikes_at[node] >= 0:
                spikes_out[step, spikes_at[node] : spikes_at[node] + n] = sg
            if states_at[node] >= 0:
                u_out[step, states_at[node] : states_at[node] + n] = ug
                v_out[step, states_at[node] : states_at[node] + n] = vg
        for k in range(len(connections)):
            row = connections[k]
            first = node_offset[row[col.SOURCE]]
            if count[row[col.SOURCE]]:
                sops[k] += deliver(row, buffer, t, weights, events, first, count[row[col.SOURCE]], starts)
                if strict and row[col.KIND] == col.CONV:
                    start = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * row[col.N_TARGET]
                    if leaves_word(buffer[start : start + row[col.N_TARGET]], row[col.EXP]):
                        return t, len(groups) + k
    return 0, 0


def _compile(sources: str):  # type: ignore[no-untyped-def]
    """`run_span`, kept on disk.

    numba forgets a kept function when its own file changes, but not when what it calls does;
    the digest of all sources, as a variable of the closure, is a part of its key.
    """

    @njit(nogil=True, cache=True)
    def run_span(first, last, lay, steps, t_before, strict, x, coded, coded_at, state, spikes, states, sops, failed):  # type: ignore[no-untyped-def]
        """`run_sample` for samples first ... last - 1; every array has the batch as its first axis."""
        if sources == "":
            return
        u, v, buffer = state
        spikes_out, spikes_at = spikes
        u_out, v_out, states_at = states
        for b in range(first, last):
            failed[b] = run_sample(
                lay, steps, t_before, strict, x[b], coded[b], coded_at, (u[b], v[b], buffer[b]),
                (spikes_out[b], spikes_at), (u_out[b], v_out[b], states_at), sops[b],
            )  # fmt: skip

    return run_span


run_span = _compile("".join(sha256(Path(__file__).with_name(f).read_bytes()).hexdigest() for f in SOURCES))
