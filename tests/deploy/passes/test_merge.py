"""Duplicates are merged without a spike being changed, and stay where their weights would not fit."""

import numpy as np
import pytest

from spikeport.deploy.calibration import Calibration
from spikeport.deploy.nodes import Flatten, Input, Node, Output, SumPool2d
from spikeport.deploy.pipeline import Compiled, compiled
from spikeport.sim import simulate
from tests.deploy.graphs import conv, graph, lif, linear


def both(nodes: dict[str, Node], shape: tuple[int, ...], seed: int) -> tuple[Compiled, Compiled, np.ndarray]:
    """With and without repair, on the same spikes."""
    x = (np.random.default_rng(seed).random((20, 4, *shape)) < 0.4).astype(np.int64)
    data = Calibration({"spikes": x})
    before = graph({"in": Input(shape), **nodes, "out": Output()})
    plain = compiled(before, dt_s=1e-4, steps=20, data=data, correct=False)
    return plain, compiled(before, dt_s=1e-4, steps=20, data=data, correct=False, repair=True), x


@pytest.mark.parametrize("seed", range(5))
def test_dense_duplicates_become_one_neuron_with_the_sum_of_their_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.normal(0.2, 0.5, (12, 6))
    weight[[3, 7, 11]] = weight[1]
    second = rng.normal(0, 0.2, (4, 12))
    second[:, [1, 3, 7, 11]] = 0.05
    second[0, 0] = 1.0
    nodes: dict[str, Node] = {
        "w": linear(weight, 0.1),
        "a": lif(12),
        "u": linear(second),
        "b": lif(4, v_threshold=0.05),
    }
    plain, repaired, x = both(nodes, (6,), seed)
    assert [g.size for g in plain.program.groups] == [12, 4]
    assert [g.size for g in repaired.program.groups] == [9, 4]
    assert "a: 3 duplicates of other neurons are merged with them" in repaired.remarks
    want = simulate(plain.program, x).spikes
    assert want.any()
    assert np.array_equal(simulate(repaired.program, x).spikes, want)


def test_duplicate_channels_are_merged_whole() -> None:
    rng = np.random.default_rng(0)
    kernel = rng.normal(0.3, 0.5, (4, 1, 3, 3))
    kernel[2] = kernel[0]
    second = rng.normal(0, 0.3, (3, 4, 2, 2))
    second[:, 2] = second[:, 0] = 0.1
    nodes: dict[str, Node] = {
        "k": conv(kernel),
        "a": lif(4, 6, 6),
        "l": conv(second),
        "b": lif(3, 5, 5, v_threshold=0.1),
    }
    nodes |= {"f": Flatten(0, -1), "w": linear(rng.normal(0.1, 0.3, (2, 75))), "c": lif(2, v_threshold=0.1)}
    plain, repaired, x = both(nodes, (1, 8, 8), 1)
    assert [g.shape for g in repaired.program.groups] == [(3, 6, 6), (3, 5, 5), (2,)]
    want = simulate(plain.program, x).spikes
    assert want.any()
    assert np.array_equal(simulate(repaired.program, x).spikes, want)


def test_duplicate_channels_are_merged_before_a_kernel_and_its_border() -> None:
    """Their weights are added up in the kernel and in the synapses that are listed beside it."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(0.3, 0.5, (4, 1, 3, 3))
    kernel[2] = kernel[0]
    second = rng.choice([-0.5, 0.5, 1.0], (3, 4, 3, 3))  # few values: a grid, on which sums are exact
    second[:, 2] = second[:, 0] = 0.5
    nodes: dict[str, Node] = {
        "k": conv(kernel),
        "a": lif(4, 20, 20),
        "p": SumPool2d((3, 3), (2, 2), (1, 1)),
        "l": conv(second, padding=(1, 1)),
        "b": lif(3, 10, 10, v_threshold=3.0),
    }
    nodes |= {"f": Flatten(0, -1), "w": linear(rng.normal(0.1, 0.3, (2, 300))), "c": lif(2, v_threshold=0.1)}
    plain, repaired, x = both(nodes, (1, 22, 22), 1)
    assert [type(c).__name__ for c in repaired.program.connections if c.target == "b"] == ["Conv", "Sparse"]
    assert [g.shape for g in repaired.program.groups] == [(3, 20, 20), (3, 10, 10), (2,)]
    want = simulate(plain.program, x).spikes
    assert want.any()
    assert np.array_equal(simulate(repaired.program, x).spikes, want)


def test_duplicates_whose_sum_no_mantissa_holds_stay() -> None:
    weight = np.array([[1.0, 0.5], [1.0, 0.5], [0.3, 1.0]])
    second = np.array([[0.97, 0.93, 0.011]])  # twice the largest, and a weight that has its last bit
    nodes: dict[str, Node] = {"w": linear(weight), "a": lif(3), "u": linear(second), "b": lif(1)}
    plain, repaired, _ = both(nodes, (2,), 0)
    assert [g.size for g in repaired.program.groups] == [g.size for g in plain.program.groups] == [3, 1]


def test_without_repair_nothing_is_merged() -> None:
    second = np.array([[0.25, 0.25, 0.25], [1.0, 0, 0]])
    nodes: dict[str, Node] = {"w": linear(np.ones((3, 2))), "a": lif(3), "u": linear(second), "b": lif(2)}
    plain, repaired, _ = both(nodes, (2,), 0)
    assert plain.program.groups[0].size == 3
    assert repaired.program.groups[0].size == 1
