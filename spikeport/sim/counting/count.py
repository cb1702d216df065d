"""Exact operation counts of one run. Integers only; this file knows no joules.

A synaptic operation (SOP) is one spike delivered over one synapse.
It is counted at the step at which the spike was sent, whatever the synapse's delay.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import ArraysDiffer, InputError
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.counting.active import active_per_step
from spikeport.sim.counting.counts import ConnectionCounts, Counts, EncoderCounts, LayerCounts
from spikeport.sim.counting.fired import as_bytes, changing, magnitude_bits, tally
from spikeport.sim.counting.plan import ConnectionPlan, GroupPlan, Plan, plan_of
from spikeport.sim.counting.windows import sample_windows
from spikeport.sim.result import Result
from spikeport.threads import threads

PART_BYTES = 1 << 24
"""Of what was sent; below that a thread costs more than it saves."""


@dataclass(frozen=True, eq=False)
class _Sent:
    """What one node sent inside its window, all samples."""

    events: Ints
    """Per step, `(W,)`."""
    sops: Ints
    """Likewise, of each connection, `(K, W)`."""
    fired: Ints
    """Per neuron, `(n,)`."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was found in the bytes: of each node what it sent, and active neurons of each group, per step `(W,)`."""

    sent: Mapping[str, _Sent]
    active: Mapping[str, Ints]


def count_operations(program: Program, result: Result) -> Counts:
    """Counts what the samples of a run caused, group by group, inside `sample_windows`. Exact: nothing is estimated.

    Args:
        program: That which ran.
        result: Of `simulate`; nothing needs to have been recorded.

    Raises:
        InputError: the Result does not belong to the Program.
    """
    check_result(program, result)
    steps, samples = result.spikes.shape[:2]
    plan, windows = plan_of(program), sample_windows(program, steps)
    spikes = {name: as_bytes(result.sent[name]) for name in _senders(program)}
    seen = _side_by_side(plan, spikes, windows)

    def layer(group: GroupPlan) -> LayerCounts:
        window, events, active = windows[group.name], seen.sent[group.name].events, seen.active[group.name]
        updates, spikes_out = group.neurons * len(window) * samples, int(events.sum())
        return LayerCounts(
            name=group.name,
            neurons=group.neurons,
            neuron=group.kind,
            first_step=window.start,
            steps=len(window),
            updates=updates,
            active=int(active.sum()),
            spikes_out=spikes_out,
            graded=group.graded,
            payload_bits=_payload_bits(group, result.sent[group.name], window, spikes_out),
            ops=group.per_update.times(updates) + group.per_spike.times(spikes_out),
            spikes_per_step=_ints(events),
            active_per_step=_ints(active),
            memory=group.memory,
            connections=tuple(_count(c, seen.sent[c.silent.source], samples) for c in group.into),
            encoders=tuple(_count_encoder(e, result.sent[e.source][:steps]) for e in group.encoders),
        )

    return Counts(plan.program_sha256, samples, steps, program.latency, tuple(map(layer, plan.groups)))


def _side_by_side(plan: Plan, spikes: Mapping[str, NDArray[np.uint8]], windows: Mapping[str, range]) -> _Seen:
    """The steps of every window in as many parts as there is work for, each in a thread of its own."""
    parts = min(threads(), 1 + sum(x.nbytes for x in spikes.values()) // PART_BYTES)
    if parts == 1:
        return _look(plan, spikes, windows)
    cuts = [{name: _part(window, k, parts) for name, window in windows.items()} for k in range(parts)]
    with ThreadPoolExecutor(parts) as pool:
        return _joined(list(pool.map(partial(_look, plan, spikes), cuts)))


def _part(window: range, k: int, parts: int) -> range:
    n = len(window)
    return range(window.start + n * k // parts, window.start + n * (k + 1) // parts)


def _look(plan: Plan, spikes: Mapping[str, NDArray[np.uint8]], windows: Mapping[str, range]) -> _Seen:
    sent = {name: _tally(x, windows[name], plan.reached[name]) for name, x in spikes.items()}
    active = {
        group.name: active_per_step(group.reaches, spikes, spikes[group.name], windows[group.name])
        if group.reaches
        else sent[group.name].events
        for group in plan.groups
    }
    return _Seen(sent, active)


def _joined(parts: Sequence[_Seen]) -> _Seen:
    """Parts of one run, in the order of their steps."""
    sent = {
        name: _Sent(
            np.concatenate([part.sent[name].events for part in parts]),
            np.concatenate([part.sent[name].sops for part in parts], axis=1),
            np.sum([part.sent[name].fired for part in parts], axis=0),
        )
        for name in parts[0].sent
    }
    return _Seen(sent, {name: np.concatenate([part.active[name] for part in parts]) for name in parts[0].active})


def _senders(program: Program) -> list[str]:
    """All that sends events: what a host encodes is none."""
    return [i.name for i in program.inputs if i.kind != "bias"] + [g.name for g in program.groups]


def _tally(spikes: NDArray[np.uint8], window: range, reached: NDArray[np.int32]) -> _Sent:
    per_step, fired = tally(spikes, window.start - 1, window.stop - 1, reached)
    return _Sent(per_step[:, 0], per_step[:, 1:].T, fired)


def _count(connection: ConnectionPlan, sent: _Sent, samples: int) -> ConnectionCounts:
    sops = sent.sops[connection.place]
    return replace(
        connection.silent,
        slots=len(sent.fired) * len(sops) * samples,
        events=int(sent.events.sum()),
        sops=int(sops.sum()),
        sops_nz=int(sent.fired @ connection.fan_out_nz),
        events_per_step=_ints(sent.events),
        sops_per_step=_ints(sops),
    )


def _count_encoder(encoder: EncoderCounts, x: Ints) -> EncoderCounts:
    return replace(encoder, passes=int(np.where(changing(x), len(x), 1).sum()))


def _payload_bits(group: GroupPlan, sent: NDArray[Any], window: range, events: int) -> int:
    """The magnitude's bits and one for the sign; a neuron that sends 0 and 1 alone sends payloads of one bit."""
    if not group.graded:
        return 0
    if not group.signed:
        return events
    return events + int(magnitude_bits(np.ascontiguousarray(sent), window.start - 1, window.stop - 1))


def _ints(x: Ints) -> tuple[int, ...]:
    return tuple(x.tolist())


def check_result(program: Program, result: Result) -> None:
    """Raises InputError if the Result is not one whole run of the Program."""
    if result.before or result.state is not None:
        raise InputError("result", "run", relation="was cut", do="count a run in one")
    steps, samples = result.spikes.shape[:2]
    sizes = {i.name: i.size for i in program.inputs} | {g.name: g.size for g in program.groups}
    for name, size in sizes.items():
        want = (steps + program.latency, samples, size)
        got = result.sent[name].shape if name in result.sent else "nothing"
        if got != want:
            do = "count with the Program that was simulated"
            raise ArraysDiffer(f"result of {name}", "spikes sent", got=got, relation="are not", limit=want, do=do)
