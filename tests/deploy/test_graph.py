"""The order of nodes and the edges that lead back, against scipy's strongly connected components."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spikeport.deploy.graph import MAX_LOOPS, Edge, Graph, ordered
from spikeport.deploy.nodes import Flatten, Input, Node
from spikeport.errors import DeployError

pairs = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 8)), max_size=20)


def made(n: int) -> dict[str, Node]:
    return {"0": Input((3,)), **{str(k): Flatten(0, -1) for k in range(1, n)}}


@given(pairs)
def test_edges_lead_forward_but_for_those_that_close_a_loop(given: list[tuple[int, int]]) -> None:
    """Every node is fed from `0`, so that every loop is entered from outside."""
    edges: tuple[Edge, ...] = tuple({(str(a), str(b)) for a, b in given} | {("0", str(b)) for b in range(1, 9)})
    order = ordered(made(9), edges)
    assert sorted(order) == [str(k) for k in range(9)]
    rows, columns = np.array([[int(a), int(b)] for a, b in edges]).T
    _, part = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), (9, 9)), connection="strong")
    graph = Graph(order, edges)
    assert all(part[int(a)] == part[int(b)] for a, b in graph.feedback)
    loops = {k for k in range(9) if (part == part[k]).sum() > 1 or (str(k), str(k)) in edges}
    assert {part[int(a)] for a, _ in graph.feedback} == {part[k] for k in loops}


def test_a_loop_is_entered_where_it_is_fed_and_by_least_name() -> None:
    nodes: dict[str, Node] = {"in": Input((3,)), **{name: Flatten(0, -1) for name in ("c", "b", "a", "z")}}
    ring = (("a", "b"), ("b", "c"), ("c", "a"))
    assert list(ordered(nodes, (("in", "c"), *ring, ("b", "z")))) == ["in", "c", "a", "b", "z"]
    assert list(ordered(nodes, (("in", "c"), ("in", "b"), *ring, ("b", "z"))))[:2] == ["in", "b"]


def test_a_loop_that_nothing_feeds_is_refused_by_its_nodes() -> None:
    with pytest.raises(DeployError) as caught:
        ordered(made(4), (("0", "1"), ("2", "3"), ("3", "2")))
    assert str(caught.value) == "graph: loop (2, 3) is not fed from outside; connect an input"


def test_more_loops_than_any_network_has_are_refused() -> None:
    nodes = made(MAX_LOOPS + 2)
    edges = tuple(edge for k in range(1, MAX_LOOPS + 2) for edge in (("0", str(k)), (str(k), str(k))))
    assert len(ordered(nodes | {}, edges[: 2 * MAX_LOOPS] + (("0", str(MAX_LOOPS + 1)),))) == MAX_LOOPS + 2
    with pytest.raises(DeployError, match=r"^graph: loops \(257\) exceed 256; merge layers$"):
        ordered(nodes, edges)


@pytest.mark.parametrize("ring", [False, True])
def test_as_many_nodes_as_a_file_may_have_are_ordered_soon(ring: bool) -> None:
    edges = tuple((str(k), str(k + 1)) for k in range(4095)) + ((("4095", "1"),) if ring else ())
    start = time.perf_counter()
    assert list(ordered(made(4096), edges)) == [str(k) for k in range(4096)]
    assert time.perf_counter() - start < 2
