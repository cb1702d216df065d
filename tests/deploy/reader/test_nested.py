"""Nested graphs against their flat form, drawn by hand; every way to write an edge into a subgraph."""

import nir
import numpy as np
import pytest

from spikeport.deploy.nodes import Input, Output
from spikeport.deploy.read import from_nir
from spikeport.errors import DeployError
from tests.deploy.reader.tables import Edges, Table, ends, lif, linear, read, table

FLAT = [("affine", "g.lif"), ("g.lif", "output"), ("input", "affine")]


def inner(**more: Table) -> Table:
    """input -> lif -> output."""
    return table({**ends(3), "lif": lif(3), **more}, [("input", "lif"), ("lif", "output")])


def outer(edges: Edges, g: Table | None = None) -> Table:
    return {"nodes": {**ends(2), "affine": linear(2, 3), "g": inner() if g is None else g}, "edges": edges}


@pytest.mark.parametrize("into", ["g", "g.input", "g.lif"])
@pytest.mark.parametrize("out_of", ["g", "g.output", "g.lif"])
def test_edges_name_the_subgraph_its_ends_or_its_nodes(into: str, out_of: str) -> None:
    given = outer([("input", "affine"), ("affine", into), (out_of, "output")])
    if into == "g.lif":
        del given["nodes"]["g"]["nodes"]["input"], given["nodes"]["g"]["edges"][0]
    if out_of == "g.lif":
        del given["nodes"]["g"]["nodes"]["output"], given["nodes"]["g"]["edges"][-1]
    graph = read(given["nodes"], given["edges"])
    assert sorted(graph.edges) == FLAT
    assert list(graph.nodes) == ["input", "affine", "g.lif", "output"]
    assert graph.remarks == ()


def test_graphs_within_graphs_within_graphs() -> None:
    middle = table({**ends(3), "h": inner()}, [("input", "h"), ("h", "output")])
    graph = read({**ends(3), "g": middle}, [("input", "g"), ("g", "output")])
    assert sorted(graph.edges) == [("g.h.lif", "output"), ("input", "g.h.lif")]


def test_an_edge_reaches_through_two_levels() -> None:
    middle = table({"h": table({"lif": lif(3)}, [])}, [])
    graph = read({**ends(3), "g": middle}, [("input", "g.h.lif"), ("g.h.lif", "output")])
    assert sorted(graph.edges) == [("g.h.lif", "output"), ("input", "g.h.lif")]


def test_a_subgraphs_ends_sum_and_spread_what_they_get() -> None:
    g = table({**ends(3), "a": lif(3), "b": lif(3)}, [("input", "a"), ("input", "b"), ("a", "output"), ("b", "output")])
    nodes = {**ends(2), "v": linear(2, 3), "w": linear(2, 3), "g": g, "more": {"type": "Output"}}
    edges = [("input", "v"), ("input", "w"), ("v", "g"), ("w", "g"), ("g", "output"), ("g", "more")]
    graph = read(nodes, edges)
    assert sorted(graph.edges) == sorted(
        [("input", "v"), ("input", "w")]
        + [(a, f"g.{b}") for a in ("v", "w") for b in ("a", "b")]
        + [(f"g.{a}", b) for a in ("a", "b") for b in ("output", "more")]
    )


def test_a_subgraph_that_only_hands_on_is_an_edge() -> None:
    g = table(ends(2), [("input", "output")])
    graph = read({**ends(2), "g": g, "w": linear(2, 3)}, [("input", "g"), ("g", "w"), ("w", "output")])
    assert sorted(graph.edges) == [("input", "w"), ("w", "output")]


def test_the_ends_of_a_subgraph_that_is_not_connected_are_those_of_the_graph() -> None:
    graph = read({"g": inner()}, [])
    assert [type(graph.nodes[name]) for name in ("g.input", "g.output")] == [Input, Output]
    assert sorted(graph.edges) == [("g.input", "g.lif"), ("g.lif", "g.output")]


def test_a_loop_around_a_subgraph_is_feedback() -> None:
    edges = [("input", "affine"), ("affine", "g"), ("g", "output"), ("g", "back"), ("back", "g")]
    given = outer(edges)
    graph = read({**given["nodes"], "back": linear(3, 3)}, edges)
    assert graph.feedback == {("back", "g.lif")}


def test_a_name_with_a_dot_is_a_name() -> None:
    graph = read({**ends(2), "a.b": linear(2, 3)}, [("input", "a.b"), ("a.b", "output")])
    assert "a.b" in graph.nodes


def test_an_object_of_nir_is_flattened_as_its_file_is() -> None:
    """nir 1.0.8 takes no edges into a subgraph, so the graph is not checked there."""
    one = np.ones(3)
    lif_ = nir.LIF(one, one, 0 * one, one)
    ends_ = {"input": nir.Input(np.array([3])), "output": nir.Output(np.array([3]))}
    g = nir.NIRGraph({**ends_, "lif": lif_}, [("input", "lif"), ("lif", "output")])
    edges = [("input", "g.input"), ("g.output", "output")]
    top = nir.NIRGraph({**ends_, "g": g}, edges, type_check=False)
    assert sorted(from_nir(top).edges) == [("g.lif", "output"), ("input", "g.lif")]


