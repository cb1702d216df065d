"""Exact operation counts of one run. Integers only; this file knows no joules.

A synaptic operation (SOP) is one spike delivered over one synapse.
It is counted at the step at which the spike was sent, whatever the synapse's delay.
"""

import numpy as np

from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Connection, Encoder, Group, Program
from spikeport.sim.counting.counts import ConnectionCounts, Counts, EncoderCounts, LayerCounts
from spikeport.sim.counting.fanout import fan_out, macs_dense, synapses
from spikeport.sim.counting.windows import sample_windows
from spikeport.sim.result import Result


def count_operations(program: Program, result: Result) -> Counts:
    """Counts what the samples of a run caused, group by group, inside `sample_windows`.

    Raises:
        InputError: the Result does not belong to the Program.
    """
    _check(program, result)
    steps, samples = result.spikes.shape[:2]
    windows = sample_windows(program, steps)
    sent = {name: result.sent[name][w.start - 1 : w.stop - 1] for name, w in windows.items()}
    events = {name: np.count_nonzero(x, axis=(0, 1)).astype(np.int64) for name, x in sent.items()}

    def layer(group: Group) -> LayerCounts:
        window, into = windows[group.name], [c for c in program.connections if c.target == group.name]
        encoders = [e for e in program.encoders if e.synapses.target == group.name]
        return LayerCounts(
            name=group.name,
            neurons=group.size,
            first_step=window.start,
            steps=len(window),
            updates=group.size * len(window) * samples,
            spikes_out=int(events[group.name].sum()),
            connections=tuple(_count(program, c, events[c.source], sent[c.source].size) for c in into),
            encoders=tuple(_count_encoder(program, e, sent[e.synapses.source]) for e in encoders),
        )

    return Counts(samples, steps, tuple(layer(group) for group in program.groups))


def _count(program: Program, connection: Connection, events: Ints, slots: int) -> ConnectionCounts:
    source = program.shape_of(connection.source)
    reached, reached_nz = fan_out(connection, source), fan_out(connection, source, nonzero=True)
    return ConnectionCounts(
        source=connection.source,
        target=connection.target,
        kind=type(connection).__name__.lower(),
        slots=slots,
        events=int(events.sum()),
        sops=int(events @ reached),
        sops_nz=int(events @ reached_nz),
        synapses=int(reached.sum()),
        synapses_nz=int(reached_nz.sum()),
        macs_dense=macs_dense(connection, source),
        graded=connection.graded,
    )


def _count_encoder(program: Program, encoder: Encoder, x: Ints) -> EncoderCounts:
    connection = encoder.synapses
    source = program.shape_of(connection.source)
    changes = (x != x[:1]).any(axis=(0, 2))
    return EncoderCounts(
        source=connection.source,
        target=connection.target,
        kind=type(connection).__name__.lower(),
        passes=int(np.where(changes, len(x), 1).sum()),
        macs_dense=macs_dense(connection, source),
        macs_valid=synapses(connection, source),
    )


def _check(program: Program, result: Result) -> None:
    if result.before or result.state is not None:
        raise InputError("result", "run", relation="was cut", do="count a run in one")
    steps, samples = result.spikes.shape[:2]
    sizes = {i.name: i.size for i in program.inputs} | {g.name: g.size for g in program.groups}
    for name, size in sizes.items():
        want = (steps + program.latency, samples, size)
        got = result.sent[name].shape if name in result.sent else "nothing"
        if got != want:
            do = "count with the Program that was simulated"
            raise InputError(f"result of {name}", "spikes sent", got=got, relation="are not", limit=want, do=do)
