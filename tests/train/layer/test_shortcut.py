"""Layers with a shortcut: unit and exponents by hand, and eval mode against plain integers, whatever the layer."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from spikeport.errors import InputError, OverflowDetected
from spikeport.train import (
    ALIF,
    DALIF,
    IF,
    LIF,
    Branch,
    Dynamics,
    QuantConv2d,
    QuantLinear,
    Residual,
    Shortcut,
    SpikingLayer,
)

Array = np.ndarray[Any, Any]


# ---------------------------------------------------------------- unit and exponents by hand


def linear(weight: list[list[float]]) -> QuantLinear:
    synapse = QuantLinear(len(weight[0]), len(weight), bias=False)
    synapse.weight.data = torch.tensor(weight)
    return synapse


def joined(main: list[list[float]], other: list[list[float]] | None, gain: float = 1.0) -> SpikingLayer:
    neuron = DALIF(1.0, learn="none", alpha=gain, beta=0.5)
    shortcut = Shortcut() if other is None else Branch(linear(other))
    return SpikingLayer(linear(main), neuron, shortcut=shortcut).double().eval()


@pytest.mark.parametrize(
    ("main", "other", "unit", "weight", "past"),
    [  # one unit of mantissas 2 k << e; of the heavier branch e = ceil(log2 of the ratio), 2 at most
        (1.27, 1.27, 0.005, 254, 254),
        (1.27, 2.54, 0.005, 254, 127 * 2 << 1),
        (1.27, 1.28, 0.005, 254, 64 * 2 << 1),
        (1.27, 6.35, 0.00625, round(1.27 / 0.0125) * 2, 127 * 2 << 2),
        (1.27, 0.635, 0.0025, 127 * 2 << 1, 254),
        (1.27, 0.254, 0.005 / 4, 127 * 2 << 2, round(0.254 / 0.0025) * 2),
        (1.27, 1.27 * 128, 0.005 * 128 / 4, 4 * 2, 127 * 2 << 2),
        (1.27, 1.27 * 1000, 0.005 * 1000 / 4, 1 * 2, 127 * 2 << 2),
        (1.27, 1.27 / 1000, 0.005 / 4, 127 * 2 << 2, 1 * 2),
        (1.27, 0.0, 0.005, 254, 0),
        (0.0, 1.27, 0.005, 0, 254),
    ],
)
def test_two_branches_share_a_unit(main: float, other: float, unit: float, weight: int, past: int) -> None:
    ints = joined([[main]], [[other]]).integers()
    assert ints.unit == pytest.approx(unit, rel=1e-6)
    assert ints.past is not None
    assert (int(ints.weight), int(ints.past)) == (weight, past)


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.01])
def test_spikes_as_they_are_weigh_the_gain(gain: float) -> None:
    """Beside main weights of 1.27: ceil(log2(1 / 1.27)) is 0, so one grid serves both."""
    ints = joined([[1.27]], None, gain).integers()
    assert ints.past is not None and ints.past.shape == ()
    assert (int(ints.weight), int(ints.past)) == (254, 200)
    assert ints.unit == pytest.approx(0.005 * gain)


def test_means_count_by_their_places() -> None:
    """2 x 2 places in front of the main branch: its unit is a quarter; the shortcut of weight 1 has exponent 2 more."""
    neuron = LIF(0.5, 1.0)
    synapse = QuantConv2d(1, 1, 1, bias=False)
    synapse.weight.data.fill_(1.0)
    layer = SpikingLayer(synapse, neuron, pool=nn.AvgPool2d(2), shortcut=Shortcut()).double()
    ints = layer.integers()
    assert ints.unit == pytest.approx(1 / 254 / 4)
    assert ints.past is not None
    assert (int(ints.weight), int(ints.past)) == (254, 254 << 2)


def test_biases_of_both_ways_are_one() -> None:
    layer = SpikingLayer(QuantLinear(2, 3), IF(1.0), shortcut=Branch(QuantLinear(2, 3))).double()
    ints = layer.integers()
    both = (layer.main.synapse.bias + layer.shortcut.synapse.bias).detach()
    step = ints.unit / 64 * 2**ints.bias_exp
    assert ((ints.bias * ints.unit / 64 - both).abs() <= step / 2 * (1 + 1e-9)).all()


# ---------------------------------------------------------------- eval mode is plain integers


def window_sums(x: Array, pool: nn.AvgPool2d | None) -> Array:
    if pool is None:
        return x
    k, s, p = pool.kernel_size, pool.stride, pool.padding
    return correlate(x, np.eye(len(x), dtype=int)[:, :, None, None] * np.ones((1, 1, k, k), int), s, p)


def correlate(x: Array, weight: Array, stride: int, padding: int) -> Array:
    """`(c, h, w)` integers, one place after the other."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    k = weight.shape[-1]
    h, w = ((size - k) // stride + 1 for size in x.shape[1:])
    found = np.zeros((len(weight), h, w), int)
    for i in range(h):
        for j in range(w):
            patch = x[:, i * stride : i * stride + k, j * stride : j * stride + k]
            found[:, i, j] = (weight * patch).sum((1, 2, 3))
    return found


def arriving(way: Branch | Shortcut, weight: Array, x: Array) -> Array:
    sums = window_sums(x, way.pool)
    if isinstance(way, Shortcut):
        return sums * weight
    return correlate(sums, weight, way.synapse.stride[0], way.synapse.padding[0])


def by_hand(layer: SpikingLayer, x: Array, past: Array) -> Array | None:
    """Spikes `(T, c, h, w)` of one sample; None if u or v leaves its word."""
    ints, fired, v = layer.integers(), [], 0
    for now, before in zip(x, past, strict=True):
        a = arriving(layer.main, ints.weight.numpy(), now)
        a = a + arriving(layer.shortcut, ints.past.numpy(), before)
        v = np.sign(v) * (np.abs(v) * (4096 - ints.dv) // 4096) + 64 * a + ints.bias.numpy()[:, None, None]
        if abs(64 * a).max() >= 2**23 or abs(v).max() >= 2**23:
            return None
        s = v > 64 * ints.vth
        fired.append(s)
        v = v - 64 * ints.vth * s if layer.neuron.dynamics.reset == "subtract" else np.where(s, 0, v)
    return np.stack(fired)


@st.composite
def shortcut_layers(draw: Any) -> tuple[SpikingLayer, Tensor, Tensor]:
    torch.manual_seed(draw(st.integers(0, 2**31)))
    c, out, size = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(4, 6))
    stride = draw(st.sampled_from([1, 2]))
    past_pool = nn.AvgPool2d(stride) if draw(st.booleans()) and size % stride == 0 else None
    if past_pool is not None and draw(st.booleans()):
        past_pool = nn.AvgPool2d(3, stride, 1)
    main_pool = draw(st.sampled_from([None, nn.AvgPool2d(3, 1, 1), nn.AvgPool2d(1)]))
    plain = past_pool is not None or stride == 1
    norms = [nn.BatchNorm2d(out) if draw(st.booleans()) else None for _ in range(2)]
    shortcut: Branch | Shortcut = Shortcut(past_pool)
    past_channels = out
    if not plain or draw(st.booleans()):
        past_channels = draw(st.integers(1, 3))
        one = QuantConv2d(past_channels, out, 1, 1 if plain else stride, bias=draw(st.booleans()))
        one.weight.data.mul_(10 ** draw(st.floats(-3, 2)))
        shortcut = Branch(one, norms[1], past_pool)
    dynamics = Dynamics(reset=draw(st.sampled_from(["zero", "subtract"])))
    kinds = [ALIF(0.8, 0.3, dynamics=dynamics), DALIF(0.5, dynamics=dynamics), IF(1.0, dynamics=dynamics)]
    synapse = QuantConv2d(c, out, 3, stride, 1, bias=draw(st.booleans()))
    layer = SpikingLayer(synapse, draw(st.sampled_from(kinds)), norms[0], pool=main_pool, shortcut=shortcut)
    for norm in (n for n in layer.modules() if isinstance(n, nn.BatchNorm2d)):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias, 0.2, 0.3)
        norm.running_mean.normal_(0, 0.3)
        norm.running_var.exponential_(1.0)
    return layer.eval(), (torch.rand(4, 2, c, size, size) < 0.5), (torch.rand(4, 2, past_channels, size, size) < 0.5)


