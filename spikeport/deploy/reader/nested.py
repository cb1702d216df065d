"""Nested graphs made flat: names joined with dots, edges between nodes of all levels, no ends of subgraphs left.

NIR's documents (`docs/source/api_design.md`) let an edge name a node within a subgraph, `G.input`; its writers name the
subgraph as a whole, which then has one Input or one Output. Both are read, at every level.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikeport.deploy.graph import Edge
from spikeport.deploy.reader.fields import shown, text_of
from spikeport.deploy.reader.kinds import kind_of
from spikeport.errors import GraphBroken, GraphTooLarge

MAX_LEVELS = 16
MAX_NODES = 1 << 12
MAX_EDGES = 1 << 13
Raw = Mapping[str, Any]


@dataclass
class Flat:
    """Raw nodes by full name, and edges between full names."""

    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    ports: dict[str, None] = field(default_factory=dict)
    """Inputs and Outputs of subgraphs."""


def flat_graph(top: Raw) -> Flat:
    """Raises DeployError for what is no graph, for edges that do not name one node, and for more than the limits."""
    flat = Flat()
    _collect(flat, top, "", 0)
    _check_distinct(flat.edges)
    for port in flat.ports:
        _remove(flat, port)
    return flat


def _collect(flat: Flat, graph: Raw, prefix: str, level: int) -> None:
    """Adds a graph's nodes, those of its subgraphs, and the edges of this level."""
    where = prefix.removesuffix(".") or "graph"
    raw = graph.get("nodes")
    if not isinstance(raw, Mapping) or "edges" not in graph:
        do = "export it again" if level else "export it again; nir.write leaves such a file where it fails"
        raise GraphBroken(where, "lacks nodes or edges", do=do)
    if level > MAX_LEVELS:
        raise GraphTooLarge(where, "nested graphs", got=level, relation="exceed", limit=MAX_LEVELS, do="flatten them")
    for name, node in raw.items():
        full = _full_name(prefix, name)
        if kind_of(node) == "NIRGraph":
            _collect(flat, node, f"{full}.", level + 1)
            continue
        if full in flat.nodes:
            raise GraphBroken(full, "is the name of two nodes", do="rename one")
        flat.nodes[full] = node
        if level and kind_of(node) in ("Input", "Output"):
            flat.ports[full] = None
        if len(flat.nodes) > MAX_NODES:
            raise GraphTooLarge("graph", "nodes", got="more", relation="exceed", limit=MAX_NODES, do="merge layers")
    for a, b in _pairs(where, graph["edges"]):
        ends = ((a, _end(where, raw, (a, b), 0)), (b, _end(where, raw, (a, b), 1)))
        source, target = (prefix + ".".join(path) for _, path in ends)
        flat.edges.append((source, target))
        if len(flat.edges) > MAX_EDGES:
            raise GraphTooLarge("graph", "edges", got="more", relation="exceed", limit=MAX_EDGES, do="merge layers")


def _full_name(prefix: str, name: Any) -> str:
    if not isinstance(name, str) or not name or not name.isprintable() or len(prefix + name) > 255:
        limit, do = "printable text of at most 255 characters", "rename the node"
        raise GraphBroken("graph", "node name", got=repr(name)[:64], relation="is not", limit=limit, do=do)
    return prefix + name


def _pairs(where: str, edges: Any) -> Iterator[Edge]:
    try:
        pairs = np.asarray(edges, dtype=object)
    except ValueError:  # ragged
        pairs = np.zeros((1, 0), dtype=object)
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
        raise GraphBroken(where, "edges of shape", got=pairs.shape, relation="are not", limit="pairs of names")
    for pair in pairs.reshape(-1, 2):
        a, b = text_of(pair[0]), text_of(pair[1])
        if a is None or b is None:
            got = shown(", ".join(map(repr, pair)))
            raise GraphBroken(where, "edge", got=got, relation="is not", limit="a pair of names", do="export it again")
        yield a, b


def _end(where: str, nodes: Raw, edge: Edge, side: int) -> list[str]:
    """The path of names to the one node that an end of an edge means."""
    drawn = " -> ".join(map(shown, edge))
    paths = list(_paths(nodes, edge[side]))
    if not paths:
        raise GraphBroken(where, "edge", got=drawn, relation="names an unknown node", limit=shown(edge[side]))
    if len(paths) > 1:
        do = "rename one of the nodes"
        raise GraphBroken(where, "edge", got=drawn, relation="names more than one node", limit=edge[side], do=do)
    path = paths[0]
    node = _at(nodes, path)
    while kind_of(node) == "NIRGraph":
        step = _one_end(where, drawn, node, ".".join(path), "Output" if side == 0 else "Input")
        path, node = [*path, step], node["nodes"][step]
    return path


def _paths(nodes: Any, name: str) -> Iterator[list[str]]:
    """Every way to read `name` as a path through subgraphs; names may hold dots themselves."""
    if not isinstance(nodes, Mapping):
        return
    if name in nodes:
        yield [name]
    for k, sign in enumerate(name):
        if sign == "." and kind_of(nodes.get(name[:k])) == "NIRGraph":
            yield from ([name[:k], *rest] for rest in _paths(nodes[name[:k]].get("nodes"), name[k + 1 :]))


def _at(nodes: Raw, path: list[str]) -> Any:
    node: Any = {"nodes": nodes}
    for name in path:
        node = node["nodes"][name]
    return node


def _one_end(where: str, edge: str, graph: Raw, name: str, kind: str) -> str:
    """The Input, or Output, of a subgraph that an edge names as a whole."""
    raw = graph.get("nodes")
    found = [inner for inner, node in raw.items() if kind_of(node) == kind] if isinstance(raw, Mapping) else []
    if len(found) != 1:
        relation, do = f"leaves open which {kind} of {name} it means", f"name one: {name}.NODE"
        got = f"{edge}; {len(found)} there"
        raise GraphBroken(where, "edge", got=got, relation=relation, do=do)
    return found[0]


def _remove(flat: Flat, port: str) -> None:
    """A subgraph's end hands on what it gets; one that is not connected outside stays an end of the whole graph."""
    sources = [a for a, b in flat.edges if b == port]
    targets = [b for a, b in flat.edges if a == port]
    if not sources or not targets:
        return
    if port in sources:
        raise GraphBroken(port, "feeds itself", do="put a node into the loop")
    del flat.nodes[port]
    flat.edges = [edge for edge in flat.edges if port not in edge] + [(a, b) for a in sources for b in targets]
    if len(flat.edges) > MAX_EDGES:
        raise GraphTooLarge("graph", "edges", got="more", relation="exceed", limit=MAX_EDGES, do="merge layers")
    _check_distinct(flat.edges)


def _check_distinct(edges: list[Edge]) -> None:
    """Two like edges are refused, not summed.

    NIR sums what enters a node, and nirtorch 2.6 writes `y + y` as such a pair, which means twice the value; nir 1.0.8
    refuses the graph (`validate_structure`), and an edge written twice by mistake looks the same.
    """
    seen: set[Edge] = set()
    for edge in edges:
        if edge in seen:
            do = "double the weights behind it, or remove one of the two"
            raise GraphBroken("graph", "edge", got=" -> ".join(edge), relation="is listed twice", do=do)
        seen.add(edge)
