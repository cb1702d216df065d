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
from spikeport.errors import DeployError

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
        return list(self._ends[name][0])

    def targets(self, name: str) -> list[str]:
        return list(self._ends[name][1])

    def shapes(self) -> dict[str, Shape]:
        """Output shape of every node; raises DeployError where an edge does not fit."""
        found: dict[str, Shape] = {}
        for name, node in self.nodes.items():
            incoming = {a: found[a] for a in self.sources(name) if (a, name) not in self.feedback}
            if len(set(incoming.values())) > 1:
                raise DeployError(name, "sources of unequal shape", got=incoming)
            found[name] = output_shape(name, node, next(iter(incoming.values()), ()))
        for a, b in self.feedback:
            if output_shape(b, self.nodes[b], found[a]) != found[b]:
                raise DeployError(b, "sources of unequal shape", got={a: found[a]})
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
                raise DeployError("graph", "loops", got=loops, relation="exceed", limit=MAX_LOOPS, do="merge layers")
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
    """The waiting node of least name that is part of a loop and fed by what is done."""
    waiting = {name: found - done.keys() for name, found in sources.items() if name not in done}
    on_loops = _on_loops(waiting)
    entries = [name for name in waiting if name in on_loops and sources[name] & done.keys()]
    if not entries:
        got = ", ".join(sorted(waiting))
        raise DeployError("graph", "loop", got=got, relation="is not fed from outside", do="connect an input")
    return min(entries)


def _on_loops(sources: Mapping[str, set[str]]) -> set[str]:
    """The nodes that lead back to themselves: Tarjan's strongly connected components, without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: dict[str, None] = {}
    found = {name for name, above in sources.items() if name in above}
    for root in sources:
        ahead = [] if root in index else [(root, iter(sources[root]))]
        if ahead:
            index[root] = low[root] = len(index)
            stack[root] = None
        while ahead:
            name, above = ahead[-1]
            for source in above:
                if source not in index:
                    index[source] = low[source] = len(index)
                    stack[source] = None
                    ahead.append((source, iter(sources[source])))
                    break
                if source in stack:
                    low[name] = min(low[name], index[source])
            else:
                ahead.pop()
                if ahead:
                    low[ahead[-1][0]] = min(low[ahead[-1][0]], low[name])
                if low[name] == index[name]:
                    component: list[str] = []
                    while not component or component[-1] != name:
                        component.append(stack.popitem()[0])
                    found |= set(component) if len(component) > 1 else set()
    return found
