"""What arrives at each node when nothing spikes: biases, and from which step on.

A bias that comes along feedback or through a Delay is not there in a sample's first steps; a constant has a lag, too.
"""

from collections.abc import Mapping
from math import prod
from typing import TypeAlias

import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.maps.apply import apply
from spikeport.deploy.maps.of_node import of_node
from spikeport.deploy.nodes import (
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Delay,
    Floats,
    Linear,
    LinearNode,
    Membrane,
    Node,
    Output,
    Shape,
)
from spikeport.deploy.passes.paths import delay_steps, stateless_order

ByLag: TypeAlias = dict[int, Floats]
"""`(n,)` values that arrive from step 1 + lag on."""


def constants_into(
    graph: Graph, shapes: Mapping[str, Shape], dt_s: float, feedback_bias_at_start: bool
) -> dict[str, ByLag]:
    """All that enters each neuron and each Output besides spikes.

    Args:
        feedback_bias_at_start: Whether a node hands on its own bias along a feedback edge at the first step.
    """
    own: dict[str, Floats] = {}
    passed: dict[str, ByLag] = {}

    def entering(name: str) -> ByLag:
        total: ByLag = {}
        for source in graph.sources(name):
            late = int((source, name) in graph.feedback)
            for lag, values in passed.get(source, {}).items():
                _add(total, lag + late, values)
            if source in own:
                _add(total, late if not feedback_bias_at_start else 0, own[source])
        return total

    for name in stateless_order(graph):
        node = graph.nodes[name]
        if isinstance(node, Output):
            passed[name] = entering(name)
        elif isinstance(node, Delay):
            passed[name] = _delayed(entering(name), delay_steps(name, node, dt_s).reshape(-1))
        elif isinstance(node, LinearNode):
            linear = of_node(node, shapes[graph.sources(name)[0]])
            passed[name] = {lag: apply(linear, x[None])[0] for lag, x in entering(name).items()}
            bias = _bias(node, shapes[name])
            if bias is not None:
                own[name] = bias
    return {name: entering(name) for name, node in graph.nodes.items() if isinstance(node, Membrane | Output)}


def _bias(node: Node, shape: Shape) -> Floats | None:
    """`(n,)`, or None where there is none."""
    if not isinstance(node, Linear | Conv1d | Conv2d | ConvTranspose2d) or not np.any(node.bias):
        return None
    return np.repeat(node.bias, prod(shape) // len(node.bias))


def _delayed(values: ByLag, steps: Floats) -> ByLag:
    found: ByLag = {}
    for lag, x in values.items():
        for length in np.unique(steps):
            _add(found, lag + int(length), np.where(steps == length, x, 0))
    return found


def _add(total: ByLag, lag: int, values: Floats) -> None:
    total[lag] = total[lag] + values if lag in total else values
