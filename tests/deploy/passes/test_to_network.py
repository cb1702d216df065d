"""Neurons become populations, what lies between them projections; Outputs read spikes, or v of neurons that sum."""

import numpy as np
import pytest

from spikeport.deploy.convention import PRESETS
from spikeport.deploy.graph import Graph
from spikeport.deploy.maps.base import Conv, Dense, Identity, Sparse
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Network, Readout
from spikeport.deploy.nodes import AvgPool2d, Flatten, Input, Node, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.fold_neurons import FoldNeurons
from spikeport.deploy.passes.to_network import ToNetwork
from spikeport.errors import DeployError
from tests.deploy.graphs import DT_S, branches, chain, conv, delay, graph, linear, membrane

EYE = linear(np.eye(4))
OPTIONS = Options(dt_s=DT_S)


def network(before: Graph, options: Options = OPTIONS) -> Network:
    step = ToNetwork()
    step.requires(before, options)
    after = step.run(before, options)
    step.ensures(after, options)
    return after


def test_a_chain_is_one_population_and_one_projection() -> None:
    before = FoldNeurons().run(chain(n_in=2, n_out=3), OPTIONS)
    found = network(before)
    (p,) = found.populations
    assert (p.name, p.shape, p.start, p.first) == ("n", (3,), 0, ())
    assert p.keep_v.tolist() == [0.5] * 3
    assert p.drive == pytest.approx(np.full(3, 0.05))  # half the weights' bias
    assert [(q.source, q.target, q.lag, q.delay) for q in found.projections] == [("in", "n", 0, 0)]
    weight = before.nodes["w"].weight  # type: ignore[union-attr]
    assert np.array_equal(matrix(found.projections[0].map).toarray(), weight / 2)
    assert found.inputs == (("in", (2,)),)
    assert found.outputs == (Readout("out", "n"),)


def test_a_shortcut_is_a_second_projection() -> None:
    found = network(FoldNeurons().run(branches(), OPTIONS))
    assert [p.name for p in found.populations] == ["a", "b", "c"]
    assert [(p.source, p.target) for p in found.into("c")] == [("b", "c"), ("a", "c")]


def test_a_residual_branch_without_weights_is_an_identity() -> None:
    nodes: dict[str, Node] = {"in": Input((4,)), "a": membrane(4), "w": EYE, "b": membrane(4), "v": EYE}
    nodes |= {"c": membrane(4), "out": Output()}
    edges = [("in", "a"), ("a", "w"), ("w", "b"), ("b", "v"), ("v", "c"), ("a", "c"), ("c", "out")]
    found = network(graph(nodes, edges)).into("c")
    assert [q.source for q in found] == ["b", "a"]
    assert found[1].map == Identity(4)


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
    assert found.outputs == (Readout("out", "b"),)


def flattened_kernel(*behind: tuple[str, Node]) -> Network:
    nodes: dict[str, Node] = {"in": Input((1, 3, 3)), "k": conv(np.ones((2, 1, 2, 2)))}
    return network(
        graph({**nodes, "flat": Flatten(0, -1), "a": membrane(8, bias=1.0), **dict(behind), "out": Output()})
    )


def test_neurons_behind_a_flattened_convolution_have_its_shape() -> None:
    found = flattened_kernel(("w", linear(np.ones((3, 8)))), ("b", membrane(3)))
    a = found.populations[0]
    assert a.shape == a.keep_v.shape == a.bias.shape == a.drive.shape == (2, 2, 2)
    assert isinstance(found.into("a")[0].map, Conv)


def test_what_is_handed_out_keeps_the_shape_that_the_graph_gives_it() -> None:
    found = flattened_kernel()
    assert found.populations[0].shape == (8,)
    assert isinstance(found.into("a")[0].map, Sparse)


def test_neurons_without_spikes_are_read_as_they_are() -> None:
    nodes: dict[str, Node] = {"in": Input((4,)), "w": EYE, "n": membrane(4, threshold=np.inf), "out": Output()}
    assert network(graph(nodes)).outputs == (Readout("out", "n", "v"),)


