"""The image's layer: exact where training wrote it, rounded elsewhere, and never outside 13 bits."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.deploy.maps.base import Conv as ConvMap
from spikeport.deploy.maps.base import Dense as DenseMap
from spikeport.deploy.maps.base import LinearMap
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.network import Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.options import Options
from spikeport.deploy.passes.first_layer import encode
from spikeport.deploy.quantize.rounded import Rounded
from spikeport.errors import RuleError
from spikeport.program import Conv, Dense, Encoder
from tests.deploy.graphs import population

SUM_UNIT = 1 / 64  # what a sum after the shift is worth on the grid


def encoded(
    layer: tuple[LinearMap, Floats], shape: tuple[int, ...], threshold: float, **options: Any
) -> tuple[Rounded, Encoder]:
    """The layer's map and its bias, which has the population's shape or one value for each channel."""
    map, bias = layer
    spread = np.broadcast_to(bias.reshape(*bias.shape, *[1] * (len(shape) - bias.ndim)), shape)
    given = Options(input="bias", steps=8, **{"scale": 1.0, **options})
    p = population("lif1", *shape, threshold=threshold, bias=spread)
    rounded, hosted = encode(p, Projection("in", "lif1", map), given)
    return rounded, hosted.encoder


def linear(weight: Any, bias: Any = 0.0) -> tuple[LinearMap, Floats]:
    array = np.array(weight, np.float64)
    return DenseMap(array), np.broadcast_to(np.array(bias, np.float64), len(array))


def on_grid(k: list[list[int]], offset: list[int], shift: int, scale: float = 1.0) -> tuple[LinearMap, Floats]:
    """As training writes it, in float32."""
    unit = SUM_UNIT / 2.0**shift
    weight = (np.array(k) * unit / scale).astype(np.float32)
    return linear(weight, (np.array(offset) * unit).astype(np.float32))


def bias_mantissa(encoder: Encoder, image: np.ndarray) -> list[int]:
    weight, x = encoder.synapses.weight.tolist(), image.tolist()
    total = [sum(w * p for w, p in zip(row, x, strict=True)) for row in weight]
    half = 1 << (encoder.shift - 1)
    return [(t + int(o) + half) >> encoder.shift for t, o in zip(total, encoder.offset, strict=True)]


@pytest.mark.parametrize("scale", [1.0, 1 / 255, 0.01])
@pytest.mark.parametrize(
    ("k", "offset", "shift"),
    [
        ([[127, -3], [5, 0]], [0, -7], 4),
        ([[-127]], [4095 << 8], 9),
        ([[127]], [(4095 << 15) + (1 << 14)], 16),  # 20 significant bits
        ([[127, 127]], [-4095 << 18], 19),
    ],
)
def test_training_integers_come_back(k: list[list[int]], offset: list[int], shift: int, scale: float) -> None:
    """Doubled, with one more shift, so that the mantissas are even."""
    vth = (64 * 77 + 0.5) / 4096
    rounded, encoder = encoded(on_grid(k, offset, shift, scale), (len(k),), vth, scale=scale)
    assert (rounded.exact, rounded.vth, rounded.bias_exp) == (True, 77, 6)
    assert isinstance(encoder.synapses, Dense)
    assert encoder.synapses.weight.tolist() == (2 * np.array(k)).tolist()
    assert encoder.offset.tolist() == [2 * o for o in offset]
    assert encoder.shift == shift + 1


def test_without_weights_the_offset_comes_back() -> None:
    rounded, encoder = encoded(on_grid([[0, 0]], [-4000], 0), (1,), (64 * 5 + 0.5) / 4096)
    assert (rounded.exact, rounded.vth) == (True, 5)
    assert (encoder.offset.tolist(), encoder.shift) == ([-8000], 1)


def test_one_offset_of_a_channel_is_spread_over_its_map() -> None:
    kernel = conv(np.full((2, 1, 2, 2), 127 * SUM_UNIT / 32), (1, 1), (0, 0), (1, 1), 1, (1, 4, 5))
    assert isinstance(kernel, ConvMap)
    _, encoder = encoded((kernel, np.array([SUM_UNIT, 0.0])), (2, 3, 4), (64 * 9 + 0.5) / 4096, high=255)
    assert isinstance(encoder.synapses, Conv)
    assert encoder.shift == 6
    assert np.array_equal(encoder.offset, np.broadcast_to(np.array([[[64]], [[0]]]), (2, 3, 4)))


@given(
    st.lists(st.lists(st.floats(-2, 2), min_size=3, max_size=3), min_size=1, max_size=3).filter(
        lambda w: np.abs(w).max() > 0.1
    ),
    st.floats(-50, 50),
    st.sampled_from([(0, 255), (-128, 127), (0, 1)]),
)
def test_other_layers_are_rounded_and_no_image_leaves_13_bits(
    weights: list[list[float]], bias: float, limits: tuple[int, int]
) -> None:
    low, high = limits
    rounded, encoder = encoded(linear(weights, bias), (len(weights),), 100.0, low=low, high=high)
    assert np.abs(encoder.synapses.weight).max() == 254
    unit = rounded.unit  # what a mantissa of the bias is worth
    for pattern in np.ndindex(2, 2, 2):
        image = np.where(pattern, high, low)
        found = bias_mantissa(encoder, image)
        exact = (np.array(weights) @ image + bias) / unit
        lost = 1 + np.abs(image).sum() / 2**encoder.shift  # half a step for each weight, and one for the rounding
        assert all(-4096 <= b <= 4095 for b in found)
        assert np.abs(np.array(found) - exact).max() <= lost


def test_a_threshold_between_the_grid_is_rounded() -> None:
    rounded, _ = encoded(linear([[1.0]]), (1,), 500.0)
    assert not rounded.exact
    assert abs(rounded.vth * rounded.unit - 500.0) <= rounded.unit / 2


@pytest.mark.parametrize(
    ("weight", "bias", "threshold", "message"),
    [
        (
            1e-9,
            1.0,
            1.0,
            "lif1: bias in units of the least weight (1.27e+11) exceeds 1073741823; "
            "raise the layer's weights or lower its bias",
        ),
        (1.0, 0.0, 1e-3, "lif1: threshold mantissa (0) is not in [1, 131071]; rescale the layer"),
        (1.0, 0.0, 1e6, "lif1: threshold mantissa (15875000) is not in [1, 131071]; rescale the layer"),
    ],
)
def test_a_layer_that_no_encoder_holds_is_refused(weight: float, bias: float, threshold: float, message: str) -> None:
    with pytest.raises(RuleError) as caught:
        encoded(linear([[weight]], bias), (1,), threshold)
    assert str(caught.value) == message


def test_a_threshold_on_the_grid_alone_does_not_make_a_layer_exact() -> None:
    rounded, encoder = encoded(linear([[0.3, 0.1]], [0.7]), (1,), (64 * 5000 + 0.5) / 4096)
    assert not rounded.exact
    assert encoder.synapses.weight.tolist() == [[254, 84]]
