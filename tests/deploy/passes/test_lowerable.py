"""Every kind of node is lowered; what cannot be is refused by name before any pass looks at it."""

from typing import Any

import numpy as np
import pytest

from spikeport.deploy import nodes
from spikeport.deploy.nodes import Flatten, Input, Node, Output
from spikeport.deploy.pipeline import compile_graph
from spikeport.errors import DeployError
from tests.deploy.graphs import DT_S, chain, conv, cuba, floats, graph, integrate, li, lif, linear

ONE = np.ones(3)


def refused(before: Any) -> DeployError:
    with pytest.raises(DeployError) as caught:
        compile_graph(before)
    return caught.value


@pytest.mark.parametrize(
    "node",
    [
        nodes.Scale(0.5 * ONE),
        nodes.Delay(2 * DT_S * ONE),
        nodes.Threshold(0.5 * ONE),
        integrate(3),
        cuba(3),
        nodes.I(ONE),
        li(3),
        nodes.CubaLI(2 * DT_S * ONE, 2 * DT_S * ONE, ONE, 0 * ONE, ONE),
    ],
    ids=lambda node: type(node).__name__,
)
def test_every_kind_of_node_behind_neurons_is_lowered(node: Node) -> None:
    made = graph({"in": Input((3,)), "w": linear(np.eye(3)), "n": lif(3), "odd": node, "out": Output()})
    program = compile_graph(made, steps=10)
    assert "n" in {g.name for g in program.groups}
    assert program.outputs[0].name == "out"


@pytest.mark.parametrize("kind", [nodes.SumPool2d, nodes.AvgPool2d])
def test_pooling_is_lowered(kind: type[Any]) -> None:
    pool = kind((2, 2), (2, 2), (0, 0))
    made = {"in": Input((1, 4, 4)), "k": conv([[[[1.0]]]]), "n": lif(1, 4, 4), "p": pool, "b": lif(1, 2, 2)}
    assert [g.shape for g in compile_graph(graph({**made, "out": Output()})).groups] == [(1, 4, 4), (1, 2, 2)]


def test_convolutions_along_one_axis_are_lowered() -> None:
    one = nodes.Conv1d(np.ones((1, 1, 1)), np.zeros(1), 1, 0, 1, 1)
    program = compile_graph(graph({"in": Input((1, 4)), "k": one, "n": lif(1, 4), "out": Output()}))
    assert program.groups[0].size == 4


GOOD: dict[str, Node] = {"in": Input((3,)), "w": linear(np.eye(3)), "n": lif(3), "out": Output()}


@pytest.mark.parametrize(
    ("made", "edges", "message"),
    [
        ({k: GOOD[k] for k in ("w", "n", "out")}, None, "graph: has no Input node; export a whole network"),
        ({k: GOOD[k] for k in ("in", "w", "n")}, None, "graph: has no Output node; export a whole network"),
        (
            GOOD | {"v": linear(np.eye(3))},
            [("in", "w"), ("w", "n"), ("n", "out"), ("n", "v")],
            "v: feeds nothing; remove it, or connect it to an Output",
        ),
        ({k: GOOD[k] for k in ("in", "w", "out")}, None, "graph: has no neuron node; export a whole network"),
        (
            {k: GOOD[k] for k in ("in", "n", "out")} | {"end": Output()},
            [("in", "n"), ("n", "out"), ("in", "end")],
            "end: source (in) is not a neuron; end the network in neurons",
        ),
    ],
)
def test_a_graph_that_is_no_network_of_neurons_is_refused(
    made: dict[str, Node], edges: list[tuple[str, str]] | None, message: str
) -> None:
    assert str(refused(graph(made, edges))) == message


def test_one_source_through_two_flattens_counts_twice() -> None:
    made: dict[str, Node] = {"in": Input((1, 2, 2)), "k": conv([[[[4.0]]]]), "f": Flatten(0, -1), "g": Flatten(0, -1)}
    edges = [("in", "k"), ("k", "f"), ("k", "g"), ("f", "n"), ("g", "n"), ("n", "out")]
    program = compile_graph(graph({**made, "n": lif(4, r=1.0), "out": Output()}, edges))
    (group,) = program.groups
    (connection,) = program.connections
    worth = connection.weight * 2.0**connection.weight_exp * 64 * group.v_unit
    assert worth[worth != 0] == pytest.approx(np.full(4, 4.0))  # twice 4, of which tau takes half


@pytest.mark.parametrize("value", [1e300, 1e-300])
def test_numbers_whose_products_overflow_are_refused(value: float) -> None:
    before = chain()
    weight = linear(floats([value, -value], [value, value], [value, value]))
    error = refused(graph({**before.nodes, "w": weight}))
    assert str(error) == f"w: weight ({value:g} at most) is beyond 1e-18 to 1e+18; rescale the layer"
    assert error.__notes__ == ["in pass fold_neurons"]


def test_a_long_row_of_flattens_is_no_recursion() -> None:
    made: dict[str, Node] = {"in": Input((3,)), "w": linear(np.eye(3)), "n": lif(3)}
    made |= {f"f{k}": Flatten(0, -1) for k in range(3000)}
    assert compile_graph(graph({**made, "out": Output()})).groups[0].name == "n"
