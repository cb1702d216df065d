"""Exact operation counts of one run. Integers only; this file knows no joules.

A synaptic operation (SOP) is one spike delivered over one synapse.
It is counted at the step at which the spike was sent, whatever the synapse's delay.
"""

from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Connection, Encoder, Group, Program
from spikeport.sim.fanout import fan_out, macs_dense, synapses
from spikeport.sim.result import Result

SCHEMA = "spikeport-counts/1"
_Counted = TypeVar("_Counted", "ConnectionCounts", "EncoderCounts", "LayerCounts", "Counts")


@dataclass(frozen=True)
class ConnectionCounts:
    """One connection over the whole run, all samples."""

    source: str
    target: str
    kind: str
    """`dense`, `sparse` or `conv`."""
    slots: int
    """Source neurons x steps x samples: as many events as there could have been."""
    events: int
    """Spikes that the source sent; a payload is one, whatever its value."""
    sops: int
    """Synapses with weight 0 included: dense and convolutional cores visit them."""
    sops_nz: int
    """Synapses with a non-zero weight only."""
    synapses: int
    """Also the ANN's MACs for one pass without those on padding."""
    synapses_nz: int
    macs_dense: int
    """The ANN's MACs for one pass, padding included as in the literature."""
    graded: bool = False
    """Whether each operation multiplies by a payload."""

    def __add__(self, other: "ConnectionCounts") -> "ConnectionCounts":
        return _add(self, other, "slots", "events", "sops", "sops_nz")


@dataclass(frozen=True)
class EncoderCounts:
    """One encoder on the host over the whole run, all samples."""

    source: str
    target: str
    kind: str
    passes: int
    """Evaluations: one per sample whose input stays the same over all steps, else one per step."""
    macs_dense: int
    """MACs of one pass, padding included."""
    macs_valid: int
    """MACs of one pass, padding excluded."""

    @property
    def macs(self) -> int:
        """MACs of all passes, padding included."""
        return self.passes * self.macs_dense

    def __add__(self, other: "EncoderCounts") -> "EncoderCounts":
        return _add(self, other, "passes")


@dataclass(frozen=True)
class LayerCounts:
    """One neuron group and everything that feeds it."""

    name: str
    neurons: int
    first_step: int
    """Hardware step (from 1) that belongs to the first step of the input."""
    steps: int
    """Counted steps per sample; fewer than the input's if the run ends before the group's window does."""
    updates: int
    """Neurons x steps x samples: Loihi visits every neuron at every step."""
    spikes_out: int
    connections: tuple[ConnectionCounts, ...]
    encoders: tuple[EncoderCounts, ...]

    @property
    def rate(self) -> Fraction:
        """Spikes per neuron and step."""
        return _ratio(self.spikes_out, self.updates)

    @property
    def input_rate(self) -> Fraction:
        """Spikes per source neuron and step, over all connections into the group."""
        return _ratio(self.events_in, sum(c.slots for c in self.connections))

    @property
    def events_in(self) -> int:
        return sum(c.events for c in self.connections)

    @property
    def sops(self) -> int:
        return sum(c.sops for c in self.connections)

    @property
    def sops_nz(self) -> int:
        return sum(c.sops_nz for c in self.connections)

    @property
    def synapses(self) -> int:
        return sum(c.synapses for c in self.connections)

    @property
    def host_macs(self) -> int:
        """MACs of the encoders, all samples."""
        return sum(e.macs for e in self.encoders)

    @property
    def macs_dense(self) -> int:
        """The ANN's MACs for one pass: encoders and connections."""
        return sum(e.macs_dense for e in self.encoders) + sum(c.macs_dense for c in self.connections)

    def __add__(self, other: "LayerCounts") -> "LayerCounts":
        return _add(self, other, "updates", "spikes_out", "connections", "encoders")

    def to_json(self) -> dict[str, Any]:
        derived = ("events_in", "sops", "sops_nz", "synapses", "host_macs", "macs_dense")
        values = {**asdict(self), **{name: getattr(self, name) for name in derived}}
        return {**values, "rate": float(self.rate), "input_rate": float(self.input_rate)}


