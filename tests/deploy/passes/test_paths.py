"""Every path between two neurons is one linear map and a number of steps; matrices by numpy and torch."""

import numpy as np
import pytest
import torch

from spikeport.deploy.graph import Graph
from spikeport.deploy.maps.base import Conv, Dense, Identity, Sparse
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import AvgPool2d, Delay, Flatten, Input, Node, Output, Scale, SumPool2d
from spikeport.deploy.passes.paths import Path, delay_steps, paths_into, stateless_order
from spikeport.errors import DeployError
from tests.deploy.graphs import DT_S, conv, delay, floats, graph, linear, membrane

ROUNDING = 1e-12


def paths(before: Graph, target: str = "n") -> list[Path]:
    return paths_into(before, before.shapes(), DT_S)[target]


def into(*between: Node, shape: tuple[int, ...], n: tuple[int, ...]) -> list[Path]:
    """The paths of one chain."""
    names = {f"x{k}": node for k, node in enumerate(between)}
    return paths(graph({"in": Input(shape), **names, "n": membrane(*n), "out": Output()}))


def found(path: Path) -> np.ndarray:
    return matrix(path.map).toarray()


A, B = np.array([[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]]), np.array([[1.0, 0.0, -2.0], [2.0, 1.0, 4.0]])


def test_without_weights_the_path_is_the_identity() -> None:
    (path,) = into(Flatten(0, -1), shape=(2, 3), n=(6,))
    assert (path.source, path.lag, path.map) == ("in", 0, Identity(6))


def test_weights_one_after_another_are_their_product() -> None:
    (path,) = into(linear(A), linear(B), shape=(2,), n=(2,))
    assert isinstance(path.map, Dense)
    assert np.array_equal(path.map.weight, B @ A)


def test_paths_of_one_source_add_up() -> None:
    """n hears A x, B' A x, and x itself."""
    square = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    nodes: dict[str, Node] = {"in": Input((2,)), "a": linear(A), "b": linear(square), "n": membrane(3)}
    edges = [("in", "a"), ("a", "n"), ("a", "b"), ("b", "n"), ("n", "out")]
    (path,) = paths(graph({**nodes, "out": Output()}, edges))
    assert np.array_equal(found(path), square @ A + A)


def test_a_node_before_a_node_that_joins_two_sources_is_linear_in_both() -> None:
    nodes: dict[str, Node] = {"a": Input((2,)), "b": Input((2,)), "w": linear(A), "n": membrane(3), "out": Output()}
    both = paths(graph(nodes, [("a", "w"), ("b", "w"), ("w", "n"), ("n", "out")]))
    assert [path.source for path in both] == ["a", "b"]
    assert all(np.array_equal(found(path), A) for path in both)


def test_pooling_before_a_convolution_stays_one_kernel() -> None:
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(4, 2, 3, 3))
    pooled = AvgPool2d((2, 2), (2, 2), (0, 0))
    (path,) = into(pooled, conv(weight, padding=(1, 1)), shape=(2, 8, 6), n=(4, 4, 3))
    unit = torch.eye(96, dtype=torch.float64).reshape(96, 2, 8, 6)
    want = torch.nn.functional.conv2d(torch.nn.functional.avg_pool2d(unit, 2), torch.from_numpy(weight), padding=1)
    np.testing.assert_allclose(found(path), want.reshape(96, -1).T.numpy(), rtol=ROUNDING, atol=ROUNDING)


def test_means_that_overlap_before_a_padded_convolution_are_two_paths_that_add_up() -> None:
    """The kernel, and what it sees beyond the border of the means; a Scale behind them is in both."""
    rng = np.random.default_rng(3)
    weight, factor = rng.normal(size=(4, 2, 3, 3)), np.array([0.5, -3.0, 1.0, 2.0])
    pooled = AvgPool2d((3, 3), (2, 2), (1, 1))
    scale = Scale(np.broadcast_to(factor[:, None, None], (4, 10, 9)).copy())
    kernel, less = into(pooled, conv(weight, padding=(1, 1)), scale, shape=(2, 20, 18), n=(4, 10, 9))
    assert isinstance(kernel.map, Conv) and isinstance(less.map, Sparse)
    assert (kernel.source, kernel.lag) == (less.source, less.lag) == ("in", 0)
    unit = torch.eye(720, dtype=torch.float64).reshape(720, 2, 20, 18)
    means = torch.nn.functional.avg_pool2d(unit, 3, 2, 1)
    want = torch.nn.functional.conv2d(means, torch.from_numpy(weight * factor[:, None, None, None]), padding=1)
    np.testing.assert_allclose(
        found(kernel) + found(less), want.reshape(720, -1).T.numpy(), rtol=ROUNDING, atol=ROUNDING
    )