def test_weights_before_an_output_end_in_neurons_that_sum() -> None:
    nodes: dict[str, Node] = {"in": Input((4,)), "n": membrane(4), "w": linear(np.ones((2, 4)), 0.5), "out": Output()}
    found = network(graph(nodes))
    summed = found.population("out.v")
    assert found.outputs == (Readout("out", "out.v", "v"),)
    assert (summed.shape, summed.fires) == ((2,), False)
    assert summed.drive.tolist() == [0.5, 0.5]
    assert not (np.any(summed.keep_v) or np.any(summed.keep_u))
    assert isinstance(found.into("out.v")[0].map, Dense)


def test_global_pooling_of_spikes_ends_in_neurons_that_sum() -> None:
    nodes: dict[str, Node] = {"in": Input((2, 3, 4)), "n": membrane(2, 3, 4), "p": AvgPool2d((3, 4), (3, 4), (0, 0))}
    found = network(graph({**nodes, "out": Output()}))
    (q,) = found.into("out.v")
    assert np.array_equal(matrix(q.map).toarray(), np.kron(np.eye(2), np.full((1, 12), 1 / 12)))


def test_a_population_that_sums_has_a_name_of_its_own() -> None:
    nodes: dict[str, Node] = {"in": Input((4,)), "out.v": membrane(4), "w": EYE, "out": Output()}
    nodes["w"] = linear(2 * np.eye(4))
    assert [p.name for p in network(graph(nodes)).populations] == ["out.v", "out.v_"]


def test_a_delay_before_an_output_is_its_lag() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "n": membrane(2), "d": delay(3, 3), "out": Output()}
    assert network(graph(nodes)).outputs == (Readout("out", "n", "s", 3),)


def test_a_delay_for_each_neuron_is_a_projection_for_each_length() -> None:
    nodes: dict[str, Node] = {"in": Input((3,)), "d": delay(0, 2, 0), "n": membrane(3), "out": Output()}
    found = {q.lag: matrix(q.map).toarray() for q in network(graph(nodes)).into("n")}
    assert np.array_equal(found[0], np.diag([1, 0, 1]))
    assert np.array_equal(found[2], np.diag([0, 1, 0]))


def recurrent(at_start: bool) -> Network:
    nodes: dict[str, Node] = {"in": Input((2,)), "n": membrane(2), "r": linear(np.ones((2, 2)), [0.25, -0.5])}
    edges = [("in", "n"), ("n", "r"), ("r", "n"), ("n", "out")]
    how = PRESETS["snntorch" if at_start else "nir"]
    return network(graph({**nodes, "out": Output()}, edges), Options(dt_s=DT_S, convention=how))


def test_a_recurrent_bias_is_missing_at_the_first_step_unless_the_convention_has_it() -> None:
    (late,), (early,) = recurrent(at_start=False).populations, recurrent(at_start=True).populations
    assert late.drive.tolist() == early.drive.tolist() == [0.25, -0.5]
    assert [x.tolist() for x in late.first] == [[-0.25, 0.5]]
    assert early.first == ()
    assert [(q.source, q.lag) for q in recurrent(at_start=True).projections] == [("in", 0), ("n", 1)]


def test_where_v_starts_is_pushed_in_at_the_first_step() -> None:
    """v starts at 2: half of it is left after a step. Of the push, a current would keep a quarter: taken back."""
    nodes: dict[str, Node] = {"in": Input((1,)), "n": membrane(1, keep=0.5, keep_u=0.25, start=2.0), "out": Output()}
    (p,) = network(graph(nodes)).populations
    assert [x.tolist() for x in p.first] == [[1.0], [-0.25]]
    nodes["n"] = membrane(1, keep=0.5, start=2.0)
    (p,) = network(graph(nodes)).populations
    assert [x.tolist() for x in p.first] == [[1.0]]


def test_neurons_behind_neurons_without_spikes_are_refused() -> None:
    nodes: dict[str, Node] = {"in": Input((4,)), "li": membrane(4, threshold=np.inf), "w": EYE, "n": membrane(4)}
    with pytest.raises(DeployError) as caught:
        network(graph({**nodes, "out": Output()}))
    assert str(caught.value) == ("n: source (li) sends no spikes; let only an Output follow neurons that do not fire")