@given(shortcut_layers())
def test_eval_mode_is_plain_integers(made: tuple[SpikingLayer, Tensor, Tensor]) -> None:
    layer, x, past = made
    want = [by_hand(layer, x[:, b].numpy().astype(int), past[:, b].numpy().astype(int)) for b in range(2)]
    if any(one is None for one in want):
        with pytest.raises(OverflowDetected):
            layer(x, past)
        return
    assert np.array_equal(layer(x, past).numpy(), np.stack(want, 1))  # type: ignore[arg-type]


# ---------------------------------------------------------------- Residual, and what is refused


def block(shortcut: Branch | Shortcut) -> Residual:
    def conv(**options: Any) -> SpikingLayer:
        return SpikingLayer(QuantConv2d(2, 2, 3, padding=1), LIF(0.5, 0.2), **options)

    return Residual(nn.Sequential(conv(), conv()), conv(shortcut=shortcut))


@pytest.mark.parametrize("training", [True, False])
def test_a_residual_gives_its_input_to_the_body_and_to_the_join(training: bool) -> None:
    torch.manual_seed(0)
    found, x = block(Shortcut()).train(training), (torch.rand(4, 2, 2, 5, 5) < 0.5).float()
    first, second = found.body
    assert torch.equal(found(x), found.join(second(first(x)), x))
    assert not torch.equal(found(x), found.join(second(first(x)), torch.zeros_like(x)))


