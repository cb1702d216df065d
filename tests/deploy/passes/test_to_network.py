"""Neurons become populations, the synapses before them projections; Flatten disappears."""

import numpy as np
import pytest

from spikeport.deploy.graph import Graph
from spikeport.deploy.network import Network
from spikeport.deploy.nodes import Flatten, Input, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.deploy.passes.to_network import ToNetwork
from spikeport.errors import DeployError
from tests.deploy.graphs import branches, chain, conv, graph, linear, membrane

EYE = linear(np.eye(4))


def network(before: Graph) -> Network:
    step = ToNetwork()
    step.requires(before, Options())
    after = step.run(before, Options())
    step.ensures(after, Options())
    return after


def refused(nodes: dict[str, Node], edges: list[tuple[str, str]] | None = None) -> str:
    with pytest.raises(DeployError) as caught:
        network(graph(nodes, edges))
    return str(caught.value)


def test_a_chain_is_one_population_and_one_projection() -> None:
    before = FoldNeurons().run(chain(n_in=2, n_out=3), Options())
    found = network(before)
    assert [(p.name, p.shape, p.keep, p.threshold, p.start) for p in found.populations] == [("n", (3,), 0.5, 1.0, 0)]
    assert [(p.source, p.target, p.delay) for p in found.projections] == [("in", "n", 0)]
    assert found.projections[0].synapse is before.nodes["w"]
    assert (found.inputs, found.outputs) == ((("in", (2,)),), (("out", "n"),))


def test_a_shortcut_is_a_second_projection() -> None:
    found = network(FoldNeurons().run(branches(), Options()))
    assert [p.name for p in found.populations] == ["a", "b", "c"]
    assert [(p.source, p.target) for p in found.into("c")] == [("b", "c"), ("a", "c")]


def test_flatten_disappears_because_the_order_is_row_major() -> None:
    nodes: dict[str, Node] = {
        "in": Input((1, 2, 2)),
        "flat0": Flatten(0, -1),
        "w": EYE,
        "a": membrane(4),
        "flat1": Flatten(0, 0),
        "v": EYE,
        "b": membrane(4),
        "flat2": Flatten(0, -1),
        "out": Output(),
    }
    found = network(graph(nodes))
    assert [(p.source, p.target) for p in found.projections] == [("in", "a"), ("a", "b")]
    assert found.inputs == (("in", (1, 2, 2)),)
    assert found.outputs == (("out", "b"),)


def test_neurons_behind_a_flattened_convolution_keep_its_shape() -> None:
    nodes: dict[str, Node] = {
        "in": Input((1, 3, 3)),
        "k": conv(np.ones((2, 1, 2, 2))),
        "flat": Flatten(0, -1),
        "a": membrane(8),
        "out": Output(),
    }
    assert network(graph(nodes)).populations[0].shape == (2, 2, 2)


A = membrane(4)
GOOD: dict[str, Node] = {"in": Input((4,)), "w": EYE, "a": A, "out": Output()}


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ({"w": EYE, "a": A}, None, "graph: has no Input node; export a whole network"),
        ({"in": Input((4,)), "w": EYE, "a": A}, None, "graph: has no Output node; export a whole network"),
        (
            {"in": Input((4,)), "w": EYE, "out": Output()},
            None,
            "graph: has no neuron node; export a whole network",
        ),
        (
            GOOD | {"v": EYE, "end": Output()},
            [("in", "w"), ("w", "a"), ("a", "out"), ("a", "v"), ("v", "end")],
            "v: target (end, Output) is not a neuron; put a neuron after every synapse",
        ),
        (
            GOOD | {"v": EYE},
            [("in", "w"), ("w", "v"), ("v", "a"), ("a", "out")],
            "w: target (v, Linear) is not a neuron; put a neuron after every synapse",
        ),
        (
            GOOD | {"v": EYE},
            [("in", "w"), ("w", "a"), ("a", "out"), ("a", "v")],
            "v: feeds nothing; remove it",
        ),
        (
            GOOD | {"v": EYE, "b": A},
            [("in", "w"), ("w", "a"), ("a", "v"), ("in", "v"), ("v", "b"), ("b", "out")],
            "v: sources (a, in) are not one; give each source its own weights",
        ),
        (
            GOOD,
            [("in", "w"), ("w", "a"), ("a", "out"), ("in", "out")],
            "out: sources (a, in) are not one",
        ),
        (GOOD, [("in", "w"), ("w", "a")], "out: sources (none) are not one"),
        (
            GOOD,
            [("in", "w"), ("w", "a"), ("in", "out")],
            "out: source (in) is not a neuron; end the network in neurons",
        ),
    ],
)
def test_a_graph_that_is_no_network_of_neurons_is_refused(
    nodes: dict[str, Node], edges: list[tuple[str, str]] | None, message: str
) -> None:
    assert refused(nodes, edges) == message
