"""A NIR graph as typed, checked data: what the reader gives and the first passes rewrite.

Everything is float64 and per neuron. Shapes are those of one sample at one step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DeployError

Floats: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Input:
    shape: Shape


@dataclass(frozen=True, eq=False)
class Output:
    pass


@dataclass(frozen=True, eq=False)
class Flatten:
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Linear:
    """y = W x + b; `weight (n_out, n_in)`, `bias (n_out,)`."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Conv2d:
    """torch's cross-correlation; `weight (c_out, c_in / groups, k_h, k_w)`, `bias (c_out,)`."""

    weight: Floats
    bias: Floats
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True, eq=False)
class LIF:
    """tau dv/dt = (v_leak - v) + r I; spike and v = v_reset at v > v_threshold. All of the neuron's shape."""

    tau: Floats
    r: Floats
    v_leak: Floats
    v_threshold: Floats
    v_reset: Floats


@dataclass(frozen=True, eq=False)
class Membrane:
    """v = keep * v + x; s = [v > threshold]; v = 0 where s. Per neuron."""

    keep: Floats
    threshold: Floats


Node: TypeAlias = Input | Output | Flatten | Linear | Conv2d | LIF | Membrane


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes by name in data-flow order, edges, and notes that a writer left in its metadata."""

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def sources(self, name: str) -> list[str]:
        return [a for a, b in self.edges if b == name]

    def targets(self, name: str) -> list[str]:
        return [b for a, b in self.edges if a == name]

    def shapes(self) -> dict[str, Shape]:
        """Output shape of every node; raises DeployError where an edge does not fit."""
        found: dict[str, Shape] = {}
        for name, node in self.nodes.items():
            incoming = {source: found[source] for source in self.sources(name)}
            if len(set(incoming.values())) > 1:
                raise DeployError(name, "sources of unequal shape", got=incoming)
            found[name] = output_shape(name, node, next(iter(incoming.values()), ()))
        return found


def output_shape(name: str, node: Node, shape: Shape) -> Shape:
    """Shape after `node` for input of `shape`."""
    match node:
        case Input():
            return node.shape
        case Output():
            return shape
        case Flatten():
            return _flattened(name, node, shape)
        case Linear():
            if shape != (node.weight.shape[1],):
                raise DeployError(name, "input shape", got=shape, relation="is not", limit=(node.weight.shape[1],))
            return (node.weight.shape[0],)
        case Conv2d():
            return _convolved(name, node, shape)
        case LIF():
            return _neurons(name, node.tau.shape, shape)
        case Membrane():
            return _neurons(name, node.keep.shape, shape)


def ordered(nodes: Mapping[str, Node], edges: tuple[tuple[str, str], ...]) -> dict[str, Node]:
    """The nodes in data-flow order; raises DeployError and names the nodes of a loop."""
    waiting = {name: {a for a, b in edges if b == name} for name in nodes}
    order: dict[str, Node] = {}
    while waiting:
        ready = [name for name, sources in waiting.items() if not sources - order.keys()]
        if not ready:
            got = ", ".join(sorted(waiting))
            raise DeployError(
                "graph", "recurrent loop", got=got, relation="is not supported", do="unroll it or remove the loop"
            )
        for name in ready:
            order[name] = nodes[name]
            del waiting[name]
    return order


def _neurons(name: str, own: Shape, shape: Shape) -> Shape:
    if own != shape:
        raise DeployError(name, "neuron shape", got=own, relation="is not that of its input", limit=shape)
    return shape


def _flattened(name: str, node: Flatten, shape: Shape) -> Shape:
    n = len(shape)
    start, end = node.start % n if n else 0, node.end % n if n else 0
    if not (-n <= node.start < n and -n <= node.end < n) or start > end:
        raise DeployError(
            name, "flatten axes", got=(node.start, node.end), relation="do not fit the shape", limit=shape
        )
    return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])


def _convolved(name: str, node: Conv2d, shape: Shape) -> Shape:
    c_out, c_in, *kernel = node.weight.shape
    if len(shape) != 3 or shape[0] != c_in * node.groups:
        raise DeployError(name, "input shape", got=shape, relation="is not", limit=f"({c_in * node.groups}, h, w)")
    axes = zip(shape[1:], node.padding, node.dilation, kernel, node.stride, strict=True)
    size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in axes]
    if min(size) < 1:
        raise DeployError(name, "kernel", got=kernel, relation="exceeds the padded input", limit=shape)
    return (c_out, *size)