def test_gradients_pass_the_way_past_a_silent_body() -> None:
    torch.manual_seed(0)
    residual, x = block(Shortcut()), torch.rand(4, 2, 2, 5, 5, requires_grad=True)
    for layer in residual.body:
        layer.synapse.weight.data.zero_()
        layer.synapse.bias.data.fill_(-9.0)
    residual(x).sum().backward()
    assert x.grad is not None and x.grad.any()


def test_a_residual_needs_a_shortcut() -> None:
    with pytest.raises(InputError) as caught:
        Residual(nn.Sequential(), SpikingLayer(QuantLinear(2, 2), LIF()))
    assert str(caught.value) == "Residual: last layer has no shortcut; build it with SpikingLayer(..., shortcut=...)"


X, PAST = torch.zeros(3, 2, 2), torch.zeros(3, 2, 2)


@pytest.mark.parametrize(
    ("shortcut", "past", "message"),
    [
        (Shortcut(), None, "SpikingLayer: second input is missing for the shortcut"),
        (None, PAST, "SpikingLayer: second input is not taken without a shortcut"),
        (Shortcut(), PAST[:2], "SpikingLayer: steps and batch of the second input ((2, 2)) are not (3, 2)"),
        (Shortcut(), PAST.transpose(0, 1), "SpikingLayer: steps and batch of the second input ((2, 3)) are not (3, 2)"),
        (Shortcut(), PAST[:, :, :1], "SpikingLayer: shape of the shortcut ((1,)) is not (2,)"),
        (Shortcut(), PAST + 0.5, "SpikingLayer: spikes are not 0 or 1; a layer that takes other values needs image=I"),
    ],
)
def test_what_cannot_join_is_refused(shortcut: Shortcut | None, past: Tensor | None, message: str) -> None:
    layer = SpikingLayer(QuantLinear(2, 2), LIF(), shortcut=shortcut).eval()
    with pytest.raises(InputError) as caught:
        layer(X, past)
    assert str(caught.value).startswith(message)


def test_a_shape_that_does_not_join_is_refused_in_training_too() -> None:
    layer = SpikingLayer(QuantLinear(2, 2), LIF(), shortcut=Shortcut()).train()
    with pytest.raises(InputError):
        layer(X, PAST[:, :, :1])
