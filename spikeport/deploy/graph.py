"""A NIR graph as typed, checked data: what the reader gives and the first passes rewrite.

A graph may have loops. Their feedback edges hand on what their source gave one step before, as every framework that
runs such graphs does; all other edges hand on what it gives in the same step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from spikeport.deploy.nodes import Node, Shape
from spikeport.deploy.shapes import output_shape
from spikeport.errors import GraphTooLarge, LoopInvalid, NodeShape

Edge: TypeAlias = tuple[str, str]
MAX_LOOPS = 256
"""Each one costs a walk over the whole graph."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes by name in data-flow order, edges, and notes that a writer left in its metadata."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""
    remarks: tuple[str, ...] = ()
    """What the reader had to repair or decide, a line each: "n1: v_reset is missing and taken as 0"."""

    @cached_property
    def feedback(self) -> frozenset[Edge]:
        """The edges that lead back in the order of the nodes, self-loops included."""
        place = {name: k for k, name in enumerate(self.nodes)}
        return frozenset((a, b) for a, b in self.edges if place[a] >= place[b])

    @cached_property
    def _ends(self) -> dict[str, tuple[list[str], list[str]]]:
        """Sources and targets of each node; looking through all edges for each is too slow for large graphs."""
        found: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in self.nodes}
        for a, b in self.edges:
            found[b][0].append(a)
            found[a][1].append(b)
        return found

    def sources(self, name: str) -> list[str]:
        """Names of the nodes that feed it, in the order of the edges."""
        return list(self._ends[name][0])

    def targets(self, name: str) -> list[str]:
        """Names of the nodes that it feeds, in the order of the edges."""
        return list(self._ends[name][1])

    def shapes(self) -> dict[str, Shape]:
        """Output shape of every node; raises DeployError where an edge does not fit."""
        found: dict[str, Shape] = {}
        for name, node in self.nodes.items():
            incoming = {a: found[a] for a in self.sources(name) if (a, name) not in self.feedback}
            if len(set(incoming.values())) > 1:
                raise NodeShape(name, "sources of unequal shape", got=incoming)
            found[name] = output_shape(name, node, next(iter(incoming.values()), ()))
        for a, b in self.feedback:
            if output_shape(b, self.nodes[b], found[a]) != found[b]:
                raise NodeShape(b, "sources of unequal shape", got={a: found[a]})
        return found


def ordered(nodes: Mapping[str, Node], edges: tuple[Edge, ...]) -> dict[str, Node]:
    """The nodes in data-flow order.

    A loop is entered at the node that something from outside of it feeds: this one comes first, and the edges from the
    loop into it are the feedback. Among several the one with the least name is taken.

    Raises:
        DeployError: a loop that nothing feeds from outside, its nodes are named; or more loops than `MAX_LOOPS`.
    """
    sources: dict[str, set[str]] = {name: set() for name in nodes}
    targets: dict[str, set[str]] = {name: set() for name in nodes}
    for a, b in edges:
        sources[b].add(a)
        targets[a].add(b)
    place = {name: k for k, name in enumerate(nodes)}
    waits = {name: len(found) for name, found in sources.items()}
    order: dict[str, Node] = {}
    ready = [name for name in nodes if not waits[name]]
    loops = 0
    while len(order) < len(nodes):
        if not ready:
            ready = [_entry(sources, order)]
            loops += 1
            if loops > MAX_LOOPS:
                raise GraphTooLarge("graph", "loops", got=loops, relation="exceed", limit=MAX_LOOPS, do="merge layers")
        order |= {name: nodes[name] for name in ready}
        freed = set()
        for name in ready:
            for target in targets[name] - order.keys():
                waits[target] -= 1
                if not waits[target]:
                    freed.add(target)
        ready = sorted(freed, key=place.__getitem__)
    return order


def _entry(sources: Mapping[str, set[str]], done: Mapping[str, Node]) -> str:
    """Where to enter a loop that waits for no other loop; the least name among the nodes that are fed from outside."""
    loop = _first_loop(sources, done)
    entries = [name for name in loop if sources[name] & done.keys()]
    if not entries:
        got = ", ".join(sorted(loop))
        raise LoopInvalid("graph", "loop", got=got, relation="is not fed from outside", do="connect an input")
    return min(entries)


def _first_loop(sources: Mapping[str, set[str]], done: Mapping[str, Node]) -> list[str]:
    """Nodes that all lead to each other, and wait for nothing but each other.

    The first strongly connected component that Tarjan's walk against the edges completes; without recursion.
    """
    waiting = [name for name in sources if name not in done]
    root = next((name for name in waiting if not sources[name].isdisjoint(done)), waiting[0])  # a loop is near there
    index, low, stack = {root: 0}, {root: 0}, dict.fromkeys([root])
    ahead = [(root, iter(sorted(sources[root] - done.keys())))]
    while True:
        name, above = ahead[-1]
        source = next(above, None)
        if source is None:
            ahead.pop()
            if low[name] == index[name]:
                nodes = list(stack)
                return nodes[nodes.index(name) :]
            low[ahead[-1][0]] = min(low[ahead[-1][0]], low[name])
        elif source not in index:
            index[source] = low[source] = len(index)
            stack[source] = None
            ahead.append((source, iter(sorted(sources[source] - done.keys()))))
        else:
            low[name] = min(low[name], index[source])
