"""All that counting needs of a Program and that no run changes; made once for each Program."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.program import Connection, Encoder, Program
from spikeport.sim.counting.active import Reach, in_order, reach_of
from spikeport.sim.counting.counts import ConnectionCounts, EncoderCounts
from spikeport.sim.counting.fanout import fan_out, macs_dense, synapses
from spikeport.sim.counting.memory import MemoryBits, memory_bits
from spikeport.sim.counting.neuron_ops import NeuronOps, ops_per_spike, ops_per_update
from spikeport.sim.saved import fingerprint


@dataclass(frozen=True, eq=False)
class ConnectionPlan:
    """One connection."""

    silent: ConnectionCounts
    """Its counts of a run in which nothing is sent."""
    place: int
    """Among the connections of its source."""
    fan_out: Ints
    """Synapses behind each source neuron, `(n_source,)`."""
    fan_out_nz: Ints
    """Those of them whose weight is not 0."""


@dataclass(frozen=True, eq=False)
class GroupPlan:
    """One group and what leads into it."""

    name: str
    neurons: int
    kind: str
    graded: bool
    """Whether it sends payloads."""
    signed: bool
    per_update: NeuronOps
    per_spike: NeuronOps
    memory: MemoryBits
    into: tuple[ConnectionPlan, ...]
    encoders: tuple[EncoderCounts, ...]
    """Their counts of a run of no samples."""
    reaches: tuple[Reach, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """Of one Program."""

    program_sha256: str
    groups: tuple[GroupPlan, ...]
    reached: Mapping[str, NDArray[np.int32]]
    """By node, `(K, n)`: the fan-outs of its connections, by their places."""


_MADE: WeakKeyDictionary[Program, Plan] = WeakKeyDictionary()


def plan_of(program: Program) -> Plan:
    """Kept as long as the Program is. Two threads may both make it, and make the same."""
    plan = _MADE.get(program)
    if plan is None:
        plan = _MADE[program] = _make(program)
    return plan


def _make(program: Program) -> Plan:
    connections = [_plan_connection(program, c) for c in program.connections]
    reached = {}
    for node in [*program.inputs, *program.groups]:
        maps = [c.fan_out for c in connections if c.silent.source == node.name]
        reached[node.name] = np.array(maps, np.int32).reshape(len(maps), node.size)
    groups = tuple(_plan_group(program, group, connections) for group in program.groups)
    return Plan(fingerprint(program), groups, reached)


def _plan_group(program: Program, group: Group, connections: list[ConnectionPlan]) -> GroupPlan:
    into = [c for c in program.connections if c.target == group.name]
    encoders = [e for e in program.encoders if e.synapses.target == group.name]
    biased = bool(encoders) or _has_bias(group)
    return GroupPlan(
        name=group.name,
        neurons=group.size,
        kind=_kind(group),
        graded=group.signed or any(c.graded for c in program.connections if c.source == group.name),
        signed=group.signed,
        per_update=ops_per_update(group, biased),
        per_spike=ops_per_spike(group),
        memory=memory_bits(group, into, biased),
        into=tuple(c for c in connections if c.silent.target == group.name),
        encoders=tuple(_plan_encoder(program, e) for e in encoders),
        reaches=in_order([reach_of(c, program.shape_of(c.source)) for c in into]),
    )


def _plan_connection(program: Program, connection: Connection) -> ConnectionPlan:
    source = program.shape_of(connection.source)
    reached, reached_nz = fan_out(connection, source), fan_out(connection, source, nonzero=True)
    siblings = [c for c in program.connections if c.source == connection.source]
    silent = ConnectionCounts(
        source=connection.source,
        target=connection.target,
        kind=type(connection).__name__.lower(),
        graded=connection.graded,
        inputs=prod(source),
        slots=0,
        events=0,
        sops=0,
        sops_nz=0,
        synapses=int(reached.sum()),
        synapses_nz=int(reached_nz.sum()),
        macs_dense=macs_dense(connection, source),
        weights=connection.weight.size,
        events_per_step=(),
        sops_per_step=(),
    )
    return ConnectionPlan(silent, siblings.index(connection), reached, reached_nz)


def _plan_encoder(program: Program, encoder: Encoder) -> EncoderCounts:
    connection = encoder.synapses
    source = program.shape_of(connection.source)
    return EncoderCounts(
        source=connection.source,
        target=connection.target,
        kind=type(connection).__name__.lower(),
        inputs=prod(source),
        passes=0,
        macs_dense=macs_dense(connection, source),
        macs_valid=synapses(connection, source),
        weights=connection.weight.size,
        outputs=program.group(connection.target).size,
    )


def _kind(group: Group) -> str:
    match group:
        case LIF():
            return "lif"
        case SigmaDelta():
            return "sigma_delta"
        case Resonator():
            return "resonator"


def _has_bias(group: Group) -> bool:
    match group:
        case LIF():
            return bool(np.any(group.bias_mant))
        case SigmaDelta():
            return bool(np.any(group.bias))
        case Resonator():
            return False
