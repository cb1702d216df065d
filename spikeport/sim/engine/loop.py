"""The compiled run: steps of one sample in a loop, samples in parallel."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.graded import deliver_long, gather_long
from spikeport.sim.engine.kernels import add_conv, add_listed, add_runs, list_events
from spikeport.sim.engine.lif import leaves_loihi1, step_lif, step_lif_any, step_lif_wide
from spikeport.sim.engine.resonator import step_resonator
from spikeport.sim.engine.sigma_delta import step_sigma_delta

WORD = 1 << 23
NARROW = 2  # a `strict` that minds a Loihi 1's words too
SOURCES = (
    "columns.py",
    "graded.py",
    "kernels.py",
    "lif.py",
    "loop.py",
    "resonator.py",
    "sigma_delta.py",
    "words.py",
)


@njit
def gather(a, group, connections, buffer, t):  # type: ignore[no-untyped-def]
    """What a group receives at step t, into `a`; the slots that it came from are cleared."""
    a[:] = 0
    for k in range(group[col.FIRST_IN], group[col.LAST_IN]):
        row = connections[k]
        start = row[col.BUFFER] + t % row[col.SLOTS] * row[col.SLOT]
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
    n = row[col.SLOT]
    at = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * n
    if row[col.KIND] == col.DENSE:
        for k in range(m):
            starts[k] = row[col.WEIGHT] + np.int64(events[first + k]) * n
        if row[col.WIDE]:
            add_runs(buffer, at, n, words, starts, m)
        else:
            add_runs(buffer, at, n, bytes_, starts, m)
        return m * row[col.N_TARGET]
    if row[col.WIDE]:
        return add_conv(buffer, at, row, words, pointers, runs, events, first, m, starts)
    return add_conv(buffer, at, row, bytes_, pointers, runs, events, first, m, starts)


@njit
def step_any(group, third, fourth, a, a_im, u, v, bias, spiked, payload):  # type: ignore[no-untyped-def]
    """One step of a group that is not `PLAIN`. Gives whether a value left its word."""
    if group[col.RULE] == col.LIF:
        return step_lif_any(u, v, third, a, bias, spiked, payload, group)
    if group[col.RULE] == col.SIGMA_DELTA:
        return step_sigma_delta(u, v, third, fourth, a, bias, spiked, payload, group)
    return step_resonator(u, v, a, a_im, spiked, group)


@njit
def run_sample(lay, steps, t_before, strict, x, graded, coded, coded_at, state, kept_sent, kept_states, sops):  # type: ignore[no-untyped-def]
    """Steps t_before + 1 ... t_before + steps of one sample; everything is updated in place.

    Args:
        lay: Tables of `Layout`.
        strict: Whether a value that leaves its word ends the run: 0, 1, or `NARROW`.
        x: `(T, sum of inputs)` bytes, channel last: where something is sent. The k-th step of this call takes
            entry k, and zeros after T.
        graded: `(payloads, offset per input or -1)`, payloads `(T, sum of graded inputs)`.
        coded, coded_at: Biases that the host loads, `(T or 1, neurons)`, and each group's offset in them or -1.
        state: First variable, second, all further ones, and the two delivery buffers.
        kept_sent: `(bytes, payloads, offset per node in one of them or -1)`.
        kept_states: `(first, second, further, offset per node in the first two or -1, the same in further)`.

    Returns:
        The step and the row at which a value left a word that it must not leave, or zeros. Groups count from 0,
        connections from the number of groups.
    """
    groups, connections, weights, bias, node_offset, n_inputs = lay
    u, v, more, buffer, longs = state
    payloads, graded_at = graded
    spikes_out, payloads_out, spikes_at = kept_sent
    u_out, v_out, more_out, states_at, more_at = kept_states
    widest, plain = 0, True
    for g in range(len(groups)):
        widest = max(widest, groups[g, col.N])
        plain &= groups[g, col.RULE] == col.PLAIN
    a, fired = np.zeros(widest, np.int32), np.zeros(widest, np.uint8)
    a_long, a_im = np.zeros(0 if plain else widest, np.int64), np.zeros(0 if plain else widest, np.int64)
    payload = np.zeros(node_offset[-1], np.int32)
    signed = np.zeros(len(node_offset) - 1, np.bool_)
    signed[:n_inputs] = graded_at >= 0
    events = np.zeros(node_offset[-1], np.int32)
    count = np.zeros(len(node_offset) - 1, np.int64)
    starts = np.zeros(np.max(np.diff(node_offset)), np.int64)
    wild = np.zeros(len(groups), np.bool_)
    for g in range(len(groups)):
        low = groups[g, col.OFFSET]
        wild[g] = leaves_word(u[low : low + groups[g, col.N]], np.int64(0))
        signed[groups[g, col.NODE]] = groups[g, col.SIGNED] != 0
    for step in range(steps):
        t = t_before + step + 1
        for node in range(n_inputs):
            low, high = node_offset[node], node_offset[node + 1]
            count[node] = list_events(x[step, low:high], events[low:high]) if step < len(x) else 0
            if signed[node] and count[node]:
                payload[low:high] = payloads[step, graded_at[node] : graded_at[node] + high - low]
        for g in range(len(groups)):
            group = groups[g]
            n, low, node = group[col.N], group[col.OFFSET], group[col.NODE]
            first = node_offset[node]
            ug, vg, ag, sg = u[low : low + n], v[low : low + n], a[:n], fired[:n]
            further = more[group[col.MORE] : group[col.MORE] + max(0, group[col.VARIABLES] - 2) * n]
            if group[col.INTERVAL] > 0 and t % group[col.INTERVAL] == group[col.RESET_AT]:
                ug[:] = 0
                vg[:] = 0
                further[:] = 0
                wild[g] = False
            if coded_at[g] >= 0:
                bg = coded[min(step, len(coded) - 1), coded_at[g] : coded_at[g] + n]
            else:
                bg = bias[low : low + n]
            if group[col.RULE] != col.PLAIN:
                gather_long(a_long[:n], group, connections, buffer, longs, t, 0)
                if group[col.RULE] == col.RESONATOR:
                    gather_long(a_im[:n], group, connections, buffer, longs, t, 1)
                third, fourth, pg = further[:n], further[n:], payload[first : first + n]
                left = step_any(group, third, fourth, a_long[:n], a_im[:n], ug, vg, bg, sg, pg)
                if strict == NARROW:
                    left |= leaves_loihi1(a_long[:n], ug, bg)
            else:
                gather(ag, group, connections, buffer, t)
                if wild[g]:
                    left = step_lif_wide(ug, vg, ag, bg, sg, group[col.KEEP_U], group[col.KEEP_V], group[col.VTH])
                else:
                    left = step_lif(ug, vg, ag, bg, sg, group[col.KEEP_U], group[col.KEEP_V], group[col.VTH])
                if strict == NARROW:
                    left |= leaves_loihi1(ag, ug, bg)
            if left:
                if strict:
                    return t, g
                wild[g] = True
            count[node] = list_events(sg, events[first : first + n])
            if spikes_at[node] >= 0:
                if signed[node]:
                    payloads_out[step, spikes_at[node] : spikes_at[node] + n] = payload[first : first + n]
                else:
                    spikes_out[step, spikes_at[node] : spikes_at[node] + n] = sg
            if states_at[node] >= 0:
                u_out[step, states_at[node] : states_at[node] + n] = ug
                v_out[step, states_at[node] : states_at[node] + n] = vg
                more_out[step, more_at[node] : more_at[node] + len(further)] = further
        for k in range(len(connections)):
            row = connections[k]
            source = row[col.SOURCE]
            first = node_offset[source]
            if count[source] and row[col.LONG]:
                done, left = deliver_long(
                    row, longs, t, strict != 0, weights, events, first, count[source], payload, signed[source]
                )
                sops[k] += done
                if left:
                    return t, len(groups) + k
            elif count[source]:
                sops[k] += deliver(row, buffer, t, weights, events, first, count[source], starts)
                if strict and row[col.KIND] == col.CONV:
                    start = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * row[col.SLOT]
                    if leaves_word(buffer[start : start + row[col.N_TARGET]], row[col.EXP]):
                        return t, len(groups) + k
    return 0, 0


def _compile(sources: str):  # type: ignore[no-untyped-def]
    """`run_span`, kept on disk.

    numba forgets a kept function when its own file changes, but not when what it calls does;
    the digest of all sources, as a variable of the closure, is a part of its key.
    """

    @njit(nogil=True, cache=True)
    def run_span(first, last, lay, steps, before, strict, x, graded, coded, coded_at, state, sent, states, sops, bad):  # type: ignore[no-untyped-def]
        """`run_sample` for samples first ... last - 1; every array has the batch as its first axis."""
        if sources == "":
            return
        payloads, graded_at = graded
        u, v, more, buffer, longs = state
        spikes_out, payloads_out, spikes_at = sent
        u_out, v_out, more_out, states_at, more_at = states
        for b in range(first, last):
            bad[b] = run_sample(
                lay, steps, before, strict, x[b], (payloads[b], graded_at), coded[b], coded_at,
                (u[b], v[b], more[b], buffer[b], longs[b]), (spikes_out[b], payloads_out[b], spikes_at),
                (u_out[b], v_out[b], more_out[b], states_at, more_at), sops[b],
            )  # fmt: skip

    return run_span


run_span = _compile("".join(sha256(Path(__file__).with_name(f).read_bytes()).hexdigest() for f in SOURCES))
