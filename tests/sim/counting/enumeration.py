"""Counts by enumeration: every event over every synapse, one at a time, in Python's own integers.

Nothing here knows a fan-out: synapses are listed from the definition of each kind of connection.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np

from spikeport.program import Connection, Conv, Dense, Program, Shape
from spikeport.sim.counting import Counts


class Synapse(NamedTuple):
    source: int
    target: int
    weight: int
    delay: int


def synapses_of(connection: Connection, source: Shape) -> list[Synapse]:
    """Every synapse of a connection; each use of a convolution's weight is one."""
    if isinstance(connection, Conv):
        return _conv(connection, source)
    delay = np.broadcast_to(connection.delay, connection.weight.shape)
    if isinstance(connection, Dense):
        places = product(*map(range, connection.weight.shape))
        return [Synapse(j, i, int(connection.weight[i, j]), int(delay[i, j])) for i, j in places]
    listed = zip(connection.col, connection.row, connection.weight, delay, strict=True)
    return [Synapse(*map(int, numbers)) for numbers in listed]


def _conv(conv: Conv, source: Shape) -> list[Synapse]:
    """Straight from the definition of a cross-correlation."""
    _, height, width = source
    c_out, c_in, k_h, k_w = conv.weight.shape
    h_out, w_out = (
        len(range(-p, n + p - d * (k - 1), s))
        for n, p, d, k, s in zip(source[1:], conv.padding, conv.dilation, (k_h, k_w), conv.stride, strict=True)
    )
    found = []
    for o, y, x, c, i, j in product(*map(range, (c_out, h_out, w_out, c_in, k_h, k_w))):
        channel = o // (c_out // conv.groups) * c_in + c
        row = y * conv.stride[0] - conv.padding[0] + i * conv.dilation[0]
        col = x * conv.stride[1] - conv.padding[1] + j * conv.dilation[1]
        if 0 <= row < height and 0 <= col < width:
            neuron, target = (channel * height + row) * width + col, (o * h_out + y) * w_out + x
            found.append(Synapse(neuron, target, int(conv.weight[o, c, i, j]), conv.delay))
    return found


@dataclass
class Tally:
    """One connection; per step of the source's window."""

    events: list[int]
    sops: list[int]
    sops_nz: int
    synapses: int
    synapses_nz: int


@dataclass
class Enumerated:
    """One run."""

    connections: list[Tally] = field(default_factory=list)
    active: dict[str, list[int]] = field(default_factory=dict)
    """Per step of the group's window."""
    spikes: dict[str, list[int]] = field(default_factory=dict)
    payload_bits: dict[str, int] = field(default_factory=dict)


Events = list[tuple[int, int, int, int]]  # (hardware step from 1, sample, neuron, payload)


def events_of(sent: np.ndarray) -> Events:
    return [
        (t + 1, b, j, int(sent[t, b, j])) for t, b, j in zip(*map(np.ndarray.tolist, np.nonzero(sent)), strict=True)
    ]


def enumerate_run(program: Program, sent: dict[str, np.ndarray], windows: dict[str, range]) -> Enumerated:
    """Of spikes `(steps, B, n)` by node, in hardware time; what is outside its window is not counted."""
    found = Enumerated()
    events = {name: events_of(x) for name, x in sent.items()}
    awake: dict[str, set[tuple[int, int, int]]] = {g.name: {e[:3] for e in events[g.name]} for g in program.groups}
    for connection in program.connections:
        behind: dict[int, list[Synapse]] = defaultdict(list)
        synapses = synapses_of(connection, program.shape_of(connection.source))
        for synapse in synapses:
            behind[synapse.source].append(synapse)
        window = windows[connection.source]
        sops = []
        for step, sample, neuron, _ in events[connection.source]:
            for synapse in behind[neuron]:
                awake[connection.target].add((step + 1 + synapse.delay, sample, synapse.target))
                sops.append((step, synapse.weight))
        found.connections.append(
            Tally(
                events=_per_step([e[0] for e in events[connection.source]], window),
                sops=_per_step([step for step, _ in sops], window),
                sops_nz=sum(step in window and weight != 0 for step, weight in sops),
                synapses=len(synapses),
                synapses_nz=len([s for s in synapses if s.weight]),
            )
        )
    for group in program.groups:
        window = windows[group.name]
        inside = [e for e in events[group.name] if e[0] in window]
        found.active[group.name] = _per_step([step for step, _, _ in awake[group.name]], window)
        found.spikes[group.name] = _per_step([e[0] for e in inside], window)
        graded = group.signed or any(c.graded for c in program.connections if c.source == group.name)
        bits = [len(bin(abs(payload))) - 2 + group.signed for *_, payload in inside]
        found.payload_bits[group.name] = sum(bits) if graded else 0
    return found


def _per_step(steps: list[int], window: range) -> list[int]:
    return [steps.count(step) for step in window]


def check_counts(program: Program, sent: dict[str, np.ndarray], windows: dict[str, range], counts: Counts) -> None:
    """Compares every number with the enumeration."""
    expected = enumerate_run(program, sent, windows)
    got_by_target = [c for layer in counts.layers for c in layer.connections]
    pairs = list(zip(expected.connections, program.connections, strict=True))
    by_target = [tally for g in program.groups for tally, c in pairs if c.target == g.name]
    for got, want in zip(got_by_target, by_target, strict=True):
        assert list(got.events_per_step) == want.events
        assert list(got.sops_per_step) == want.sops
        assert (got.events, got.sops) == (sum(want.events), sum(want.sops))
        assert (got.sops_nz, got.synapses, got.synapses_nz) == (want.sops_nz, want.synapses, want.synapses_nz)
        assert got.sops_nz <= got.sops
        assert got.macs_eff == (got.sops if got.graded else 0)
    samples = next(iter(sent.values())).shape[1]
    for layer in counts.layers:
        assert list(layer.spikes_per_step) == expected.spikes[layer.name]
        assert list(layer.active_per_step) == expected.active[layer.name]
        assert layer.active == sum(expected.active[layer.name])
        assert layer.updates == layer.active + layer.inactive == layer.neurons * len(windows[layer.name]) * samples
        assert layer.payload_bits == expected.payload_bits[layer.name]
