"""`SpikingLayer`: shapes, the integer rule against plain Python integers, and what is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import ExportError, InputError, OverflowDetected
from spikeport.train import ALIF, DALIF, Image, QuantConv2d, QuantLinear, SpikingLayer, Vote, integer_rule, set_quantize
from tests.nets import random_net

IMAGE = Image(steps=5)


def linear(n_in: int = 4, n_out: int = 3, *, image: Image | None = None, seed: int = 0, **options: Any) -> SpikingLayer:
    torch.manual_seed(seed)
    return SpikingLayer(QuantLinear(n_in, n_out), DALIF(threshold=0.3), nn.BatchNorm1d(n_out), image=image, **options)


def conv(image: Image | None = None, **options: Any) -> SpikingLayer:
    torch.manual_seed(0)
    synapse = QuantConv2d(2, 4, 3, stride=2, padding=1, bias=False)
    return SpikingLayer(synapse, ALIF(), nn.BatchNorm2d(4), image=image, **options)


def without_norm() -> SpikingLayer:
    torch.manual_seed(0)
    return SpikingLayer(QuantLinear(4, 3), DALIF(threshold=0.3))


def weighted(weight: list[list[float]], neuron: nn.Module | None = None, **options: Any) -> SpikingLayer:
    """A linear layer of the given weights, without bias and norm, in eval mode."""
    synapse = QuantLinear(len(weight[0]), len(weight), bias=False)
    synapse.weight.data = torch.tensor(weight)
    return SpikingLayer(synapse, neuron or ALIF(), **options).eval()


def spikes(*shape: int) -> Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.5).float()


def decay(v: int, keep: int) -> int:
    """Toward zero, in plain integers."""
    return (abs(v) * keep // 4096) * (1 if v >= 0 else -1)


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize("quantize", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_every_form_keeps_time_and_batch(quantize: bool, training: bool) -> None:
    for layer, shape, out in (
        (linear(quantize=quantize), (6, 2, 4), (6, 2, 3)),
        (conv(quantize=quantize), (6, 2, 2, 5, 7), (6, 2, 4, 3, 4)),
    ):
        found = layer.train(training)(spikes(*shape))
        assert found.shape == out
        assert set(found.unique().tolist()) <= {0, 1}


@pytest.mark.parametrize("quantize", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_an_image_is_shown_for_its_steps(quantize: bool, training: bool) -> None:
    layer = conv(IMAGE, quantize=quantize).train(training)
    image = torch.randint(0, 256, (3, 2, 6, 6), dtype=torch.uint8)
    assert layer(image).shape == (5, 3, 4, 3, 3)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("quantize", [True, False])
def test_spikes_may_be_of_any_type(training: bool, quantize: bool) -> None:
    x = spikes(4, 3, 4)
    found = [
        linear(quantize=quantize).train(training)(x.to(dtype))
        for dtype in (torch.float32, torch.bool, torch.uint8, torch.int64)
    ]
    assert all(torch.equal(one, found[0]) for one in found)


@pytest.mark.parametrize(
    ("layer", "shape"), [(conv(), (6, 8, 2, 5, 5)), (without_norm(), (6, 8, 4))], ids=["ALIF", "DALIF"]
)
def test_training_learns_every_parameter(layer: SpikingLayer, shape: tuple[int, ...]) -> None:
    out = layer.train()(spikes(*shape))
    (out * torch.rand(out.shape, generator=torch.Generator().manual_seed(2))).sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_training_moves_the_running_statistics_and_eval_does_not() -> None:
    layer = linear()
    assert layer.main.norm is not None and layer.main.norm.running_mean is not None
    layer.eval()(spikes(5, 3, 4))
    assert layer.main.norm.running_mean.tolist() == [0, 0, 0]
    layer.train()(spikes(5, 3, 4))
    assert layer.main.norm.running_mean.abs().sum() > 0


# ---------------------------------------------------------------- the integer rule


@pytest.mark.parametrize("seed", range(5))
def test_eval_mode_is_the_chips_rule_in_plain_integers(seed: int) -> None:
    """v = decay(v) + 64 sum(w s) + b;  s = v > 64 vth;  v = 0 where s."""
    layer, x = linear(20, 4, seed=seed).eval(), spikes(30, 1, 20)
    ints = layer.integers()
    found = layer(x)[:, 0].long().tolist()
    for n in range(4):
        v = 0
        for t in range(30):
            current = sum(int(w) * int(s) for w, s in zip(ints.weight[n], x[t, 0], strict=True))
            v = decay(v, 4096 - ints.dv) + 64 * current + int(ints.bias[n])
            assert found[t][n] == (v > 64 * ints.vth)
            v = 0 if v > 64 * ints.vth else v
    assert 0 < sum(map(sum, found)) < 120


@pytest.mark.parametrize("seed", range(5))
def test_an_image_layer_is_a_rounded_bias_in_plain_integers(seed: int) -> None:
    """b = (sum(k x) + offset + half) >> shift, then 64 b at every step."""
    layer = linear(20, 4, image=Image(12), seed=seed).eval()
    x = torch.randint(0, 256, (1, 20), generator=torch.Generator().manual_seed(seed))
    ints = layer.integers()
    assert ints.encoder_shift
    found = layer(x)[:, 0].long().tolist()
    for n in range(4):
        total = sum(int(k) * int(p) for k, p in zip(ints.weight[n], x[0], strict=True)) + int(ints.bias[n])
        bias, v = (total + (1 << (ints.encoder_shift - 1))) >> ints.encoder_shift, 0
        for t in range(12):
            v = decay(v, 4096 - ints.dv) + 64 * bias
            assert found[t][n] == (v > 64 * ints.vth)
            v = 0 if v > 64 * ints.vth else v


def test_integers_are_the_parameters_on_the_chips_grid() -> None:
    layer = weighted([[1.27, -0.01, 0.0], [0.5, 0.104, -0.106]], ALIF(tau=0.25, threshold=0.2))
    ints = layer.integers()
    assert ints.weight.tolist() == [[254, -2, 0], [100, 20, -22]]
    assert ints.unit == pytest.approx(0.005)
    assert (ints.dv, ints.vth, ints.bias.tolist(), ints.bias_exp, ints.encoder_shift) == (3072, 40, [0, 0], 0, None)


def test_an_image_layer_holds_single_steps_of_weight_and_its_shift() -> None:
    layer = weighted([[1.27, -0.01]], ALIF(tau=0.25, threshold=2.55), image=Image(3, 0, 255, 1 / 255))
    ints = layer.integers()
    assert ints.weight.tolist() == [[127, -1]]
    assert ints.encoder_shift == 3  # 128 * 255 = 32640 <= 4095 * 8
    assert ints.unit == pytest.approx(0.01 / 255 * 8)
    assert ints.vth == round(2.55 / ints.unit)


def test_sums_beyond_float32_are_exact() -> None:
    """40,000 pixels of up to 65,535 under the largest weight: about 2^38, of which float32 keeps 24 bits."""
    x = torch.randint(0, 65_536, (3, 40_000), generator=torch.Generator().manual_seed(0))
    found = integer_rule.accumulate(QuantLinear(40_000, 1), x, torch.full((1, 40_000), 127))
    assert found[:, 0].tolist() == [127 * sum(row) for row in x.tolist()]


def test_autocast_changes_no_spike() -> None:
    layer, x = linear(4000, 50).eval(), spikes(10, 4, 4000)
    expected = layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(layer(x), expected)


def test_without_a_weight_the_bias_sets_the_scale() -> None:
    layer = linear(3, 2, image=IMAGE).eval()
    layer.synapse.weight.data.zero_()
    ints = layer.integers()
    assert ints.weight.tolist() == [[0, 0, 0]] * 2
    assert ints.encoder_shift == 0
    assert ints.bias.abs().max() <= 4095


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("image", [None, Image(30)], ids=["spikes", "image"])
def test_training_sees_nearly_the_spikes_of_the_chip(seed: int, image: Image | None) -> None:
    """The same rounded weights, decay, threshold and bias; only the chip's rounding of v toward zero is left out."""
    torch.manual_seed(seed)
    layer = SpikingLayer(QuantLinear(30, 40), ALIF(tau=0.8), image=image)
    x = torch.randint(0, 256, (20, 30)) if image else spikes(30, 20, 30)
    chip, training = layer.eval()(x), layer.train()(x)
    assert 0.05 < chip.mean() < 0.95
    assert (chip != training).float().mean() < 0.01


