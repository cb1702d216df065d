"""Small typed graphs for tests of the reader and the passes."""

from typing import Any

import numpy as np

from spikeport.deploy.graph import Graph, ordered
from spikeport.deploy.network import Population
from spikeport.deploy.nodes import (
    IF,
    LI,
    LIF,
    Conv2d,
    CubaLIF,
    Delay,
    Flatten,
    Floats,
    Input,
    Linear,
    Membrane,
    Node,
    Output,
)

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


def integrate(*shape: int, v_threshold: float = 1.0, v_reset: float = 0.0) -> IF:
    """Adds what arrives, and keeps all of it."""
    return IF(np.full(shape, 1 / DT_S), np.full(shape, v_threshold), np.full(shape, v_reset))


def cuba(*shape: int, **values: float) -> CubaLIF:
    """Current and membrane keep half at each step and add half of what arrives, unless told otherwise."""
    fields = {"tau_syn": 2 * DT_S, "tau_mem": 2 * DT_S, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    fields |= {"w_in": 1.0, **values}
    return CubaLIF(**{name: np.full(shape, value, np.float64) for name, value in fields.items()})


def li(*shape: int, tau: float = 2 * DT_S, r: float = 1.0, v_leak: float = 0.0) -> LI:
    return LI(np.full(shape, tau), np.full(shape, r), np.full(shape, v_leak))


def delay(*steps: int) -> Delay:
    return Delay(DT_S * floats(*steps))


def membrane(*shape: int, keep: float = 0.5, threshold: float = 1.0, **values: Any) -> Membrane:
    arrays = {name: np.full(shape, values.pop(name, 0.0)) for name in ("keep_u", "bias", "drive", "start")}
    return Membrane(np.full(shape, keep), np.full(shape, threshold), **arrays, **values)


def population(name: str, *shape: int, keep: Any = 0.5, threshold: Any = 1.0, **values: Any) -> Population:
    """Numbers are for all neurons, arrays one for each."""
    arrays = {"keep_v": keep, "threshold": threshold} | {n: values.pop(n, 0.0) for n in ("keep_u", "bias", "drive")}
    full = {n: np.broadcast_to(np.asarray(x, np.float64), shape).copy() for n, x in arrays.items()}
    return Population(name, shape, **full, **values)


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


__all__ = [
    "DT_S",
    "Flatten",
    "branches",
    "chain",
    "conv",
    "cuba",
    "delay",
    "floats",
    "graph",
    "integrate",
    "li",
    "lif",
    "linear",
    "membrane",
    "population",
]
