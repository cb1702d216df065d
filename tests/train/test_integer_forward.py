"""Whole layers by the integer rule, against Python's own integers: ways that add up, images, and widths of sums."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from spikeport.errors import OverflowDetected, ValueOutside, WrongShape, WrongType
from spikeport.train.image import Image
from spikeport.train.integer_rule import (
    IntegerNeurons,
    Way,
    accumulate,
    check_spikes,
    encode,
    fire,
    forward,
    forward_image,
)
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import QuantConv2d, QuantLinear

M = 1 << 23


def by_hand(sums: Sequence[int], biases: Sequence[int], dv: int, vth: int, subtract: bool) -> list[int]:
    """Spikes of one neuron whose current lasts one step."""
    v, spikes = 0, []
    for a, bias in zip(sums, biases, strict=True):
        v = abs(v) * (4096 - dv) // 4096 * (1 if v >= 0 else -1) + 64 * a + bias
        spikes.append(int(v > 64 * vth))
        v = (v - 64 * vth if subtract else 0) if spikes[-1] else v
    return spikes


def way(weight: np.ndarray, spikes: np.ndarray) -> Way:
    synapse = QuantLinear(weight.shape[1], weight.shape[0])
    return Way(synapse, lambda x: x, torch.from_numpy(weight), torch.from_numpy(spikes))


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_ways_into_a_layer_add_up(count: int, reset: str, rng: np.random.Generator) -> None:
    steps, batch, n_in, n_out = 5, 2, 4, 3
    weights = [rng.integers(-60, 90, (n_out, n_in)) for _ in range(count)]
    spikes = [rng.integers(0, 2, (steps, batch, n_in)) for _ in range(count)]
    bias = rng.integers(-900, 900, n_out)
    ints = LayerIntegers(torch.zeros(1), torch.from_numpy(bias), 0, dv=700, vth=40, unit=1.0)
    found = forward([way(w, x) for w, x in zip(weights, spikes, strict=True)], ints, reset, torch.float32)
    assert found.dtype == torch.float32 and found.shape == (steps, batch, n_out)
    for b, k in product(range(batch), range(n_out)):
        sums = [
            sum(int(w[k, j]) * int(x[t, b, j]) for w, x in zip(weights, spikes, strict=True) for j in range(n_in))
            for t in range(steps)
        ]
        assert found[:, b, k].tolist() == by_hand(sums, [int(bias[k])] * steps, 700, 40, reset == "subtract")


LARGE = 16_777_215  # 2^24 - 1: beyond it float32 has no odd numbers


def spikes_of(weights: list[int], vth: int) -> Tensor:
    """One neuron with a way of one synapse for each weight, and a spike on each."""
    ints = LayerIntegers(torch.zeros(1), torch.zeros(1, dtype=torch.int64), 0, dv=0, vth=vth, unit=1.0)
    ones = np.ones((1, 1, 1), np.int64)
    return forward([way(np.array([[w]]), ones) for w in weights], ints, "zero", torch.float32)


@pytest.mark.parametrize(("vth", "fires"), [(0, 1), (1, 0)])
def test_sums_of_several_ways_are_exact_beyond_float32(vth: int, fires: int) -> None:
    """Each alone is exact in float32. All four come to 1; the first two to 33554429, which float32 has not."""
    assert spikes_of([LARGE, LARGE - 1, -LARGE, 2 - LARGE], vth).item() == fires


def test_a_sum_of_two_ways_is_named_as_it_is() -> None:
    """33554429 << 6."""
    with pytest.raises(OverflowDetected, match=r"u \(2147483456\)"):
        spikes_of([LARGE, LARGE - 1], 0)


def test_each_channel_of_a_convolution_has_its_own_bias() -> None:
    """Sums are 2 at one place and 0 at the other; biases of 0 and 65 on a threshold of 64 fire at once or never."""
    weight, spikes = torch.full((2, 1, 1, 1), 2), torch.tensor([1, 0]).reshape(1, 1, 1, 1, 2).repeat(3, 1, 1, 1, 1)
    ints = LayerIntegers(weight, torch.tensor([0, 65]), 0, dv=0, vth=1, unit=1.0)
    found = forward([Way(QuantConv2d(1, 2, 1), lambda x: x, weight, spikes)], ints, "zero", torch.float64)
    assert found.shape == (3, 1, 2, 1, 2)
    assert found[:, 0, :, 0].tolist() == [[[1, 0], [1, 1]]] * 3


def test_ways_of_two_shapes_are_refused() -> None:
    ones = np.ones((2, 3, 1), np.int64)
    ints = LayerIntegers(torch.zeros(1), torch.zeros(2, dtype=torch.int64), 0, dv=0, vth=1, unit=1.0)
    with pytest.raises(WrongShape, match=r"shape of the shortcut \(\(3,\)\) is not \(2,\)"):
        forward([way(np.ones((2, 1), int), ones), way(np.ones((3, 1), int), ones)], ints, "zero", torch.float32)


@pytest.mark.parametrize("values", [[0, 2], [1, -1], [0.5, 1]])
def test_what_is_neither_0_nor_1_is_no_spike(values: list[float]) -> None:
    check_spikes(torch.tensor([0, 1, 1, 0]))
    with pytest.raises(ValueOutside, match="spikes are not 0 or 1"):
        check_spikes(torch.tensor(values))


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("still", [True, False])
def test_an_image_is_the_bias_of_each_step(reset: str, still: bool, rng: np.random.Generator) -> None:
    """Two channels of a 1 x 1 convolution: mantissa (w x + offset + 2) >> 2, shifted by the exponent of 3."""
    steps, batch = 4, 2
    x = rng.integers(0, 60, (batch, 1, 1, 3) if still else (steps, batch, 1, 1, 3))
    weight, offset = [5, -7], [30, 400]
    ints = LayerIntegers(
        torch.tensor(weight).reshape(2, 1, 1, 1), torch.tensor(offset), 3, dv=90, vth=9, unit=1.0, encoder_shift=2
    )
    found = forward_image(QuantConv2d(1, 2, 1), Image(steps), ints, reset, torch.from_numpy(x))
    assert found.shape == (steps, batch, 2, 1, 3)
    for b, c, k in product(range(batch), range(2), range(3)):
        values = [int(x[b, 0, 0, k] if still else x[t, b, 0, 0, k]) for t in range(steps)]
        biases = [(weight[c] * value + offset[c] + 2) // 4 * 8 for value in values]
        assert found[:, b, c, 0, k].tolist() == by_hand([0] * steps, biases, 90, 9, reset == "subtract")


def test_an_image_between_integers_is_refused() -> None:
    with pytest.raises(WrongType, match="image values are not integers"):
        encode(QuantLinear(1, 1), torch.tensor([[2.5]]), torch.ones(1, 1), torch.zeros(1, dtype=torch.int64), 0)


@pytest.mark.parametrize(
    ("weight", "x", "wide"),
    [
        ([1, 1], [0, 1], False),
        ([0, (1 << 24) - 1], [0, 1], False),
        ([1, (1 << 24) - 1], [0, 1], True),
        ([0, (1 << 24) - 1], [0, 0], False),  # where nothing comes in, a spike might
        ([1 << 23, 0], [0, 0], False),
        ([1, 1], [1 << 23, 1], True),
        ([1, 1], [-(1 << 23), -1], True),
        ([1, 1], [1 - (1 << 23), -1], False),
    ],
)
def test_sums_that_float32_might_not_hold_are_added_up_in_float64(weight: list[int], x: list[int], wide: bool) -> None:
    """Where absolute weights times the largest value may come to 2^24."""
    found = accumulate(QuantLinear(2, 1), torch.tensor([x]), torch.tensor([weight]))
    assert found.dtype == (torch.float64 if wide else torch.float32)
    assert int(found.item()) == sum(a * b for a, b in zip(weight, x, strict=True))


def test_a_bias_of_each_step_is_told_where_v_leaves_its_word() -> None:
    """v is 5 after the first step, and 2^23 + 4 with the bias of the second."""
    bias = torch.tensor([5, M - 1]).reshape(2, 1, 1)
    with pytest.raises(OverflowDetected, match=r"v \(8388612\)"):
        fire(torch.zeros(2, 1, 1, dtype=torch.int64), bias, 0, 131071)


def test_u_may_be_as_low_as_1_less_2_to_the_23() -> None:
    """-64 * 4095 / 4096 is kept as -63, and -131071 << 6 is -8388544."""
    for more in (0, -1):
        made, zero = IntegerNeurons(4096, 131071, keep_u=4095), torch.zeros(1, dtype=torch.int64)
        made(torch.tensor([-1]), zero)
        if more:
            with pytest.raises(OverflowDetected, match=r"u \(-8388671\)"):
                made(torch.tensor([-131071 + more]), zero)
        else:
            made(torch.tensor([-131071]), zero + 100)
            assert isinstance(made.u, Tensor) and made.u.item() == 1 - M


def test_the_value_that_leaves_its_word_is_named_beside_one_at_its_border() -> None:
    """131072 << 6 is 2^23, which u holds; -131072 << 6 is one too low."""
    made = IntegerNeurons(4096, 131071)
    with pytest.raises(OverflowDetected, match=r"u \(-8388608\) leaves 24 bits"):
        made(torch.tensor([131072, -131072]), torch.tensor([-1, 1]))
