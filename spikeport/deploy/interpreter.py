"""Runs a float graph under a convention: the yardstick that every pass is held to, and frameworks' own runs hold it."""

from collections import deque
from collections.abc import Callable, Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy import float_synapses
from spikeport.deploy.convention import NIR, Convention
from spikeport.deploy.float_neurons import stepper
from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import (
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Delay,
    Floats,
    Input,
    Linear,
    LinearNode,
    Membrane,
    Node,
    Output,
    Threshold,
)
from spikeport.errors import DelayInvalid, UnknownName, WrongShape

Step = Callable[[Floats], Floats]


def interpret(
    graph: Graph,
    x: NDArray[np.generic] | Mapping[str, NDArray[np.generic]],
    convention: Convention = NIR,
    record: Collection[str] = (),
) -> dict[str, Floats]:
    """What the outputs and the nodes in `record` give, `(T, B, *shape)` by name.

    Args:
        x: `(T, B, *input shape)`; a mapping by name if there are several inputs.

    Raises:
        InputError: arrays of other shapes, or a name in `record` that the graph has not.
    """
    given = _inputs(graph, x)
    steps, batch = next(iter(given.values())).shape[:2]
    if unknown := set(record) - graph.nodes.keys():
        limit = ", ".join(graph.nodes)
        raise UnknownName("record", "node", got=", ".join(sorted(unknown)), relation="is not one of", limit=limit)
    shapes = graph.shapes()
    sources = {name: graph.sources(name) for name in graph.nodes}
    run = {name: _step(name, node, batch, convention) for name, node in graph.nodes.items()}
    names = [name for name, node in graph.nodes.items() if isinstance(node, Output) or name in record]
    found: dict[str, list[Floats]] = {name: [] for name in names}
    before = _silence(graph, shapes, batch, convention)
    for t in range(steps):
        now: dict[str, Floats] = {}
        for name, node in graph.nodes.items():
            if isinstance(node, Input):
                now[name] = given[name][t]
                continue
            arriving = [(before if (a, name) in graph.feedback else now)[a] for a in sources[name]]
            total = sum(arriving[1:], start=arriving[0])
            now[name] = run[name](total)
        for name in names:
            found[name].append(now[name])
        before = {a: now[a] for a, _ in graph.feedback}
    return {name: np.stack(values) for name, values in found.items()}


def _inputs(graph: Graph, x: NDArray[np.generic] | Mapping[str, NDArray[np.generic]]) -> dict[str, Floats]:
    shapes = {name: node.shape for name, node in graph.nodes.items() if isinstance(node, Input)}
    given = x if isinstance(x, Mapping) else dict.fromkeys(shapes, x)
    if given.keys() != shapes.keys() or (not isinstance(x, Mapping) and len(shapes) > 1):
        limit = ", ".join(shapes)
        raise UnknownName("input", "names", got=", ".join(sorted(given)), relation="are not", limit=limit)
    for name, shape in shapes.items():
        if given[name].shape[2:] != shape or given[name].ndim != len(shape) + 2:
            want = f"(T, B, {', '.join(map(str, shape))})"
            raise WrongShape(f"input {name}", "shape", got=given[name].shape, relation="is not", limit=want)
    return {name: np.asarray(values, np.float64) for name, values in given.items()}


def _step(name: str, node: Node, batch: int, convention: Convention) -> Step:
    """One node as a function of what arrives in a step."""
    if isinstance(node, LinearNode | Threshold):
        return lambda x: float_synapses.apply(node, x)
    if isinstance(node, Input | Output):
        return lambda x: x
    if isinstance(node, Delay):
        return _delayed(np.rint(node.delay / convention.dt_s).astype(np.int64), batch)
    step = stepper(node, batch, convention)
    if not convention.layer_delay or isinstance(node, Membrane):
        return step
    late = _delayed(np.full(1, convention.layer_delay), batch)
    return lambda x: late(step(x))


def _delayed(steps: NDArray[np.int64], batch: int) -> Step:
    """What arrived `steps` before, value by value; zeros at first."""
    if steps.min() < 0:
        raise DelayInvalid("delay", "steps", got=int(steps.min()), relation="are below", limit=0)
    past: deque[Floats] = deque(maxlen=int(steps.max()) + 1)

    def step(x: Floats) -> Floats:
        past.appendleft(x)
        y = np.zeros_like(x)
        for d in np.unique(steps):
            if d < len(past):
                y = np.where(steps == d, past[d], y)
        return y

    return step


def _silence(
    graph: Graph, shapes: Mapping[str, tuple[int, ...]], batch: int, convention: Convention
) -> dict[str, Floats]:
    """What comes back along the feedback at the first step: nothing, or what weights give for nothing."""
    found = {}
    for a, _ in graph.feedback:
        node = graph.nodes[a]
        found[a] = np.zeros((batch, *shapes[a]))
        if convention.feedback_bias_at_start and isinstance(node, Linear | Conv1d | Conv2d | ConvTranspose2d):
            bias = node.bias if isinstance(node, Linear) else node.bias.reshape(-1, *[1] * (len(shapes[a]) - 1))
            found[a] = found[a] + bias
    return found
