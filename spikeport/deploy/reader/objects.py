"""A `nir.NIRGraph` in memory as the nested tables that a file gives; nothing is copied or changed."""

from collections.abc import Mapping
from typing import Any

import nir

from spikeport.deploy.reader.nested import MAX_LEVELS, MAX_NODES
from spikeport.errors import GraphTooLarge

_DERIVED = ("input_type", "output_type")
"""nir infers them from the other fields, but for the nodes where they are a field of the file."""


def tables(graph: nir.NIRGraph) -> dict[str, Any]:
    """Raises DeployError for a graph that holds itself, or more nodes than the limit."""
    return _graph(graph, 0, [0])


def table_of(node: nir.NIRNode) -> dict[str, Any]:
    """As `tables`, of any node."""
    found: dict[str, Any] = tables(node) if isinstance(node, nir.NIRGraph) else _node(node)
    return found


def _graph(graph: nir.NIRGraph, level: int, count: list[int]) -> dict[str, Any]:
    if level > MAX_LEVELS:
        raise GraphTooLarge("graph", "nested graphs", got=level, relation="exceed", limit=MAX_LEVELS, do="flatten them")
    nodes: dict[Any, Any] = {}
    for name, node in graph.nodes.items() if isinstance(graph.nodes, Mapping) else ():
        count[0] += 1
        if count[0] > MAX_NODES * 2:  # with the ends of subgraphs
            raise GraphTooLarge("graph", "nodes", got="more", relation="exceed", limit=MAX_NODES, do="merge layers")
        nodes[name] = _graph(node, level + 1, count) if isinstance(node, nir.NIRGraph) else _node(node)
    return {"type": "NIRGraph", "nodes": nodes, "edges": graph.edges, "metadata": graph.metadata}


def _node(node: Any) -> Any:
    if not isinstance(node, nir.NIRNode):
        return node
    fields = {key: x for key, x in vars(node).items() if key not in _DERIVED and x is not None}
    fields["type"] = type(node).__name__
    if isinstance(node, nir.Input):
        fields["shape"] = _shape(node.input_type, "input")
    if isinstance(node, nir.Flatten):
        fields["input_type"] = _shape(node.input_type, "input")
    return {key: x for key, x in fields.items() if x is not None}


def _shape(type_: Any, key: str) -> Any:
    return type_.get(key) if isinstance(type_, Mapping) else type_
