"""Small typed graphs for tests of the reader and the passes."""

from typing import Any

import numpy as np

from spikeport.deploy.graph import Graph, ordered
from spikeport.deploy.nodes import LIF, Conv2d, Flatten, Floats, Input, Linear, Membrane, Node, Output

DT_S = 1e-4
Edges = list[tuple[str, str]]


def graph(nodes: dict[str, Node], edges: Edges | None = None, **options: Any) -> Graph:
    """Without edges: one chain in the order given."""
    names = list(nodes)
    pairs = tuple(edges if edges is not None else zip(names[:-1], names[1:], strict=True))
    return Graph(ordered(nodes, pairs), pairs, **options)


def floats(*rows: Any) -> Floats:
    return np.array(rows, np.float64)


def linear(weight: Any, bias: Any = 0.0) -> Linear:
    array = np.array(weight, np.float64)
    return Linear(array, np.broadcast_to(np.array(bias, np.float64), len(array)).copy())


def conv(weight: Any, bias: Any = 0.0, **geometry: Any) -> Conv2d:
    array = np.array(weight, np.float64)
    shape = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **geometry}
    return Conv2d(array, np.broadcast_to(np.array(bias, np.float64), len(array)).copy(), **shape)


def lif(*shape: int, tau: float = 2 * DT_S, r: float = 1.0, v_threshold: float = 1.0, **values: float) -> LIF:
    """Keeps half of v at each step unless told otherwise."""
    fields = {"tau": tau, "r": r, "v_leak": 0.0, "v_threshold": v_threshold, "v_reset": 0.0, **values}
    return LIF(**{name: np.full(shape, value, np.float64) for name, value in fields.items()})


def membrane(*shape: int, keep: float = 0.5, threshold: float = 1.0) -> Membrane:
    return Membrane(np.full(shape, keep), np.full(shape, threshold))


def chain(n_in: int = 2, n_out: int = 3, neuron: LIF | None = None) -> Graph:
    """input -> linear -> LIF -> output."""
    weight = np.linspace(-0.5, 0.75, n_in * n_out).reshape(n_out, n_in)
    nodes: dict[str, Node] = {"in": Input((n_in,)), "w": linear(weight, 0.1)}
    return graph({**nodes, "n": neuron or lif(n_out), "out": Output()})


def branches(n: int = 2) -> Graph:
    """A long path over two layers and a shortcut meet in the last one."""
    eye = np.eye(n)
    nodes: dict[str, Node] = {"in": Input((n,))}
    for name in ("a", "b", "c"):
        nodes |= {f"w{name}": linear(eye, 0.01), name: lif(n)}
    nodes |= {"short": linear(eye), "out": Output()}
    edges = [("in", "wa"), ("wa", "a"), ("a", "wb"), ("wb", "b"), ("b", "wc"), ("wc", "c"), ("c", "out")]
    return graph(nodes, [*edges, ("a", "short"), ("short", "c")])


__all__ = ["DT_S", "Flatten", "branches", "chain", "conv", "floats", "graph", "lif", "linear", "membrane"]
