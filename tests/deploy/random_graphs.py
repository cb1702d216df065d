"""Random typed graphs of every kind of node: chains, branches that meet again, feedback, delays."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikeport.deploy.convention import Convention
from spikeport.deploy.graph import Graph, ordered
from spikeport.deploy.nodes import (
    IF,
    LI,
    LIF,
    AvgPool2d,
    Conv1d,
    Conv2d,
    CubaLI,
    CubaLIF,
    Delay,
    Flatten,
    Floats,
    I,
    Input,
    Linear,
    Node,
    Output,
    Scale,
    Shape,
    SumPool2d,
    Threshold,
)
from spikeport.deploy.shapes import output_shape

NEURONS = ("IF", "LIF", "CubaLIF", "Threshold")
READOUTS = ("I", "LI", "CubaLI")


@dataclass
class Builder:
    """Grows a graph node by node; `ends` are the nodes that something may still follow, with their shapes."""

    rng: np.random.Generator
    how: Convention
    dyadic: bool = False
    """Whether all numbers are small multiples of a power of two, so that sums are exact in any order."""
    restless: bool = False
    """Whether many neurons fire without input, by their biases and leaks."""
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)

    def add(self, node: Node, *sources: str) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]
        self.shapes[name] = output_shape(name, node, self.shapes[sources[0]] if sources else ())
        return name

    def graph(self) -> Graph:
        edges = tuple(self.edges)
        return Graph(ordered(self.nodes, edges), edges)

    # ------------------------------------------------------------ numbers

    def values(self, shape: Shape, scale: float = 1.0, mean: float = 0.0) -> Floats:
        x = self.rng.normal(mean, scale, shape)
        return np.rint(x * 16) / 16 if self.dyadic else x

    def spread(self, shape: Shape, low: float, high: float) -> Floats:
        """One value for all, or one each."""
        x = self.rng.uniform(low, high, shape if self.rng.random() < 0.3 else ())
        x = np.maximum(np.rint(x * 8) / 8, 0.125) if self.dyadic else x
        return np.broadcast_to(x, shape).astype(np.float64)

    # ------------------------------------------------------------ nodes

    def weights(self, source: str, n_out: int | None = None) -> str:
        """A random linear node that fits behind `source`."""
        shape, rng = self.shapes[source], self.rng
        if len(shape) == 3 and min(shape[1:]) >= 2 and n_out is None:
            return self.add(self._image_node(shape), source)
        if len(shape) == 2 and shape[1] >= 2 and n_out is None:
            k, groups = int(rng.integers(1, min(4, shape[1]) + 1)), shape[0] if rng.random() < 0.2 else 1
            c_out = groups * int(rng.integers(1, 3))
            weight = self.values((c_out, shape[0] // groups, k), 0.8, 0.2)
            padding, stride = int(rng.integers(0, k)), int(rng.integers(1, 3))
            return self.add(Conv1d(weight, self.bias(c_out), stride, padding, 1, groups), source)
        if len(shape) > 1:
            source = self.add(Flatten(0, -1), source)
            shape = self.shapes[source]
        m = n_out or int(rng.integers(2, 7))
        return self.add(Linear(self.values((m, shape[0]), 0.8, 0.2), self.bias(m)), source)

    def bias(self, n: int) -> Floats:
        return self.values((n,), 1.0 if self.restless else 0.15) if self.rng.random() < 0.6 else np.zeros(n)

    def _image_node(self, shape: Shape) -> Node:
        rng = self.rng
        kernel = tuple(int(rng.integers(1, min(3, n) + 1)) for n in shape[1:])
        stride = tuple(int(rng.integers(1, 3)) for _ in range(2))
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
        kind = rng.integers(4)
        if kind == 0:
            return (SumPool2d if rng.random() < 0.5 else AvgPool2d)(kernel, stride, padding)  # type: ignore[arg-type]
        if kind == 1:
            scale = self.values((shape[0], 1, 1) if rng.random() < 0.6 else shape, 0.5, 1.0)
            return Scale(np.broadcast_to(scale, shape).copy())
        groups = shape[0] if rng.random() < 0.25 else 1
        c_out = groups * int(rng.integers(1, 3))
        weight = self.values((c_out, shape[0] // groups, *kernel), 0.8, 0.2)
        return Conv2d(weight, self.bias(c_out), stride, padding, (1, 1), groups)  # type: ignore[arg-type]

    def neuron(self, source: str, kinds: tuple[str, ...] = NEURONS) -> str:
        return self.add(self._neuron(str(self.rng.choice(kinds)), self.shapes[source]), source)

    def _neuron(self, kind: str, shape: Shape) -> Node:
        rng, how = self.rng, self.how
        tick = 1.0 if how.tau_in_steps else how.dt_s
        fields: dict[str, Any] = {}
        own = () if kind in READOUTS else shape  # a readout with several time constants is refused
        if kind == "Threshold":
            return Threshold(self.spread(shape, 0.1, 0.9))
        gain = self.spread(shape, 0.5, 1.5)
        if kind in ("I", "IF"):
            fields["r"] = gain / how.dt_s if how.integrates_r else gain
        else:
            d = np.exp2(-rng.integers(0, 3)) if self.dyadic else self.spread(own, 0.1, 1.0)
            tau = np.broadcast_to(tick / d, shape).astype(np.float64)
            fields |= {"tau": tau, "r": gain / d if how.gain == "euler" and not self.dyadic else gain * 2}
        if kind in ("CubaLI", "CubaLIF"):
            fields |= {"tau_mem": fields.pop("tau"), "w_in": self.spread(shape, 0.5, 1.5)}
            d = np.exp2(-rng.integers(0, 3)) if self.dyadic else self.spread(own, 0.2, 1.0)
            fields["tau_syn"] = np.broadcast_to(tick / d, shape).astype(np.float64)
        if kind in ("LI", "LIF", "CubaLI", "CubaLIF"):
            fields["v_leak"] = (
                self.spread(shape, -0.25, 2.0 if self.restless else 0.25) if rng.random() < 0.4 else np.zeros(shape)
            )
        if kind in ("IF", "LIF", "CubaLIF"):
            fields["v_threshold"] = self.spread(shape, 0.5, 1.5)
            fields["v_reset"] = self.spread(shape, 0.125, 0.375) if rng.random() < 0.3 else np.zeros(shape)
        return {"I": I, "IF": IF, "LI": LI, "LIF": LIF, "CubaLI": CubaLI, "CubaLIF": CubaLIF}[kind](**fields)


def random_graph(seed: int, how: Convention, dyadic: bool = False, kinds: tuple[str, ...] = NEURONS) -> Graph:
    """Three to six layers; some run beside each other and meet again, some hear themselves."""
    rng = np.random.default_rng(seed)
    shape = [(1, 6, 7), (2, 5, 5), (5,), (2, 9)][int(rng.integers(4))]
    b = Builder(rng, how, dyadic)
    end = b.add(Input(shape))
    for _ in range(int(rng.integers(2, 5))):
        before = end
        for _ in range(int(rng.integers(1, 3))):
            end = b.weights(end)
        if rng.random() < 0.2:
            steps = rng.integers(0, 3, b.shapes[end] if rng.random() < 0.5 else ())
            end = b.add(Delay(np.broadcast_to(steps * how.dt_s, b.shapes[end]).astype(np.float64)), end)
        joined = end
        if rng.random() < 0.35:  # a branch over a layer of its own, or weights alone
            aside = b.weights(before)
            if rng.random() < 0.5:
                aside = b.neuron(aside, kinds)
            if len(b.shapes[joined]) > 1:
                joined = b.add(Flatten(0, -1), joined)
            aside = b.weights(b.add(Flatten(0, -1), aside) if len(b.shapes[aside]) > 1 else aside, b.shapes[joined][0])
            b.edges.append((aside, neuron := f"n{len(b.nodes)}"))
            end = b.neuron(joined, kinds)
            assert end == neuron
        else:
            end = b.neuron(joined, kinds)
        if rng.random() < 0.3 and len(b.shapes[end]) == 1:  # recurrence
            back = b.weights(end, b.shapes[end][0])
            b.edges.append((back, end))
    if rng.random() < 0.3:
        end = b.neuron(b.weights(end, 4), READOUTS)
    b.add(Output(), end)
    return b.graph()


def tangled_graph(seed: int, how: Convention, restless: bool = False, kinds: tuple[str, ...] = NEURONS) -> Graph:
    """What `random_graph` leaves out: several inputs and outputs, delays anywhere, longer loops.

    All layers are rows; a loop through several neurons has a Delay as long as the graph is deep.
    """
    rng = np.random.default_rng(seed)
    b = Builder(rng, how, restless=restless)
    inputs = [b.add(Input((int(rng.integers(2, 5)),))) for _ in range(1 + (rng.random() < 0.3))]
    layers: list[str] = []
    for depth in range(int(rng.integers(2, 5))):
        sources = inputs if not depth else [*layers[-1:], *([str(rng.choice(inputs))] if rng.random() < 0.2 else [])]
        n = int(rng.integers(2, 6))
        ends = [b.weights(_perhaps_late(b, source), n) for source in sources]
        ends[0] = _perhaps_late(b, ends[0])
        b.edges += [(end, f"n{len(b.nodes)}") for end in ends[1:]]
        layers.append(b.neuron(ends[0], kinds))
        if rng.random() < 0.25:
            b.edges.append((layers[-1], layers[-1]))
        if rng.random() < 0.25:
            back = str(rng.choice(layers))
            m = b.shapes[back][0]
            steps = np.full(m, 5 * how.dt_s)
            b.edges.append((b.add(Delay(steps), b.weights(layers[-1], m)), back))
    reads_v = rng.random() < 0.3
    if reads_v:
        layers.append(b.neuron(b.weights(layers[-1], 3), READOUTS))
    b.add(Output(), _perhaps_late(b, layers[-1], each=not reads_v))
    if rng.random() < 0.4:
        b.add(Output(), _perhaps_late(b, layers[0]))
    if rng.random() < 0.3:
        b.add(Output(), b.weights(layers[0], 2))
    return b.graph()


def _perhaps_late(b: Builder, source: str, each: bool = True) -> str:
    """Behind a Delay of 0 to 2 steps, one for all or one each; or as it is."""
    if b.rng.random() > 0.25:
        return source
    steps = b.rng.integers(0, 3, b.shapes[source] if each and b.rng.random() < 0.4 else ())
    return b.add(Delay(np.broadcast_to(steps * b.how.dt_s, b.shapes[source]).astype(np.float64)), source)
