"""What arrives at each node, as linear maps of the spikes sent before it: every path between neurons, composed.

Nodes without state are taken in an order in which each comes after those that feed it, feedback included. Paths from
one source of one length are added up where that costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from math import prod

import numpy as np
from scipy.sparse import csr_array

from spikeport.deploy.graph import Graph
from spikeport.deploy.maps.add import add
from spikeport.deploy.maps.base import Identity, LinearMap, Sparse
from spikeport.deploy.maps.compose import compose
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.maps.of_node import of_node
from spikeport.deploy.nodes import Delay, Floats, Input, LinearNode, Membrane, Output, Shape
from spikeport.errors import DelayInvalid, LoopInvalid

MANY = 8
"""Maps between the same two populations; more become one sparse matrix."""


@dataclass(frozen=True, eq=False)
class Path:
    """From the spikes of `source`, `lag` steps ago."""

    source: str
    lag: int
    map: LinearMap


def stateless_order(graph: Graph) -> list[str]:
    """The nodes between neurons, each after what feeds it; raises DeployError for a loop without a neuron."""
    between = [name for name, node in graph.nodes.items() if not isinstance(node, Input | Membrane)]
    inside = set(between)
    try:
        return list(
            TopologicalSorter({n: [a for a in graph.sources(n) if a in inside] for n in between}).static_order()
        )
    except CycleError as error:
        got = " -> ".join(error.args[1])
        raise LoopInvalid("graph", "loop without neurons", got=got, do="put neurons into it") from error


def paths_into(graph: Graph, shapes: Mapping[str, Shape], dt_s: float) -> dict[str, list[Path]]:
    """All that enters each neuron and each Output."""
    leaving = {
        name: [Path(name, 0, Identity(prod(shapes[name])))]
        for name, node in graph.nodes.items()
        if isinstance(node, Input | Membrane)
    }
    for name in stateless_order(graph):
        entering = _entering(graph, name, leaving)
        node = graph.nodes[name]
        if isinstance(node, Output):
            leaving[name] = entering
        elif isinstance(node, Delay):
            leaving[name] = _delayed(entering, delay_steps(name, node, dt_s))
        elif isinstance(node, LinearNode):
            own = of_node(node, shapes[graph.sources(name)[0]])
            leaving[name] = _merged([Path(p.source, p.lag, m) for p in entering for m in compose(p.map, own)])
    ends = [name for name, node in graph.nodes.items() if isinstance(node, Membrane | Output)]
    return {name: _entering(graph, name, leaving) for name in ends}


def delay_steps(name: str, node: Delay, dt_s: float) -> Floats:
    """Whole steps, value by value."""
    steps = np.rint(node.delay / dt_s)
    if steps.min() < 0:
        raise DelayInvalid(name, "delay", got=f"{node.delay.min():g} s", relation="is below", limit=0)
    return steps


def _entering(graph: Graph, name: str, leaving: Mapping[str, list[Path]]) -> list[Path]:
    found = []
    for source in graph.sources(name):
        late = int((source, name) in graph.feedback)
        found += [Path(p.source, p.lag + late, p.map) for p in leaving[source]]
    return _merged(found)


def _delayed(paths: list[Path], steps: Floats) -> list[Path]:
    """One path for each length of the delay; only the values that wait so long are on it."""
    flat = steps.reshape(-1)
    lengths = np.unique(flat)
    if len(lengths) == 1:
        return [Path(p.source, p.lag + int(lengths[0]), p.map) for p in paths]
    found = []
    for length in lengths:
        late = np.flatnonzero(flat == length)
        kept = Sparse(csr_array((np.ones(len(late)), (late, late)), shape=(len(flat), len(flat))))
        found += [Path(p.source, p.lag + int(length), m) for p in paths for m in compose(p.map, kept)]
    return _merged(found)


def _merged(paths: list[Path]) -> list[Path]:
    """The same, with maps added up that share source and lag and need no more room in one."""
    found: dict[tuple[str, int], list[LinearMap]] = {}
    for p in paths:
        maps = found.setdefault((p.source, p.lag), [])
        for k, known in enumerate(maps):
            both = add(known, p.map)
            if both is not None:
                maps[k] = both
                break
        else:
            maps.append(p.map)
        if len(maps) > MANY:
            maps[:] = [Sparse(csr_array(sum(matrix(m) for m in maps)))]
    return [Path(source, lag, m) for (source, lag), maps in found.items() for m in maps]
