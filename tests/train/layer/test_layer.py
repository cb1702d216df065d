"""`SpikingLayer`: shapes, and the integer rule against plain Python integers."""

import pytest
import torch
from torch import nn

from spikeport.train import (
    ALIF,
    DALIF,
    LIF,
    Dynamics,
    Image,
    QuantLinear,
    Readout,
    SpikingLayer,
    integer_rule,
    set_quantize,
)
from tests.nets import random_net
from tests.train.layer.small import IMAGE, conv, decay, linear, spikes, weighted, without_norm

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


@pytest.mark.parametrize("seed", range(5))
def test_a_soft_reset_takes_the_threshold_off_in_plain_integers(seed: int) -> None:
    torch.manual_seed(seed)
    layer = SpikingLayer(QuantLinear(20, 4), LIF(0.9, 0.4, dynamics=Dynamics(reset="subtract"))).eval()
    x, ints = spikes(30, 1, 20), layer.integers()
    found = layer(x)[:, 0].long().tolist()
    twice = 0
    for n in range(4):
        v = 0
        for t in range(30):
            current = sum(int(w) * int(s) for w, s in zip(ints.weight[n], x[t, 0], strict=True))
            v = decay(v, 4096 - ints.dv) + 64 * current + int(ints.bias[n])
            assert found[t][n] == (v > 64 * ints.vth)
            v -= 64 * ints.vth if v > 64 * ints.vth else 0
            twice += v > 64 * ints.vth
    assert 0 < sum(map(sum, found)) < 120
    assert twice  # what is left is a spike's worth again


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("seed", range(3))
def test_another_image_at_each_step_is_another_bias_at_each_step(seed: int, reset: str) -> None:
    torch.manual_seed(seed)
    neuron = LIF(0.7, 0.2, dynamics=Dynamics(reset=reset))
    layer = SpikingLayer(QuantLinear(20, 4), neuron, nn.BatchNorm1d(4), image=Image(3)).eval()
    x = torch.randint(0, 256, (12, 2, 20))  # as many steps as there are frames
    ints, found = layer.integers(), layer(x).long()
    assert found.shape == (12, 2, 4)
    assert 0 < found.sum() < found.numel()
    for b in range(2):
        for n in range(4):
            v = 0
            for t in range(12):
                total = sum(int(k) * int(p) for k, p in zip(ints.weight[n], x[t, b], strict=True)) + int(ints.bias[n])
                v = decay(v, 4096 - ints.dv) + 64 * ((total + (1 << (ints.encoder_shift - 1))) >> ints.encoder_shift)
                s = v > 64 * ints.vth
                assert found[t, b, n] == s
                v = (v - 64 * ints.vth if reset == "subtract" else 0) if s else v


def test_frames_that_do_not_change_are_a_still_image() -> None:
    for layer in (conv(IMAGE).eval(), conv(IMAGE, quantize=False).eval()):
        x = torch.randint(0, 256, (3, 2, 6, 6))
        assert torch.equal(layer(x.expand(5, *x.shape)), layer(x))


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
    net.append(Readout(QuantLinear(2, 2)))
    layers = [m for m in net if isinstance(m, SpikingLayer | Readout)]
    assert len(layers) > 1
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
