"""NIR file or `nir.NIRGraph` to `Graph`. The only place that knows NIR; nothing is executed or skipped.

file ── reader/guard, child ──┐
                              ├─► tables ─ brought, nested ─► flat ─ kinds, fields ─► typed ─ ends, fit ─► Graph
NIRGraph ── reader/objects ───┘
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nir
import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.reader import objects
from spikeport.deploy.reader.brought import lowered
from spikeport.deploy.reader.ends import with_ends
from spikeport.deploy.reader.fit import fitted
from spikeport.deploy.reader.guard import read_tables
from spikeport.deploy.reader.kinds import kind_of, parse
from spikeport.deploy.reader.nested import flat_graph


def read_nir(path: str | os.PathLike[str]) -> Graph:
    """The graph of a NIR file, typed. Files of nir 1.0.0 to 1.0.8 are read; nothing in them is executed or unpickled.

    Args:
        path: Of an HDF5 file, as `nir.write` makes it.

    Raises:
        FileError: the file is not a readable NIR file. DeployError: the graph is not usable; names the node.
    """
    path = Path(path)
    table = read_tables(path)
    with path.open("rb") as file:
        return graph_of(table, hashlib.file_digest(file, "sha256").hexdigest())


def from_nir(graph: nir.NIRGraph) -> Graph:
    """The same graph, typed; the NIR object is not changed."""
    return graph_of(objects.tables(graph), "")


def graph_of(table: Mapping[str, Any], sha256: str) -> Graph:
    """The graph of a file's top node, a NIRGraph or a node by itself.

    Raises:
        UnsupportedNode: a node that NIR does not have, by name and type.
        DeployError: anything else that makes no network; names the node.
    """
    if "nodes" not in table and kind_of(table) not in ("missing", "NIRGraph"):
        table = {"nodes": {kind_of(table).lower(): table}, "edges": []}  # as nir.write leaves a single node
    remarks: list[str] = []
    flat = flat_graph(lowered(table))
    parsed = {name: parse(name, raw, remarks) for name, raw in flat.nodes.items()}
    parsed, links = with_ends(parsed, flat.edges, remarks)
    edges = tuple(links)
    graph = Graph(fitted(parsed, edges, remarks), edges, _notes(table), sha256, tuple(remarks))
    graph.shapes()
    return graph


def _notes(table: Mapping[str, Any]) -> dict[str, Any]:
    """What spikeport's export left in the metadata; arrays of one value as that value."""
    notes = table.get("metadata")
    notes = notes.get("spikeport") if isinstance(notes, Mapping) else None
    if not isinstance(notes, Mapping):
        return {}
    return {str(k): x.item() if isinstance(x, np.ndarray | np.generic) and x.size == 1 else x for k, x in notes.items()}
