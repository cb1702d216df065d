"""What a `SpikingLayer` refuses, and an `Image` that no input holds."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import ExportError, InputError, LayerInvalid, OverflowDetected, WrongType
from spikeport.train import (
    ALIF,
    DALIF,
    Image,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    Shortcut,
    SpikingLayer,
)
from tests.train.layer.small import IMAGE, conv, linear, weighted

OF_TO_TENSOR = (
    "SpikingLayer: image values (0..1) are not integers up to 255; multiply by 255 and round, or leave ToTensor() out"
)


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        (
            linear(),
            torch.zeros(2, 4),
            "SpikingLayer: input shape ((2, 4)) does not have 3 axes, (T, B, ...), none empty",
        ),
        (
            conv(),
            torch.zeros(2, 2, 5, 5),
            "SpikingLayer: input shape ((2, 2, 5, 5)) does not have 5 axes, (T, B, ...), none empty",
        ),
        (
            linear(image=IMAGE),
            torch.zeros(4),
            "SpikingLayer: input shape ((4,)) does not have 2 axes, (B, ...), none empty",
        ),
        (
            linear(),
            torch.zeros(0, 1, 4),
            "SpikingLayer: input shape ((0, 1, 4)) does not have 3 axes, (T, B, ...), none empty",
        ),
        (
            linear(image=IMAGE),
            torch.tensor([[0, 0, 0, 256]]),
            "SpikingLayer: image values (0..256) are not in [0, 255]",
        ),
        (
            linear(image=IMAGE),
            torch.tensor([[-1, 0, 0, 0]]),
            "SpikingLayer: image values (-1..0) are not in [0, 255]",
        ),
        (
            linear(image=IMAGE),
            torch.tensor([[1.5, 0, 0, 0]]),
            "SpikingLayer: image values are not integers; round the image first",
        ),
        (linear(image=IMAGE), torch.tensor([[0.5, 0, 0, 0]]), OF_TO_TENSOR),
        (
            linear(),
            np.zeros((1, 1, 4)),
            "SpikingLayer: input (ndarray) is not a tensor; torch.from_numpy(x) makes one of an array",
        ),
        (
            linear(),
            torch.full((1, 1, 4), 0.5),
            "SpikingLayer: spikes are not 0 or 1; a layer that takes other values needs image=Image(...)",
        ),
        (
            linear(),
            torch.full((1, 1, 4), 2),
            "SpikingLayer: spikes are not 0 or 1; a layer that takes other values needs image=Image(...)",
        ),
    ],
)
def test_input_that_the_chip_cannot_take_is_refused(layer: SpikingLayer, x: Tensor, message: str) -> None:
    with pytest.raises(InputError) as caught:
        layer.eval()(x)
    assert str(caught.value) == message


def test_a_norm_without_running_statistics_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        SpikingLayer(QuantLinear(2, 2), ALIF(), nn.BatchNorm1d(2, track_running_stats=False))
    assert str(caught.value) == "SpikingLayer: norm has no running statistics; leave track_running_stats on"


def test_padding_that_no_core_has_is_refused() -> None:
    layer = SpikingLayer(QuantConv2d(1, 1, 3, padding=1, padding_mode="circular"), ALIF())
    with pytest.raises(InputError) as caught:
        layer(torch.zeros(1, 1, 1, 4, 4))
    assert str(caught.value) == "QuantConv2d: padding_mode (circular) is not zeros; a core has no other padding"


def test_weights_that_are_no_numbers_are_refused() -> None:
    layer = weighted([[1.0, float("nan")]])
    with pytest.raises(ExportError) as caught:
        layer(torch.zeros(1, 1, 2))
    assert str(caught.value) == (
        "ALIF: weight (NaN or infinity) is not a finite number; train again with a lower learning rate"
    )


@pytest.mark.parametrize(
    ("weight", "steps", "message"),
    [  # a spike through weight 1 is 254 * 64 = 16256; u holds 2^23, v holds 2^23 - 1
        ([1.0] * 517, 1, "SpikingLayer: u (8404352) leaves 24 bits; lower the weights"),
        ([-1.0] * 517, 1, "SpikingLayer: u (-8404352) leaves 24 bits; lower the weights"),
        ([-1.0] * 300, 2, "SpikingLayer: v (-9752409) leaves 24 bits; lower the weights"),
    ],
)
def test_what_leaves_24_bits_is_an_error(weight: list[float], steps: int, message: str) -> None:
    """The third: -4876800 keeps 4095 / 4096 of itself, -4875609.375, and loses 4876800 again."""
    layer = weighted([weight], DALIF(threshold=1e9))
    layer.neuron.alpha.raw.data.fill_(20.0)
    layer.neuron.beta.raw.data.fill_(20.0)
    with pytest.raises(OverflowDetected) as caught:
        layer(torch.ones(steps, 1, len(weight)))
    assert str(caught.value) == message
    assert caught.value.limit == "24 bits"


def test_the_last_value_that_fits_is_no_overflow() -> None:
    layer = weighted([[1.0] * 516], DALIF(threshold=1e9))  # 516 * 16256 = 8388096 < 2^23
    assert layer(torch.ones(1, 1, 516)).sum() == 0


# ---------------------------------------------------------------- Image


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "Image: steps (0) is not an integer in [1, 32768]"),
        ({"steps": 2.5}, "Image: steps (2.5) is not an integer in [1, 32768]"),
        ({"steps": 32769}, "Image: steps (32769) is not an integer in [1, 32768]"),
        ({"steps": 4, "low": -32769}, "Image: low (-32769) is not an integer in [-32768, 65535]"),
        ({"steps": 4, "high": 65536}, "Image: high (65536) is not an integer in [-32768, 65535]"),
        ({"steps": 4, "low": 7, "high": 7}, "Image: low (7) is not below high 7"),
        ({"steps": 4, "scale": 0.0}, "Image: scale (0.0) is not in (0, 1000000)"),
        ({"steps": 4, "scale": float("nan")}, "Image: scale (nan) is not in (0, 1000000)"),
    ],
)
def test_an_image_that_no_input_can_hold_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Image(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("synapse", "options", "message"),
    [
        (
            QuantConv2d(1, 1, 1),
            {"pool": nn.AvgPool2d(2)},
            "SpikingLayer: pool is not allowed beside an image; average the images before they enter the network",
        ),
        (
            QuantConv2d(1, 1, 1),
            {"shortcut": Shortcut()},
            "SpikingLayer: shortcut is not allowed beside an image; begin with a plain layer",
        ),
        (
            QuantConvTranspose2d(1, 1, 1),
            {},
            "SpikingLayer: image is not taken by a QuantConvTranspose2d; begin with a QuantConv2d or QuantLinear",
        ),
    ],
)
def test_what_no_first_layer_has_is_refused(synapse: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        SpikingLayer(synapse, ALIF(), image=IMAGE, **options)
    assert str(caught.value) == message


def test_means_whose_weights_no_mantissa_divides_are_refused() -> None:
    """Twelve by twelve windows over each place would leave less than one level."""
    with pytest.raises(InputError) as caught:
        SpikingLayer(QuantConv2d(1, 1, 1), ALIF(), pool=nn.AvgPool2d(12, 1))
    assert str(caught.value) == "AvgPool2d: windows over one place (144) exceed 127; let the windows overlap less"


def test_bytes_enter_a_layer_of_signed_images() -> None:
    layer = SpikingLayer(QuantConv2d(1, 2, 3, padding=1), ALIF(), image=Image(3, -255, 255, 1 / 255)).eval()
    x = torch.arange(32).reshape(2, 1, 4, 4) * 8
    assert torch.equal(layer(x), layer(x.to(torch.uint8)))


def test_images_of_0_to_1_are_refused_before_they_are_trained_on() -> None:
    with pytest.raises(WrongType, match="image values"):
        linear(image=IMAGE).train()(torch.rand(3, 4))
    dark = torch.tensor([[0.0, 1.0, 0.0, 0.0]])
    linear(image=IMAGE).train()(dark)  # integers, however dark
    linear(image=Image(2, high=1)).train()(torch.rand(3, 4))  # rounded later by whoever asked for it


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            (nn.Linear(4, 2), ALIF()),
            "synapse (Linear) is not QuantLinear, QuantConv2d or QuantConvTranspose2d; they take the arguments of "
            "torch's layers",
        ),
        ((QuantLinear(4, 2), ALIF), "neuron (the class ALIF) is not an AbstractNeuron; give a neuron such as ALIF()"),
        ((ALIF(), QuantLinear(4, 2)), "neuron (QuantLinear) is not an AbstractNeuron; give a neuron such as ALIF()"),
        (
            (QuantLinear(4, 2), ALIF(), nn.LayerNorm(2)),
            "norm (LayerNorm) is not a BatchNorm1d or BatchNorm2d; a core has no other",
        ),
    ],
)
def test_parts_of_another_kind_are_refused_at_once(parts: Any, message: str) -> None:
    with pytest.raises(LayerInvalid) as caught:
        SpikingLayer(*parts)
    assert str(caught.value) == f"SpikingLayer: {message}"
