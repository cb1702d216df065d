"""What arrives at neurons when nothing spikes, and from which step on: by hand."""

import numpy as np
import pytest

from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import Conv1d, Input, Node, Output
from spikeport.deploy.passes.constants import ByLag, constants_into
from tests.deploy.graphs import DT_S, conv, delay, graph, linear, membrane


def constants(before: Graph, target: str = "n", at_start: bool = False) -> dict[int, list[float]]:
    found: ByLag = constants_into(before, before.shapes(), DT_S, at_start)[target]
    return {lag: values.tolist() for lag, values in found.items() if np.any(values)}


def chain(*between: Node, shape: tuple[int, ...], n: tuple[int, ...]) -> Graph:
    names = {f"x{k}": node for k, node in enumerate(between)}
    return graph({"in": Input(shape), **names, "n": membrane(*n), "out": Output()})


A = np.array([[1.0, 2.0], [3.0, -4.0]])


def test_a_bias_is_there_from_the_first_step() -> None:
    assert constants(chain(linear(A, [5.0, 6.0]), shape=(2,), n=(2,))) == {0: [5, 6]}


def test_a_bias_goes_through_the_weights_behind_it() -> None:
    assert constants(chain(linear(A, [5.0, 6.0]), linear(A, [7.0, 0.0]), shape=(2,), n=(2,))) == {
        0: [5 + 12 + 7, 15 - 24]
    }


def test_a_kernels_bias_meets_the_border_of_the_next() -> None:
    """Ones of 3 by 3 over a constant 2: 4 places at a corner, 6 at an edge."""
    ones = conv(np.ones((1, 1, 3, 3)), padding=(1, 1))
    found = constants(chain(conv(np.ones((1, 1, 1, 1)), 2.0), ones, shape=(1, 2, 3), n=(1, 2, 3)))
    assert found == {0: [8, 12, 8, 8, 12, 8]}


def test_a_kernel_along_one_axis_has_a_bias_for_each_channel() -> None:
    node = Conv1d(np.ones((2, 1, 1)), np.array([1.0, -2.0]), 1, 0, 1, 1)
    assert constants(chain(node, shape=(1, 3), n=(2, 3))) == {0: [1, 1, 1, -2, -2, -2]}


def test_a_bias_behind_a_delay_comes_late_value_by_value() -> None:
    assert constants(chain(linear(A, [5.0, 6.0]), delay(3, 1), shape=(2,), n=(2,))) == {1: [0, 6], 3: [5, 0]}


def test_biases_of_several_sources_add_up() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "a": linear(A, 1.0), "b": linear(A, 2.0), "n": membrane(2)}
    edges = [("in", "a"), ("a", "n"), ("in", "b"), ("b", "n"), ("n", "out")]
    assert constants(graph({**nodes, "out": Output()}, edges)) == {0: [3, 3]}


@pytest.mark.parametrize(("at_start", "lag"), [(False, 1), (True, 0)])
def test_a_recurrent_bias_is_there_at_the_first_step_or_not(at_start: bool, lag: int) -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "n": membrane(2), "r": linear(A, [5.0, 6.0]), "out": Output()}
    before = graph(nodes, [("in", "n"), ("n", "r"), ("r", "n"), ("n", "out")])
    assert constants(before, at_start=at_start) == {lag: [5, 6]}


def test_what_a_recurrent_bias_came_through_is_late_in_any_case() -> None:
    """Only a weight node's own bias is handed on at the first step; the one before it is not."""
    nodes: dict[str, Node] = {"in": Input((2,)), "n": membrane(2), "a": linear(A, 1.0), "b": linear(A, [5.0, 6.0])}
    edges = [("in", "n"), ("n", "a"), ("a", "b"), ("b", "n"), ("n", "out")]
    assert constants(graph({**nodes, "out": Output()}, edges), at_start=True) == {1: [3, -1], 0: [5, 6]}


def test_an_output_behind_weights_has_their_bias() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "n": membrane(2), "w": linear(A, [5.0, 6.0]), "out": Output()}
    assert constants(graph(nodes), "out") == {0: [5, 6]}
