"""The compiled run: steps of one sample in a loop, samples in parallel."""

from hashlib import sha256
from pathlib import Path

import numpy as np
from numba import njit

from spikeport.compiled import kept
from spikeport.sim.engine import columns as col
from spikeport.sim.engine.arrivals import gather, leaves_word, slot_of
from spikeport.sim.engine.borrowed import borrowed
from spikeport.sim.engine.deliver import deliver
from spikeport.sim.engine.events import list_events
from spikeport.sim.engine.graded import deliver_long, gather_long
from spikeport.sim.engine.lif import leaves_loihi1, step_lif, step_lif_any, step_lif_wide
from spikeport.sim.engine.resonator import step_resonator
from spikeport.sim.engine.room import make_room
from spikeport.sim.engine.sigma_delta import step_sigma_delta

STRICT, NARROW = 1, 2  # NARROW: minds a Loihi 1's words too, and lets integrators spike


@njit(forceinline=True)
def list_inputs(x, step, graded, node_offset, sending):  # type: ignore[no-untyped-def]
    """Lists where the inputs send something at a step of this call; nothing after their end."""
    payload, events, count = sending
    payloads, graded_at = graded
    for node in range(len(graded_at)):
        low, high = node_offset[node], node_offset[node + 1]
        count[node] = list_events(x[step, low:high], events, low) if step < len(x) else 0
        if graded_at[node] >= 0 and count[node]:
            copy(payload, low, payloads[step], graded_at[node], high - low)


@njit(forceinline=True)
def step_plain(group, connections, buffer, t, wild, narrow, shown, a, u, v, bias, spiked):  # type: ignore[no-untyped-def]
    """One step of a group that is `PLAIN`. Gives whether a value left its word.

    Args:
        wild: Whether a current may stand outside its word.
        narrow: Whether a Loihi 1's words count, and the run ends where one is left.
        shown: Whether somebody reads the current after this step.
        a: Zeros, and zeros again afterwards.
    """
    slots, at, up, down = a, 0, 0, 0
    if group[col.LAST_IN] == group[col.FIRST_IN] + 1:
        slots = buffer
        at, up, down = slot_of(connections[group[col.FIRST_IN]], buffer, t)
    else:
        gather(a, group, connections, buffer, t)
    keep_u, keep_v, vth = group[col.KEEP_U], group[col.KEEP_V], group[col.VTH]
    if narrow and leaves_loihi1(u, bias, slots, at, up, down, keep_u):
        return True
    if wild:
        return step_lif_wide(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, vth)
    return step_lif(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, vth, shown)


@njit
def step_any(group, connections, buffers, t, narrow, further, arriving, u, v, bias, spiked, payload):  # type: ignore[no-untyped-def]
    """One step of a group that is not `PLAIN`. Gives whether a value left its word."""
    n, (buffer, longs) = len(u), buffers
    a, a_im = arriving[0][:n], arriving[1][:n]
    gather_long(a, group, connections, buffer, longs, t, 0)
    third, fourth = further[:n], further[n:]
    if group[col.RULE] == col.LIF:
        if narrow and leaves_loihi1(u, bias, a, 0, 0, 0, group[col.KEEP_U]):
            return True
        return step_lif_any(u, v, third, a, bias, spiked, payload, group)
    if group[col.RULE] == col.SIGMA_DELTA:
        return step_sigma_delta(u, v, third, fourth, a, bias, spiked, payload, group)
    gather_long(a_im, group, connections, buffer, longs, t, 1)
    return step_resonator(u, v, a, a_im, spiked, group)


@njit(forceinline=True)
def step_group(g, group, connections, bias, state, t, narrow, shown, room, first):  # type: ignore[no-untyped-def]
    """One step of group g: its state, which neurons spike, what they send. Gives whether a value left its word.

    Args:
        bias: The group's own, or what the host loads.
        narrow: As in `step_plain`.
        shown: Whether somebody reads the state after this step.
        first: Where the group's neurons start among those of all nodes.
    """
    u, v, more, buffer, longs = state
    (a, a_long, a_im), (spiked, wild), (payload, _, _), _ = room
    n, low = group[col.N], group[col.OFFSET]
    ug, vg = u[low : low + n], v[low : low + n]
    further = more[group[col.MORE] : group[col.MORE] + max(0, group[col.VARIABLES] - 2) * n]
    if group[col.INTERVAL] > 0 and t % group[col.INTERVAL] == group[col.RESET_AT]:
        ug[:] = 0
        vg[:] = 0
        further[:] = 0
        wild[g] = False
    if group[col.RULE] == col.PLAIN:
        left = step_plain(group, connections, buffer, t, wild[g], narrow, shown, a[:n], ug, vg, bias, spiked[:n])
    else:
        sent = payload[first : first + n]
        arriving = a_long, a_im
        left = step_any(
            group, connections, (buffer, longs), t, narrow, further, arriving, ug, vg, bias, spiked[:n], sent
        )  # fmt: skip
    wild[g] |= left
    return left


@njit(forceinline=True)
def keep(group, step, state, room, first, kept_sent, kept_states):  # type: ignore[no-untyped-def]
    """Writes down what a group sent and its state, where that was asked for."""
    spikes_out, payloads_out, spikes_at = kept_sent
    u_out, v_out, more_out, states_at, more_at = kept_states
    n, low, node = group[col.N], group[col.OFFSET], group[col.NODE]
    if spikes_at[node] >= 0:
        if group[col.SIGNED]:
            copy(payloads_out[step], spikes_at[node], room[2][0], first, n)
        else:
            copy(spikes_out[step], spikes_at[node], room[1][0], 0, n)
    if states_at[node] >= 0:
        u, v, more, _, _ = state
        copy(u_out[step], states_at[node], u, low, n)
        copy(v_out[step], states_at[node], v, low, n)
        copy(more_out[step], more_at[node], more, group[col.MORE], max(0, group[col.VARIABLES] - 2) * n)


