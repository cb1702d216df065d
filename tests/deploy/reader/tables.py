"""Raw graphs as a file gives them, for tests of one part of the reader."""

from typing import Any

import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.read import graph_of

Table = dict[str, Any]
Edges = list[tuple[str, str]]


def node(kind: str, **fields: Any) -> Table:
    return {"type": kind, **{key: x if isinstance(x, str) else np.array(x) for key, x in fields.items()}}


def lif(*shape: int, **fields: Any) -> Table:
    """v_reset included; every field may be given in another shape."""
    one, zero = np.ones(shape), np.zeros(shape)
    return node("LIF", **{"tau": one * 2e-3, "r": one, "v_leak": zero, "v_threshold": one, "v_reset": zero, **fields})


def linear(n_in: int, n_out: int) -> Table:
    return node("Linear", weight=np.arange(n_in * n_out, dtype=float).reshape(n_out, n_in))


def conv(*weight: int, **fields: Any) -> Table:
    """Conv2d, or Conv1d where the weight has three axes."""
    given = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": np.zeros(weight[0])}
    given["weight"] = np.arange(np.prod(weight), dtype=float).reshape(weight)
    return node("Conv2d" if len(weight) == 4 else "Conv1d", **{**given, **fields})


def flatten(start: int = 0, end: int = -1, **fields: Any) -> Table:
    return node("Flatten", start_dim=start, end_dim=end, **fields)


def ends(*shape: int) -> Table:
    return {"input": node("Input", shape=shape), "output": node("Output", shape=[1])}


def table(nodes: Table, edges: Edges | None = None) -> Table:
    """Without edges: from `input` through all others to `output`."""
    row = [name for name in nodes if name not in ("input", "output")]
    row = [*[n for n in ("input",) if n in nodes], *row, *[n for n in ("output",) if n in nodes]]
    return {
        "type": "NIRGraph",
        "nodes": nodes,
        "edges": list(zip(row[:-1], row[1:], strict=True)) if edges is None else edges,
    }


def read(nodes: Table, edges: Edges | None = None) -> Graph:
    return graph_of(table(nodes, edges), "")
