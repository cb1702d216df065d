"""Kinds of nodes that users bring: each stands for known ones, and is replaced by them before anything else is read."""

from collections.abc import Callable, Mapping
from typing import Any

import nir

from spikeport.deploy.reader import objects
from spikeport.deploy.reader.kinds import is_known, kind_of
from spikeport.deploy.reader.nested import MAX_LEVELS
from spikeport.errors import InputError, UnsupportedNode

Lowering = Callable[[dict[str, Any]], nir.NIRNode]
_LOWERINGS: dict[str, Lowering] = {}


def register_node(kind: str, lowering: Lowering) -> None:
    """Teaches the reader a kind of NIR node, by what it stands for: other nodes, which the passes then fuse as ever.

    Args:
        kind: The node's type, as files have it: the name of its class.
        lowering: The node's fields by name, numbers and arrays, to a node of NIR, or to a `nir.NIRGraph` with one Input
            and one Output. A field of a file may hold anything, so it checks what it takes.

    Raises:
        InputError: a kind that NIR has, or no name.
    """
    if not (isinstance(kind, str) and kind.isidentifier()) or is_known(kind):
        raise InputError("register_node", "kind", got=kind, relation="is not", limit="a new name")
    _LOWERINGS[kind] = lowering


def lowered(table: Mapping[str, Any], level: int = 0) -> Mapping[str, Any]:
    """A graph's table with such nodes replaced, in subgraphs as well."""
    nodes = table.get("nodes")
    if not _LOWERINGS or not isinstance(nodes, Mapping) or level > MAX_LEVELS:  # beyond it, what reads it refuses
        return table
    return {**table, "nodes": {name: _lowered(name, raw, level) for name, raw in nodes.items()}}


def _lowered(name: str, raw: Any, level: int) -> Any:
    kind = kind_of(raw)
    if kind == "NIRGraph":
        return lowered(raw, level + 1)
    if kind not in _LOWERINGS:
        return raw
    node = _LOWERINGS[kind]({key: x for key, x in raw.items() if key not in ("type", "metadata")})
    if not isinstance(node, nir.NIRNode):
        got, what = type(node).__name__, f"what the lowering of {kind} gives"
        raise UnsupportedNode(name, what, got=got, relation="is not", limit="a NIR node")
    return lowered(objects.table_of(node), level + 1)