@njit
def copy(to, at, x, first, n):  # type: ignore[no-untyped-def]
    """As an assignment of slices, which takes numba a second to compile. Unsigned: no index counts from the end."""
    a, b = np.uint64(at), np.uint64(first)
    for i in range(np.uint64(n)):
        to[a + i] = x[b + i]


@njit(forceinline=True)
def send(row, t, strict, weights, state, signed, first, room):  # type: ignore[no-untyped-def]
    """Delivers the events of a connection's source. Gives the synaptic operations, and whether a sum left its word.

    Args:
        signed: Whether the source sends payloads.
        first: Where the source's neurons start among those of all nodes.
    """
    _, _, _, buffer, longs = state
    payload, events, count = room[2]
    m = count[row[col.SOURCE]]
    if row[col.LONG]:
        return deliver_long(row, longs, t, strict, weights, events, first, m, payload, signed)
    done = deliver(row, buffer, t, weights, events, first, m, room[3])
    if not (strict and row[col.WRAPS]):
        return done, False
    start = row[col.BUFFER] + (t + 1 + row[col.DELAY]) % row[col.SLOTS] * row[col.SLOT]
    return done, leaves_word(buffer[start : start + row[col.N_TARGET]], row[col.EXP])


@njit
def run_sample(lay, steps, t_before, strict, x, graded, coded, coded_at, state, kept_sent, kept_states, sops, room):  # type: ignore[no-untyped-def]
    """Steps t_before + 1 ... t_before + steps of one sample; everything is updated in place.

    Args:
        lay: Tables of `Layout`.
        strict: Whether a value that leaves its word ends the run: 0, `STRICT`, or `NARROW`.
        x: `(T, sum of inputs)` bytes, channel last: where something is sent. The k-th step of this call takes
            entry k, and zeros after T.
        graded: `(payloads, offset per input or -1)`, payloads `(T, sum of graded inputs)`.
        coded, coded_at: Biases that the host loads, `(T or 1, neurons)`, and each group's offset in them or -1.
        state: First variable, second, all further ones, and the two delivery buffers.
        kept_sent: `(bytes, payloads, offset per node in one of them or -1)`.
        kept_states: `(first, second, further, offset per node in the first two or -1, the same in further)`.
        room: Of `make_room`.

    Returns:
        The step and the row at which a value left a word that it must not leave, or an integrator spiked; or zeros.
        Groups count from 0, connections from the number of groups.
    """
    lay, x, graded, coded, coded_at, state = borrowed((lay, x, graded, coded, coded_at, state))
    kept_sent, kept_states, sops, room = borrowed((kept_sent, kept_states, sops, room))
    groups, connections, weights, bias, node_offset, node_signed = lay
    wild, (_, events, count) = room[1][1], room[2]
    stops, narrow = strict != 0, strict == NARROW
    for g in range(len(groups)):
        low = groups[g, col.OFFSET]
        wild[g] = leaves_word(state[0][low : low + groups[g, col.N]], np.int64(0))
    for step in range(steps):
        t = t_before + step + 1
        list_inputs(x, step, graded, node_offset, room[2])
        for g in range(len(groups)):
            group = groups[g]
            n, low, first = group[col.N], group[col.OFFSET], node_offset[group[col.NODE]]
            if coded_at[g] >= 0:
                loaded = coded[min(step, len(coded) - 1), coded_at[g] : coded_at[g] + n]
            else:
                loaded = bias[low : low + n]
            shown = step == steps - 1 or kept_states[3][group[col.NODE]] >= 0
            if step_group(g, group, connections, loaded, state, t, narrow, shown, room, first) and stops:
                return t, g
            count[group[col.NODE]] = list_events(room[1][0][:n], events, first)
            if group[col.SILENT] and count[group[col.NODE]] and strict == STRICT:
                return t, g
            keep(group, step, state, room, first, kept_sent, kept_states)
        for k in range(len(connections)):
            row = connections[k]
            source = row[col.SOURCE]
            if count[source]:
                done, left = send(
                    row, t, stops, weights, state, node_signed[source], node_offset[source], room
                )  # fmt: skip
                sops[k] += done
                if left:
                    return t, len(groups) + k
    return 0, 0


def _compile(sources: str):  # type: ignore[no-untyped-def]
    """`run_span`, kept on disk.

    numba forgets a kept function when its own file changes, but not when what it calls does;
    the digest of all sources, as a variable of the closure, is a part of its key.
    """

    @kept(nogil=True)
    def run_span(first, last, lay, steps, before, strict, x, graded, coded, coded_at, state, sent, states, sops, bad):  # type: ignore[no-untyped-def]
        """`run_sample` for samples first ... last - 1; every array has the batch as its first axis."""
        if sources == "":
            return
        payloads, graded_at = graded
        u, v, more, buffer, longs = state
        spikes_out, payloads_out, spikes_at = sent
        u_out, v_out, more_out, states_at, more_at = states
        room = make_room(lay[0], lay[1], lay[4])
        for b in range(first, last):
            bad[b] = run_sample(
                lay, steps, before, strict, x[b], (payloads[b], graded_at), coded[b], coded_at,
                (u[b], v[b], more[b], buffer[b], longs[b]), (spikes_out[b], payloads_out[b], spikes_at),
                (u_out[b], v_out[b], more_out[b], states_at, more_at), sops[b], room,
            )  # fmt: skip

    return run_span


SOURCES = sorted(path for path in Path(__file__).parent.glob("*.py"))
run_span = _compile("".join(sha256(path.read_bytes()).hexdigest() for path in SOURCES))
