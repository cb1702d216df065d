"""Kinds of nodes that users bring: replaced by what they stand for, at every level; and what is refused."""

from dataclasses import dataclass
from typing import Any

import nir
import numpy as np
import pytest

from spikeport.deploy import register_node
from spikeport.deploy.nodes import Linear
from spikeport.deploy.read import from_nir, graph_of
from spikeport.deploy.reader import brought
from spikeport.errors import DeployError, InputError, UnsupportedNode


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brought, "_LOWERINGS", {})


@dataclass(eq=False)
class Triple(nir.NIRNode):
    size: int


def chain(node: nir.NIRNode) -> nir.NIRGraph:
    nodes = {
        "in": nir.Input(np.array([2])),
        "node": node,
        "or": nir.Threshold(np.ones(2)),
        "out": nir.Output(np.array([2])),
    }
    return nir.NIRGraph(nodes, [("in", "node"), ("node", "or"), ("or", "out")], type_check=False)


def three_times(fields: dict[str, Any]) -> nir.NIRNode:
    return nir.Linear(3 * np.eye(fields["size"]))


def test_a_node_is_what_it_stands_for() -> None:
    register_node("Triple", three_times)
    found = from_nir(chain(Triple(2)))
    assert list(found.nodes) == ["in", "node", "or", "out"]
    node = found.nodes["node"]
    assert isinstance(node, Linear) and np.array_equal(node.weight, 3 * np.eye(2))


def test_it_may_stand_for_a_graph_in_which_it_stands_for_others() -> None:
    """Nine times is a graph of two nodes, each of which is lowered itself."""

    def nine_times(fields: dict[str, Any]) -> nir.NIRNode:
        size = fields["size"]
        nodes = {
            "i": nir.Input(np.array([size])),
            "a": Triple(size),
            "b": Triple(size),
            "o": nir.Output(np.array([size])),
        }
        return nir.NIRGraph(nodes, [("i", "a"), ("a", "b"), ("b", "o")], type_check=False)

    register_node("Triple", three_times)
    register_node("NineTimes", nine_times)
    found = from_nir(chain(type("NineTimes", (Triple,), {})(2)))
    assert list(found.nodes) == ["in", "node.a", "node.b", "or", "out"]
    assert all(isinstance(found.nodes[f"node.{x}"], Linear) for x in "ab")


def test_an_unknown_kind_is_still_refused() -> None:
    register_node("Another", three_times)
    with pytest.raises(UnsupportedNode, match=r"node: node type \(Triple\) is not one of"):
        from_nir(chain(Triple(2)))


def test_one_that_stands_for_itself_ends() -> None:
    register_node("Triple", lambda fields: chain(Triple(2)))
    with pytest.raises(DeployError, match="nested graphs"):
        from_nir(chain(Triple(2)))


def test_what_is_no_node_is_refused() -> None:
    register_node("Triple", lambda fields: np.eye(2))  # type: ignore[arg-type, return-value]
    with pytest.raises(DeployError, match=r"node: what the lowering of Triple gives \(ndarray\) is not a NIR node"):
        from_nir(chain(Triple(2)))


@pytest.mark.parametrize("kind", ["Conv2d", "Unflatten", "NIRGraph", "two words", "", 3])
def test_only_new_names_are_registered(kind: Any) -> None:
    with pytest.raises(InputError, match="is not a new name"):
        register_node(kind, three_times)


def test_a_table_without_nodes_is_refused_as_ever() -> None:
    register_node("Triple", three_times)
    with pytest.raises(DeployError, match="lacks nodes or edges"):
        graph_of({"type": "NIRGraph", "nodes": 3}, "")