def test_a_graph_that_holds_itself_is_refused() -> None:
    top = nir.NIRGraph({}, [], type_check=False)
    top.nodes["again"] = top
    with pytest.raises(DeployError, match=r"^graph: nested graphs \(17\) exceed 16; flatten them$"):
        from_nir(top)


def test_a_graph_is_not_copied_and_not_believed() -> None:
    top = nir.NIRGraph({"n": nir.Scale(np.ones(3))}, [], type_check=False)
    assert len(from_nir(top).nodes) == 3 and list(top.nodes) == ["n"]
    for nodes, edges, message in [
        (None, [], "graph: has no nodes"),
        ({"n": 3}, [], r"n: node type \(nothing\) is not one of"),
        ({"n": nir.Scale(np.ones(3))}, {("n", "n")}, r"graph: edges of shape \(\(\)\) are not pairs of names"),
        ({"n": nir.Scale(np.ones(3))}, None, r"graph: edges of shape \(\(\)\) are not pairs of names"),
        ({"n": nir.Scale(np.array(["a"]))}, [], "n: scale type"),
    ]:
        top.nodes, top.edges = nodes, edges
        with pytest.raises(DeployError, match=f"^{message}"):
            from_nir(top)


def deep(levels: int) -> Table:
    g = inner()
    for _ in range(levels - 1):
        g = table({**ends(3), "g": g}, [("input", "g"), ("g", "output")])
    return g


def test_as_many_levels_as_allowed() -> None:
    assert len(read({**ends(3), "g": deep(16)}, [("input", "g"), ("g", "output")]).nodes) == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            outer([("input", "affine"), ("affine", "g.mars"), ("g", "output")]),
            "graph: edge (affine -> g.mars) names an unknown node g.mars",
        ),
        (
            outer([("input", "affine"), ("affine", "affine.lif"), ("g", "output")]),
            "graph: edge (affine -> affine.lif) names an unknown node affine.lif",
        ),
        (
            outer([("input", "affine"), ("affine", "g"), ("g", "output")], inner(second=ends(3)["input"])),
            "graph: edge (affine -> g; 2 there) leaves open which Input of g it means; name one: g.NODE",
        ),
        (
            outer([("input", "affine"), ("affine", "g"), ("g", "output")], table({"lif": lif(3)}, [])),
            "graph: edge (affine -> g; 0 there) leaves open which Input of g it means; name one: g.NODE",
        ),
        (
            {"nodes": {"g": inner(), "g.lif": lif(3)}, "edges": []},
            "g.lif: is the name of two nodes; rename one",
        ),
        (
            {"nodes": {"g": table({"a.b": lif(3)}, []), "g.a": table({"b": lif(3)}, [])}, "edges": [("g.a.b", "g")]},
            "g.a.b: is the name of two nodes; rename one",
        ),
        (
            {"nodes": {"g": {"type": "NIRGraph", "nodes": {}}}, "edges": []},
            "g: lacks nodes or edges; export it again",
        ),
        (
            {"nodes": {"g": table({"lif": {"type": "ALIF"}}, [])}, "edges": []},
            "g.lif: node type (ALIF) is not one of Input,",
        ),
        (
            outer([("input", "affine"), ("affine", "g"), ("affine", "g.lif"), ("g", "output")]),
            "graph: edge (affine -> g.lif) is listed twice; double the weights behind it, or remove one of the two",
        ),
        ({"nodes": {3: lif(3)}, "edges": []}, "graph: node name (3) is not printable text of at most 255 characters;"),
        ({"nodes": {"a\nb": lif(3)}, "edges": []}, "graph: node name ('a\\nb') is not printable text"),
        ({"nodes": {"g": deep(17)}, "edges": []}, "g.g.g.g.g.g.g.g.g.g.g.g.g.g.g.g.g: nested graphs (17) exceed 16;"),
        ({"nodes": {f"n{k}": lif(3) for k in range(4097)}, "edges": []}, "graph: nodes (more) exceed 4096;"),
        ({"nodes": {"n": lif(3)}, "edges": [("n", "n")] * 8193}, "graph: edges (more) exceed 8192;"),
        ({"nodes": {"n": lif(3)}, "edges": [("n", 3)]}, "graph: edge ('n', 3) is not a pair of names; export it again"),
        ({"nodes": {"n": lif(3)}, "edges": [("n", "n", "n"), ("n", "n")]}, "graph: edges of shape"),
    ],
)
def test_what_is_no_sound_nest_is_refused(given: Table, message: str) -> None:
    with pytest.raises(DeployError) as caught:
        read(given["nodes"], given["edges"])
    assert str(caught.value).startswith(message)
