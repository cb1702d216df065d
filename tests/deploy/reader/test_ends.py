"""Graphs without Inputs or Outputs, and ends that are connected the wrong way."""

import numpy as np
import pytest

from spikeport.deploy.nodes import Input, Output
from spikeport.deploy.read import graph_of
from spikeport.errors import DeployError
from tests.deploy.reader.tables import Edges, Table, conv, ends, flatten, lif, linear, read


@pytest.mark.parametrize(
    ("first", "shape"),
    [
        (linear(4, 3), (4,)),
        (lif(2, 3), (2, 3)),
        (conv(2, 1, 3, 3, input_shape=[5, 6]), (1, 5, 6)),
        (conv(4, 1, 3, 3, input_shape=[5, 6], groups=2), (2, 5, 6)),
        (conv(2, 1, 3, input_shape=7), (1, 7)),
        (flatten(input_type=[2, 3]), (2, 3)),
    ],
)
def test_a_graph_without_ends_gets_them_where_its_shape_is_known(first: Table, shape: tuple[int, ...]) -> None:
    graph = read({"first": first}, [])
    entry = graph.nodes["input_first"]
    assert isinstance(entry, Input) and entry.shape == shape
    assert isinstance(graph.nodes["output_first"], Output)
    assert graph.edges == (("input_first", "first"), ("first", "output_first"))
    assert graph.remarks == (
        f"first: nothing feeds it; it gets the Input input_first of shape {shape}",
        "first: feeds nothing; it gets the Output output_first",
    )


@pytest.mark.parametrize("first", [conv(2, 1, 3, 3), lif(), flatten()])
def test_an_input_whose_shape_nothing_says_is_refused(first: Table) -> None:
    with pytest.raises(DeployError) as caught:
        read({"first": first}, [])
    assert str(caught.value) == (
        "first: is fed by nothing, and its input shape is not known; put an Input node before it"
    )


def test_a_node_by_itself_is_a_graph_of_one() -> None:
    graph = graph_of(lif(3), "")
    assert list(graph.nodes) == ["input_lif", "lif", "output_lif"]


def test_names_that_are_taken_are_left_alone() -> None:
    nodes = {"a": linear(2, 3), "input_a": lif(3), "input_a_0": lif(3)}
    graph = read(nodes, [("a", "input_a"), ("input_a", "input_a_0")])
    assert ("input_a_1", "a") in graph.edges


def test_a_branch_that_ends_nowhere_is_remarked() -> None:
    nodes = {**ends(2), "w": linear(2, 3), "n": lif(3), "v": lif(3)}
    graph = read(nodes, [("input", "w"), ("w", "n"), ("w", "v"), ("n", "output")])
    assert graph.remarks == ("v: feeds nothing, not even an Output",)


ROW: Edges = [("input", "w"), ("w", "n"), ("n", "output")]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (ROW[1:], "input: is an Input that feeds nothing; connect it, or remove it"),
        (ROW[:2], "output: is an Output that nothing feeds; connect it, or remove it"),
        ([ROW[0], ROW[2]], "n: is fed by nothing; connect it, or remove it"),
        ([*ROW, ("n", "input")], "input: is an Input that is fed (n -> input); remove the edge, or let it go past the"),
        ([*ROW, ("output", "w")], "output: is an Output that feeds (output -> w); remove the edge, or let it go past"),
    ],
)
def test_ends_that_are_connected_the_wrong_way_are_refused(edges: Edges, message: str) -> None:
    with pytest.raises(DeployError) as caught:
        read({**ends(2), "w": linear(2, 3), "n": lif(3)}, edges)
    assert str(caught.value).startswith(message)


def test_a_graph_of_nothing_is_refused() -> None:
    with pytest.raises(DeployError) as caught:
        read({}, [])
    assert str(caught.value) == "graph: has no nodes; export a whole network"


def test_what_an_output_says_of_its_shape_does_not_count() -> None:
    nodes = {**ends(2), "w": linear(2, 3)}
    nodes["output"] = {"type": "Output", "shape": np.array([7.5, np.nan])}
    assert read(nodes).shapes()["output"] == (3,)
