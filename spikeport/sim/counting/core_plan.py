"""All that counting by cores needs of a Program on its cores and that no run changes; made once for each pair.

What cores and links do in a step is one row of a table, whose columns are in parts: operations of each kind of
connection, messages and so on, each core by core; what neurons do, block by block, for a core may have several; then
routes and links. An event of a class adds to some of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from weakref import WeakKeyDictionary

import numpy as np
from scipy import sparse

from spikeport.cores import Cores
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.counting.class_events import Adds
from spikeport.sim.counting.pieces import Pieces, pieces
from spikeport.sim.counting.routes import Routes, routes
from spikeport.sim.counting.senders import Sender, sender

CORE_PARTS = ("messages_in", "messages_out")
BLOCK_PARTS = ("spikes", "active")


@dataclass(frozen=True, eq=False)
class SenderPlan:
    """One input or group, and what its events cause."""

    pieces: Pieces
    adds: Adds
    traffic: Ints
    """Messages, hops in x, hops in y, and messages off the chip for one event of each class, `(classes, 4)`; of an
    input 0."""


@dataclass(frozen=True, eq=False)
class BlocksOfGroup:
    """Where a group's neurons are."""

    pieces: Pieces
    neurons: Ints
    """In each of its blocks."""
    spikes: slice
    active: slice
    """Columns of its blocks in these parts."""


@dataclass(frozen=True, eq=False)
class CorePlan:
    """Of one Program on its cores."""

    parts: Mapping[str, slice]
    """Columns of the kinds of connections that there are, of `CORE_PARTS` and `BLOCK_PARTS`, and of
    `routes` and `links`."""
    senders: Mapping[str, SenderPlan]
    groups: Mapping[str, BlocksOfGroup]

    @property
    def columns(self) -> int:
        return max(part.stop for part in self.parts.values())


_MADE: WeakKeyDictionary[Program, WeakKeyDictionary[Cores, CorePlan]] = WeakKeyDictionary()


def core_plan(program: Program, cores: Cores) -> CorePlan:
    """Kept as long as both are. Two threads may both make it, and make the same."""
    made = _MADE.setdefault(program, WeakKeyDictionary())
    plan = made.get(cores)
    if plan is None:
        plan = made[cores] = _make(program, cores)
    return plan


def _make(program: Program, cores: Cores) -> CorePlan:
    nodes = [*(i for i in program.inputs if i.kind != "bias"), *program.groups]  # what a host encodes is no event
    tables = {node.name: sender(program, cores, node.name) for node in nodes}
    ways = {name: routes(cores, tables[name].pairs) for name in cores.cuts}
    links = np.unique(np.concatenate([way.links.indices for way in ways.values()]))
    kinds = list(dict.fromkeys(kind for table in tables.values() for kind in table.synapses))
    widths = dict.fromkeys((*kinds, *CORE_PARTS), cores.count) | dict.fromkeys(BLOCK_PARTS, cores.blocks)
    widths |= {"routes": prod(cores.chip.mesh), "links": links.size}
    edges = np.cumsum([0, *widths.values()]).tolist()
    parts = {name: slice(*ends) for name, ends in zip(widths, pairwise(edges), strict=True)}
    senders = {}
    for node in nodes:
        table, way = tables[node.name], ways.get(node.name)
        found = _parts(table, way, cores, links)
        adds = sparse.hstack([found.get(name, _empty(table, n)) for name, n in widths.items()], format="csr")
        packed = Adds(adds.indptr.astype(np.int64), adds.indices.astype(np.int32), adds.data.astype(np.int64))
        senders[node.name] = SenderPlan(pieces(table.label, node.shape), packed, _traffic(table, way))
    groups = {}
    for group in program.groups:
        cut, first = cores.cuts[group.name], cores.first[group.name]
        spikes, active = (
            slice(s + first, s + first + cut.cores) for s in (parts["spikes"].start, parts["active"].start)
        )
        groups[group.name] = BlocksOfGroup(pieces(cut.labels(), group.shape), cut.neurons, spikes, active)
    return CorePlan(parts, senders, groups)


def _parts(table: Sender, way: Routes | None, cores: Cores, links: Ints) -> dict[str, sparse.csr_array]:
    """Of one event of each class, by part; without a way, the node is an input."""
    found = {**table.synapses, "messages_in": table.messages @ _chosen(table.pairs[:, 1], cores.count)}
    if way is not None:
        found["spikes"] = _chosen(table.block, cores.blocks)
        found["messages_out"] = table.messages @ _chosen(table.pairs[:, 0], cores.count)
        stays = sparse.diags_array(1 - way.leaves, dtype=np.int64)
        found["routes"] = table.messages @ stays @ _chosen(way.kind, prod(cores.chip.mesh))
        found["links"] = table.messages @ way.links[:, links]
    return found


def _traffic(table: Sender, way: Routes | None) -> Ints:
    of_pair = np.zeros((len(table.pairs), 4), np.int64)
    if way is not None:
        of_pair = np.column_stack([np.ones_like(way.leaves), way.hops, way.leaves])
    return np.asarray(table.messages @ of_pair)


def _chosen(index: Ints, size: int) -> sparse.csr_array:
    """1 in column `index[k]` of row k."""
    one_each = np.ones(index.size, np.int64)
    return sparse.csr_array((one_each, index, np.arange(index.size + 1)), shape=(index.size, size))


def _empty(table: Sender, columns: int) -> sparse.csr_array:
    return sparse.csr_array((table.block.size, columns), dtype=np.int64)