def test_pooling_before_flatten_and_linear_is_folded_into_the_weights() -> None:
    weight = np.arange(12.0).reshape(3, 4)
    (path,) = into(SumPool2d((2, 2), (2, 2), (0, 0)), Flatten(0, -1), linear(weight), shape=(1, 4, 4), n=(3,))
    want = weight.reshape(3, 2, 2).repeat(2, axis=1).repeat(2, axis=2).reshape(3, 16)
    assert np.array_equal(found(path), want)


def test_global_pooling_is_a_mean_over_each_channel() -> None:
    (path,) = into(AvgPool2d((3, 4), (3, 4), (0, 0)), Flatten(0, -1), shape=(2, 3, 4), n=(2,))
    assert np.array_equal(found(path), np.kron(np.eye(2), np.full((1, 12), 1 / 12)))


def test_what_batch_norm_leaves_is_folded_into_the_kernel() -> None:
    """A factor for each channel, as a Scale or as a convolution of one tap."""
    weight, factor = np.arange(18.0).reshape(2, 1, 3, 3) - 8, np.array([0.5, -3.0])
    spread = np.broadcast_to(factor[:, None, None], (2, 3, 4)).copy()
    for leftover in (Scale(spread), conv(np.diag(factor).reshape(2, 2, 1, 1))):
        (path,) = into(conv(weight), leftover, shape=(1, 5, 6), n=(2, 3, 4))
        assert isinstance(path.map, Conv)
        assert np.array_equal(path.map.weight, weight * factor[:, None, None, None])


def test_a_delay_of_one_length_is_a_lag() -> None:
    (path,) = into(delay(2, 2), linear(A), shape=(2,), n=(3,))
    assert path.lag == 2
    assert np.array_equal(found(path), A)


def test_delays_add_up() -> None:
    (path,) = into(delay(2, 2), delay(3, 3), shape=(2,), n=(2,))
    assert path.lag == 5


def test_a_delay_for_each_value_is_a_path_for_each_length() -> None:
    short, long = into(delay(1, 4), linear(A), shape=(2,), n=(3,))
    assert (short.lag, long.lag) == (1, 4)
    assert np.array_equal(found(short), A * [1, 0])
    assert np.array_equal(found(long), A * [0, 1])


def test_feedback_takes_a_step_and_its_delay() -> None:
    nodes: dict[str, Node] = {"in": Input((3,)), "n": membrane(3), "r": linear(np.eye(3)), "d": delay(2, 2, 2)}
    edges = [("in", "n"), ("n", "r"), ("r", "d"), ("d", "n"), ("n", "n"), ("n", "out")]
    assert [(p.source, p.lag) for p in paths(graph({**nodes, "out": Output()}, edges))] == [
        ("in", 0),
        ("n", 3),
        ("n", 1),
    ]


def test_many_maps_between_two_populations_become_one() -> None:
    """Convolutions that move differently are no kernel together."""
    nodes: dict[str, Node] = {"in": Input((1, 9, 1)), "n": membrane(1, 9, 1), "out": Output()}
    edges = [("n", "out")]
    for k in range(1, 10):
        nodes[f"k{k}"] = conv(np.full((1, 1, 2, 1), float(k)), dilation=(8, 1), padding=(4, 0))
        edges += [("in", f"k{k}"), (f"k{k}", "n")]
    (path,) = paths(graph(nodes, edges))
    want = 45.0 * (np.eye(9, k=-4) + np.eye(9, k=4))
    assert np.array_equal(found(path), want)


def test_a_loop_without_neurons_is_refused_with_its_nodes() -> None:
    nodes: dict[str, Node] = {"in": Input((2,)), "a": linear(np.eye(2)), "f": Flatten(0, -1), "n": membrane(2)}
    edges = [("in", "a"), ("a", "f"), ("f", "a"), ("f", "n"), ("n", "out")]
    with pytest.raises(DeployError, match=r"^graph: loop without neurons \(.*\); put neurons into it$") as caught:
        stateless_order(graph({**nodes, "out": Output()}, edges))
    assert set(str(caught.value.got).split(" -> ")) == {"a", "f"}


def test_a_delay_below_zero_is_refused() -> None:
    with pytest.raises(DeployError) as caught:
        delay_steps("d", Delay(floats(0.0, -2 * DT_S)), DT_S)
    assert str(caught.value) == "d: delay (-0.0002 s) is below 0"


def test_a_delay_is_rounded_to_whole_steps() -> None:
    assert delay_steps("d", Delay(DT_S * floats(0.4, 1.6, 2.0000001)), DT_S).tolist() == [0, 2, 2]