@dataclass(frozen=True)
class Counts:
    """One run. Divide by `samples` for the exact figures of one inference; counts of batches add up."""

    samples: int
    steps: int
    layers: tuple[LayerCounts, ...]

    @property
    def sops(self) -> int:
        return sum(layer.sops for layer in self.layers)

    @property
    def sops_nz(self) -> int:
        return sum(layer.sops_nz for layer in self.layers)

    @property
    def synapses(self) -> int:
        return sum(layer.synapses for layer in self.layers)

    @property
    def host_macs(self) -> int:
        return sum(layer.host_macs for layer in self.layers)

    @property
    def macs_dense(self) -> int:
        """The ANN's MACs for one pass."""
        return sum(layer.macs_dense for layer in self.layers)

    @property
    def input_rate(self) -> Fraction:
        """Spikes per source neuron and step, over all connections."""
        connections = [c for layer in self.layers for c in layer.connections]
        return _ratio(sum(c.events for c in connections), sum(c.slots for c in connections))

    @property
    def spikes_per_synapse(self) -> Fraction:
        """Spikes over one synapse in one inference, mean over all synapses."""
        return _ratio(self.sops, self.synapses * self.samples)

    def per_inference(self, count: int) -> Fraction:
        return Fraction(count, self.samples)

    def __add__(self, other: "Counts") -> "Counts":
        return _add(self, other, "samples", "layers")

    def to_json(self) -> dict[str, Any]:
        names = ("updates", "spikes_out", "events_in", "sops", "sops_nz", "synapses", "host_macs", "macs_dense")
        return {
            "schema": SCHEMA,
            "samples": self.samples,
            "steps": self.steps,
            "layers": [layer.to_json() for layer in self.layers],
            "totals": {name: sum(getattr(layer, name) for layer in self.layers) for name in names},
            "input_rate": float(self.input_rate),
            "spikes_per_synapse": float(self.spikes_per_synapse),
        }


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


def sample_windows(program: Program, steps: int) -> dict[str, range]:
    """The hardware steps (from 1) of each input and group that belong to the `steps` steps of the input.

    An input's window starts at step 1. A group's starts at its `reset_offset` if it is reset, which
    excludes what a bias did before the sample arrived; else at the first step that the input can reach,
    each connection taking 1 + delay steps and an encoder none. A run of `steps + latency` cuts it.
    """
    starts = {entry.name: 1 for entry in program.inputs}
    starts |= {e.synapses.target: 1 for e in program.encoders}
    for _ in program.groups:  # shortest paths; with loops the groups' order alone would not do
        for c in program.connections:
            if c.source in starts:
                arrival = starts[c.source] + 1 + (int(np.min(c.delay)) if np.size(c.delay) else 0)
                starts[c.target] = min(arrival, starts.get(c.target, arrival))
    for group in program.groups:
        reset = group.reset_offset if group.reset_interval else 0
        starts[group.name] = reset or starts.get(group.name, 1)
    end = steps + program.latency + 1
    return {name: range(start, max(start, min(start + steps, end))) for name, start in starts.items()}


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


def _ratio(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)


def _add(a: _Counted, b: _Counted, *summed: str) -> _Counted:
    """Adds the named fields, element by element if they are tuples; all others must agree."""
    values: dict[str, Any] = {}
    for field in fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        same_length = not isinstance(x, tuple) or len(x) == len(y)
        if field.name in summed and same_length:
            values[field.name] = tuple(p + q for p, q in zip(x, y, strict=True)) if isinstance(x, tuple) else x + y
        elif x != y:
            raise InputError(
                "counts", field.name, got=y, relation="is not", limit=x, do="add counts of one program and equal steps"
            )
    return replace(a, **values)
