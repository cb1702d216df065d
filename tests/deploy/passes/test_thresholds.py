"""A Threshold is a neuron that forgets at each step; behind a sum of spikes it is max-pooling."""

import numpy as np
import pytest

from spikeport.deploy.nodes import Input, Membrane, Node, Output, SumPool2d, Threshold
from spikeport.deploy.options import Options
from spikeport.deploy.passes.thresholds import ThresholdsToNeurons
from spikeport.deploy.pipeline import compile_graph
from spikeport.errors import DeployError
from spikeport.sim import simulate
from tests.deploy.graphs import DT_S, floats, graph, lif, linear


def test_a_threshold_keeps_nothing_and_fires_above_it_alone() -> None:
    step = ThresholdsToNeurons()
    before = graph({"in": Input((2,)), "n": Threshold(floats(0.5, 2.0)), "out": Output()})
    step.requires(before, Options())
    after = step.run(before, Options())
    step.ensures(after, Options())
    node = after.nodes["n"]
    assert isinstance(node, Membrane)
    assert node.threshold.tolist() == [0.5, 2.0]
    assert not any(np.any(x) for x in (node.keep_v, node.keep_u, node.bias, node.drive, node.start))
    assert (node.reset, node.at_threshold) == ("zero", False)


def test_a_threshold_below_zero_is_refused() -> None:
    before = graph({"in": Input((2,)), "n": Threshold(floats(0.5, -2.0)), "out": Output()})
    with pytest.raises(DeployError) as caught:
        ThresholdsToNeurons().requires(before, Options())
    assert str(caught.value) == "n: threshold (-2.0) is below 0; raise it, a core's neuron rests below its threshold"


@pytest.mark.parametrize(("kernel", "stride"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((4, 5), (4, 5))])
def test_a_sum_of_spikes_above_a_half_is_their_maximum_on_the_chip(
    kernel: tuple[int, int], stride: tuple[int, int], rng: np.random.Generator
) -> None:
    """Neurons repeat the input, so that their spikes are known; the pool's are those of numpy's maximum."""
    size = [(n - k) // s + 1 for n, k, s in zip((4, 5), kernel, stride, strict=True)]
    nodes: dict[str, Node] = {"in": Input((2, 4, 5)), "n": lif(2, 4, 5, tau=DT_S, v_threshold=0.5)}
    nodes |= {"sum": SumPool2d(kernel, stride, (0, 0)), "max": Threshold(np.full((2, *size), 0.5)), "out": Output()}
    program = compile_graph(graph(nodes))
    spikes = (rng.random((20, 3, 2, 4, 5)) < 0.06).astype(np.int64)
    want = np.zeros((20, 3, 2, *size), np.int64)
    for y, x in np.ndindex(*size):
        window = spikes[..., y * stride[0] : y * stride[0] + kernel[0], x * stride[1] : x * stride[1] + kernel[1]]
        want[..., y, x] = window.max(axis=(-2, -1))
    assert 0.05 < want.mean() < 0.95
    assert np.array_equal(simulate(program, spikes).spikes, want)


def test_thresholds_of_one_layer_may_differ_on_the_chip() -> None:
    """Of three spikes, each neuron asks for more."""
    nodes: dict[str, Node] = {"in": Input((3,)), "w": linear(np.ones((3, 3))), "n": Threshold(floats(0.5, 1.5, 2.5))}
    program = compile_graph(graph({**nodes, "out": Output()}))
    spikes = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 1], [1, 1, 1]])[:, None]
    assert simulate(program, spikes).spikes[:, 0].tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
