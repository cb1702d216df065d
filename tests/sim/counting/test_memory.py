"""Bits by hand."""

from typing import Any

import numpy as np
import pytest

from spikeport.program import LIF, Conv, Dense, Group, Resonator, SigmaDelta, Sparse
from spikeport.sim.counting.memory import MemoryBits, memory_bits


def lif(n: int, **more: Any) -> LIF:
    return LIF("g", (n,), 4095, 400, 9, np.zeros(n, np.int64), **more)


def test_a_dense_layer_and_its_delays() -> None:
    weight = np.ones((5, 7), np.int64)
    assert memory_bits(lif(5), [Dense("x", "g", weight, delay=3)], False) == MemoryBits(
        weights=35 * 8, state=5 * 48, settings=13 + 13 + 17
    )
    delayed = [Dense("x", "g", weight, delay=weight), Dense("y", "g", weight)]
    bits = memory_bits(lif(5), delayed, True)
    assert (bits.weights, bits.delays, bits.biases) == (70 * 8, 35 * 6, 5 * 16)
    assert bits.total == 70 * 8 + 35 * 6 + 5 * 16 + 5 * 48 + 43


@pytest.mark.parametrize(("n", "index"), [(1, 0), (2, 1), (256, 8), (257, 9)])
def test_a_sparse_layer_stores_where_each_synapse_goes(n: int, index: int) -> None:
    three = np.arange(3)
    sparse = Sparse("x", "g", three * 0, three, three, delay=three)
    bits = memory_bits(lif(n), [sparse], False)
    assert (bits.weights, bits.weights_index, bits.delays) == (24, 3 * index, 18)


def test_a_convolution_stores_its_kernel_once() -> None:
    conv = Conv("x", "g", np.ones((4, 1, 3, 3), np.int64), groups=2)
    group = LIF("g", (4, 20, 20), 4095, 400, 9, np.zeros((4, 20, 20), np.int64))
    assert memory_bits(group, [conv], False).weights == 4 * 9 * 8


@pytest.mark.parametrize(
    ("group", "biased", "state", "biases", "settings"),
    [
        (lif(2, refractory_steps=3), False, 2 * (48 + 6), 0, 43 + 6),
        (lif(2, vth_low=-3), True, 2 * 48, 32, 43 + 18),
        (SigmaDelta("g", (2,), "sigma"), False, 2 * 24, 0, 0),
        (SigmaDelta("g", (2,), "delta", vth=1), False, 2 * 48, 0, 23 + 6),
        (SigmaDelta("g", (2,), "sigma_delta", vth=1, bias=5), True, 2 * 72, 0, 23 + 6 + 24),
        (SigmaDelta("g", (2,), "sigma_delta", vth=1, bias=np.arange(2), cum_error=True), True, 2 * 96, 48, 23 + 6),
        (Resonator("g", (2,), "rf", 9, 5, 3), False, 2 * 48, 0, 23 + 28 + 3 + 4),
    ],
)
def test_state_and_settings_by_kind(group: Group, biased: bool, state: int, biases: int, settings: int) -> None:
    assert memory_bits(group, [], biased) == MemoryBits(state=state, biases=biases, settings=settings)


def test_bits_add_up() -> None:
    assert MemoryBits(1, 2, 3, 4, 5, 6) + MemoryBits(10, 20, 30, 40, 50, 60) == MemoryBits(11, 22, 33, 44, 55, 66)
    assert MemoryBits(1, 2, 3, 4, 5, 6).total == 21
