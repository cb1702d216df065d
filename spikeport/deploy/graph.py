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


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes by name in data-flow order, edges, and notes that a writer left in its metadata."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @cached_property
    def feedback(self) -> frozenset[Edge]:
        """The edges that lead back in the order of the nodes, self-loops included."""
        place = {name: k for k, name in enumerate(self.nodes)}
        return frozenset((a, b) for a, b in self.edges if place[a] >= place[b])

    def sources(self, name: str) -> list[str]:
        return [a for a, b in self.edges if b == name]

    def targets(self, name: str) -> list[str]:
        return [b for a, b in self.edges if a == name]

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
        DeployError: a loop that nothing feeds from outside; its nodes are named.
    """
    sources: dict[str, set[str]] = {name: set() for name in nodes}
    for a, b in edges:
        sources[b].add(a)
    order: dict[str, Node] = {}
    while len(order) < len(nodes):
        waiting = [name for name in nodes if name not in order]
        ready = [name for name in waiting if sources[name] <= order.keys()]
        if not ready:
            entries = sorted(n for n in waiting if sources[n] & order.keys() and n in _above(n, sources, order))
            if not entries:
                got = ", ".join(sorted(waiting))
                raise DeployError("graph", "loop", got=got, relation="is not fed from outside", do="connect an input")
            ready = entries[:1]
        order |= {name: nodes[name] for name in ready}
    return order


def _above(name: str, sources: Mapping[str, set[str]], done: Mapping[str, Node]) -> set[str]:
    """All waiting nodes from which there is a path to `name`."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        new = sources[ahead.pop()] - done.keys() - found
        found |= new
        ahead += new
    return found
