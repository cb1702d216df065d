"""A Program's names are letters, digits and underscores; NIR's are free."""

import pytest

from spikeport.deploy.nodes import Input, Node, Output
from spikeport.deploy.passes.names import free, plain_names
from spikeport.deploy.pipeline import compile_graph
from tests.deploy.graphs import graph, lif, linear


@pytest.mark.parametrize(
    ("names", "plain"),
    [
        (["lif", "in_2"], ["lif", "in_2"]),
        (["outer.inner"], ["outer_inner"]),
        (["a.b", "a_b", "a-b"], ["a_b_2", "a_b", "a_b_3"]),
        (["é", "名前"], ["_", "__"]),
    ],
)
def test_names_become_plain_and_stay_distinct(names: list[str], plain: list[str]) -> None:
    assert list(plain_names(names).values()) == plain


def test_a_name_is_kept_where_it_is_free() -> None:
    assert free("a", {"b"}) == "a"
    assert free("a", {"a", "a_"}) == "a__"


def test_a_nested_graphs_names_are_plain_in_the_program() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "g.w": linear([[1.0, 1.0]]), "g.n": lif(1), "g.out": Output()}
    program = compile_graph(graph(nodes))
    assert [g.name for g in program.groups] == ["g_n"]
    assert [(c.source, c.target) for c in program.connections] == [("in", "g_n")]
    assert [(o.name, o.source) for o in program.outputs] == [("g_out", "g_n")]
