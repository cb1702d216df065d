"""What is read and not lowered is refused by name and type before any pass looks at it."""

from typing import Any

import numpy as np
import pytest

from spikeport.deploy import nodes
from spikeport.deploy.nodes import Flatten, Input, Node, Output
from spikeport.deploy.pipeline import compile_graph
from spikeport.errors import DeployError, UnsupportedNode
from tests.deploy.graphs import chain, conv, floats, graph, lif, linear

ONE = np.ones(3)
KINDS: list[tuple[Node, str]] = [
    (nodes.Scale(ONE), "multiply it into the weights behind it"),
    (nodes.Delay(ONE), "remove it, or take its steps from the input"),
    (nodes.Threshold(ONE), "use LIF with a tau of one step"),
    (nodes.IF(ONE, ONE, ONE), "use LIF with a long tau"),
    (nodes.CubaLIF(*[ONE] * 7), "use LIF"),
    (nodes.I(ONE), "end the network in LIF"),
    (nodes.LI(*[ONE] * 3), "end the network in LIF"),
    (nodes.CubaLI(*[ONE] * 5), "end the network in LIF"),
]


def refused(before: Any) -> DeployError:
    with pytest.raises(DeployError) as caught:
        compile_graph(before)
    assert caught.value.__notes__ == ["in pass fold_neurons"]
    return caught.value


@pytest.mark.parametrize(("node", "do"), KINDS, ids=lambda x: type(x).__name__ if not isinstance(x, str) else "")
def test_a_node_that_no_pass_lowers_is_refused_by_name_and_type(node: Node, do: str) -> None:
    error = refused(graph({"in": Input((3,)), "w": linear(np.eye(3)), "n": lif(3), "odd": node, "out": Output()}))
    assert type(error) is UnsupportedNode
    assert str(error) == (
        f"odd: node type ({type(node).__name__}) is read, but not lowered; lowered are "
        f"Input, Output, Flatten, Linear, Affine, Conv2d, LIF; {do}"
    )


@pytest.mark.parametrize("kind", [nodes.SumPool2d, nodes.AvgPool2d])
def test_pooling_is_refused(kind: type[Any]) -> None:
    pool = kind((2, 2), (2, 2), (0, 0))
    error = refused(
        graph({"in": Input((1, 4, 4)), "k": conv([[[[1.0]]]]), "n": lif(1, 4, 4), "p": pool, "out": Output()})
    )
    assert (error.where, error.got) == ("p", kind.__name__)


def test_convolutions_along_one_axis_are_refused() -> None:
    one = nodes.Conv1d(np.ones((1, 1, 1)), np.zeros(1), 1, 0, 1, 1)
    error = refused(graph({"in": Input((1, 4)), "k": one, "n": lif(1, 4), "out": Output()}))
    assert (error.where, error.got, error.do) == ("k", "Conv1d", "write it as a Conv2d of height 1")


EDGES = [("in", "w"), ("w", "n"), ("n", "out")]


@pytest.mark.parametrize(
    ("more", "shown"),
    [([("n", "v"), ("v", "n")], "v -> n"), ([("n", "n")], "n -> n"), ([("n", "f"), ("f", "f"), ("f", "v")], "f -> f")],
)
def test_a_loop_is_refused_with_its_edges(more: list[tuple[str, str]], shown: str) -> None:
    made: dict[str, Node] = {"in": Input((3,)), "w": linear(np.eye(3)), "n": lif(3), "out": Output()}
    for name, node in (("v", linear(np.eye(3))), ("f", Flatten(0, -1))):
        made |= {name: node} if any(name in edge for edge in more) else {}
    error = refused(graph(made, EDGES + more))
    assert str(error) == f"graph: recurrent loop ({shown}) is not supported; unroll it or remove the loop"


def test_one_source_through_two_flattens_is_refused() -> None:
    made: dict[str, Node] = {"in": Input((1, 2, 2)), "k": conv([[[[4.0]]]]), "f": Flatten(0, -1), "g": Flatten(0, -1)}
    edges = [("in", "k"), ("k", "f"), ("k", "g"), ("f", "n"), ("g", "n"), ("n", "out")]
    error = refused(graph({**made, "n": lif(4), "out": Output()}, edges))
    assert str(error) == "n: is fed twice through Flatten (k); connect it once, and double the weights"


@pytest.mark.parametrize("value", [1e300, 1e-300])
def test_numbers_whose_products_overflow_are_refused(value: float) -> None:
    before = chain()
    weight = linear(floats([value, -value], [value, value], [value, value]))
    error = refused(graph({**before.nodes, "w": weight}))
    assert str(error) == f"w: weight ({value:g} at most) is beyond 1e-18 to 1e+18; rescale the layer"


def test_a_long_row_of_flattens_is_no_recursion() -> None:
    made: dict[str, Node] = {"in": Input((3,)), "w": linear(np.eye(3)), "n": lif(3)}
    made |= {f"f{k}": Flatten(0, -1) for k in range(3000)}
    assert compile_graph(graph({**made, "out": Output()})).groups[0].name == "n"