# ---------------------------------------------------------------- float form


def test_set_quantize_switches_every_layer() -> None:
    net, _ = random_net(3)
    layers = [m for m in net if isinstance(m, SpikingLayer)]
    set_quantize(net, False)
    assert not any(layer.quantize for layer in layers)
    set_quantize(net, True)
    assert all(layer.quantize for layer in layers)


def test_the_float_form_is_synapse_norm_gain_and_neuron() -> None:
    layer, x = linear(quantize=False).eval(), spikes(6, 2, 4)
    assert layer.main.norm is not None
    y = layer.main.norm(nn.Linear.forward(layer.synapse, x.flatten(0, 1))) * torch.tanh(torch.tensor(1.0))
    assert torch.equal(layer(x), layer.neuron(y.reshape(6, 2, 3)))


def test_training_rounds_what_the_float_form_does_not() -> None:
    """Weights 1 and 0.004: the smaller one is half a step, and 200 of them make the difference."""
    x = torch.ones(1, 1, 201)
    layer = weighted([[1.0, *[0.0035] * 200]], DALIF(threshold=1.0))
    layer.neuron.alpha.raw.data.fill_(20.0)  # gain 1
    assert layer.train()(x).item() == 0  # 1 > 1 is false
    layer.quantize = False
    assert layer(x).item() == 1


# ---------------------------------------------------------------- refusals


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
            torch.tensor([[0.5, 0, 0, 0]]),
            "SpikingLayer: image values are not integers; round the image first",
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


# ---------------------------------------------------------------- Image and Vote


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


def test_a_vote_is_the_mean_over_time_and_the_blocks_of_the_classes() -> None:
    x = torch.zeros(4, 2, 6)
    x[:, 0, 0] = 1  # class 0: 4 of 4 * 3
    x[0, 0, 3:] = 1  # class 1: 3 of 12
    x[:2, 1, 5] = 1
    assert torch.allclose(Vote(2)(x), torch.tensor([[4 / 12, 3 / 12], [0, 2 / 12]]))


def test_the_lowest_class_wins_a_tie() -> None:
    x = torch.zeros(3, 2, 6)
    x[0, 0, 2:] = 1
    assert Vote(3)(x).argmax(1).tolist() == [1, 0]
    assert np.argmax(x.sum(0).reshape(2, 3, 2).sum(-1).numpy(), axis=1).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 1, 7), "Vote: output neurons (7) do not divide by classes 2"),
        (
            (3, 1, 2, 4, 4),
            "Vote: input shape ((3, 1, 2, 4, 4)) does not have 3 axes, (T, B, n); put nn.Flatten(2) before it",
        ),
    ],
)
def test_a_vote_needs_equal_blocks_of_neurons(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Vote(2)(torch.zeros(shape))
    assert str(caught.value) == message


def test_a_vote_needs_a_class() -> None:
    with pytest.raises(InputError) as caught:
        Vote(0)
    assert str(caught.value) == "Vote: classes (0) is not above 0"
