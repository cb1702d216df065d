"""`Integrator` by hand in floats and in integers, and that no spikes make it overflow."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from spikeport import fixed
from spikeport.errors import ExportError, InputError
from spikeport.train import Activity, QuantConv2d, QuantConvTranspose2d, QuantLinear, set_quantize
from spikeport.train.autoencoders import Integrator
from spikeport.train.autoencoders.integrator import most_into
from spikeport.train.synapses import Synapse

TOP = fixed.VTH_MAX << 6
KINDS = ("linear", "conv", "transposed 1", "transposed 2")
Array = np.ndarray[Any, Any]


def synapse_of(kind: str, bias: bool = True) -> tuple[Synapse, tuple[int, ...]]:
    """A synapse and the shape that it takes."""
    if kind == "linear":
        return QuantLinear(7, 5, bias=bias), (7,)
    if kind == "conv":
        return QuantConv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=bias), (4, 5, 4)
    if kind == "transposed 1":
        return QuantConvTranspose2d(4, 3, 3, padding=1, bias=bias), (4, 4, 3)
    return QuantConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, groups=2, bias=bias), (4, 3, 4)


def integrator(kind: str, bias: bool = True, seed: int = 0, **options: Any) -> tuple[Integrator, tuple[int, ...]]:
    torch.manual_seed(seed)
    synapse, shape = synapse_of(kind, bias)
    return Integrator(synapse, **options).eval(), shape


def spikes(*shape: int) -> Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.5).long()


def torchs(synapse: Synapse, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """torch's own layer with these numbers."""
    if isinstance(synapse, QuantLinear):
        return F.linear(x, weight, bias)
    if isinstance(synapse, QuantConv2d):
        return F.conv2d(x, weight, bias, synapse.stride, synapse.padding, 1, synapse.groups)
    geometry = synapse.stride, synapse.padding, synapse.output_padding, synapse.groups, synapse.dilation
    return F.conv_transpose2d(x, weight, bias, *geometry)


def by_hand(layer: Integrator, x: Tensor) -> Array:
    """v after each step, `(T, B, *out)`, by numpy's and Python's own integers."""
    ints = layer.integers()
    came = [torchs(layer.synapse, s.double(), ints.weight.double(), ints.bias.double() / 64).numpy() for s in x]
    v, found = np.zeros(came[0].shape, object), []
    for y in came:
        y = (y * 64).astype(np.int64).astype(object)
        v = np.sign(v) * (abs(v) * (4096 - ints.dv) // 4096) + y
        found.append(v)
    return np.stack(found)


def test_a_small_layer_is_what_one_computes_on_paper() -> None:
    """Weights 1.27 and -0.64 are 254 and -128 of 0.005; 0.8 is 3277 / 4096, and what is left is cut toward zero."""
    layer = Integrator(QuantLinear(2, 1)).eval()
    layer.synapse.weight.data = torch.tensor([[1.27, -0.64]]).double()
    layer.synapse.bias.data = torch.tensor([-0.005 / 64]).double()
    ints = layer.integers()
    assert (ints.weight.tolist(), ints.bias.tolist(), ints.dv, ints.vth) == ([[254, -128]], [-1], 819, 131071)
    assert ints.unit == pytest.approx(0.005)
    v1 = -128 * 64 - 1
    v2 = -(8193 * 3277 // 4096) + 254 * 64 - 1
    v3 = v2 * 3277 // 4096 - 1
    assert (v1, v2, v3) == (-8193, 9701, 7760)
    x = torch.tensor([[[0, 1]], [[1, 0]], [[0, 0]]])
    for t, v in enumerate((v1, v2, v3), start=1):
        assert layer(x[:t]).tolist() == [[v * (ints.unit / 64)]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_eval_mode_is_the_chips_v_in_plain_integers(kind: str, bias: bool) -> None:
    layer, shape = integrator(kind, bias)
    x = spikes(9, 3, *shape)
    want, unit = by_hand(layer, x), layer.integers().unit
    assert want.max() > 1000 and want.min() < -1000
    for t in (1, 4, 9):
        found = layer(x[:t])
        assert found.dtype == torch.float64
        assert np.array_equal(found.numpy(), want[t - 1].astype(float) * (unit / 64))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("keep", [0.8, 0.5])
def test_the_float_form_is_the_recurrence(kind: str, bias: bool, keep: float) -> None:
    layer, shape = integrator(kind, bias, keep=keep, quantize=False)
    layer, x = layer.double(), spikes(6, 2, *shape)
    v = torch.zeros(())
    for s in x:
        v = keep * v + torchs(layer.synapse, s.double(), layer.synapse.weight, layer.synapse.bias)
    for training in (True, False):
        assert torch.allclose(layer.train(training)(x), v, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_training_has_the_chips_numbers_and_lets_gradients_pass(kind: str) -> None:
    """The gradients are those of the rounded layer, as if it had not been rounded."""
    layer, shape = integrator(kind)
    layer, x = layer.double().train(), spikes(6, 3, *shape).double().requires_grad_()
    ints = layer.integers()
    weight = (ints.weight.double() * ints.unit).requires_grad_()
    bias = (ints.bias.double() * ints.unit / 64).requires_grad_()
    twin, v = x.detach().clone().requires_grad_(), torch.zeros(())
    for s in twin:
        v = (4096 - 819) / 4096 * v + torchs(layer.synapse, s, weight, bias)
    found, cost = layer(x), torch.randn_like(v)
    assert torch.allclose(found, v, rtol=1e-12, atol=1e-13)
    (found * cost).sum().backward()
    (v * cost).sum().backward()
    ours = layer.synapse.weight.grad, layer.synapse.bias.grad, x.grad
    for a, b in zip(ours, (weight.grad, bias.grad, twin.grad), strict=True):
        assert a is not None and b is not None and torch.allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_chip_differs_from_training_by_less_than_a_step_of_v_in_each_step(kind: str) -> None:
    """Each step drops less than 1, which fades with v: 1 / (1 - keep) in all."""
    layer, shape = integrator(kind)
    layer, x = layer.double(), spikes(16, 4, *shape)
    chip, trained = layer(x), layer.train()(x)
    assert (chip - trained).abs().max() <= 4096 / 819 * layer.integers().unit / 64 * (1 + 1e-9)


def test_float_weights_train_and_run_in_float32() -> None:
    layer, shape = integrator("transposed 1")
    x = spikes(5, 2, *shape)
    trained = layer.train()(x)
    assert trained.dtype == torch.float32
    assert torch.allclose(trained.double(), layer.eval()(x), atol=1e-4)


# ---------------------------------------------------------------- words


def worst(layer: Integrator, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """How far v goes down and up, and |u|, whatever the spikes: all weights of one sign at each step."""
    ints = layer.integers()
    eye = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
    brought = torchs(layer.synapse, eye, ints.weight.double(), None).flatten(1).long().numpy()
    out = torchs(layer.synapse, eye[:1], ints.weight.double(), ints.bias.double()).shape[1:]
    bias = ints.bias.reshape(-1, *[1] * (len(out) - 1)).expand(out).reshape(-1).numpy()
    ends, u = [], 0
    for sign in (-1, 1):
        drive = 64 * np.clip(sign * brought, 0, None).sum(0)
        u = max(u, int(drive.max()))
        v = np.zeros_like(drive)
        for _ in range(400):  # 0.8^400 < 2^-24; it rises from step to step, and stands still where keep is 0.95
            v = np.maximum(0, v * (4096 - ints.dv) // 4096 + drive + sign * bias)
        ends.append(sign * int(v.max()))
    return ends[0], ends[1], u


def assert_in_words(layer: Integrator, shape: tuple[int, ...]) -> float:
    """Gives the part of the word that v fills."""
    low, high, u = worst(layer, shape)
    assert -fixed.V_MAX <= low and high <= TOP and u < fixed.WRAP_AT
    return max(-low, high) / TOP


PATTERN = st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e-3, 0.5, 0.37]), min_size=1, max_size=7)
BIAS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=2)


@given(st.integers(1, 2000), PATTERN, BIAS, st.sampled_from([0.8, 0.95, 0.3]))
@settings(max_examples=60)
def test_no_spikes_make_a_linear_layer_overflow(n: int, pattern: list[float], bias: list[float], keep: float) -> None:
    layer = Integrator(QuantLinear(n, 2), keep).double()
    row = torch.tensor((pattern * n)[:n]).double()
    layer.synapse.weight.data = torch.stack([row, -row.flip(0) * 0.7])
    layer.synapse.bias.data = torch.tensor(bias).double()
    assert_in_words(layer, (n,))


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]), st.sampled_from([1, 2]), st.sampled_from([0.0, 1.0, 30.0]))
@settings(max_examples=60)
def test_no_spikes_make_a_transposed_convolution_overflow(seed: int, stride: int, groups: int, bias: float) -> None:
    torch.manual_seed(seed)
    pad = stride - 1
    synapse = QuantConvTranspose2d(64, 2, (3, 4), stride=stride, padding=1, output_padding=pad, groups=groups)
    torch.nn.init.uniform_(synapse.weight, -0.2, 1.0)
    torch.nn.init.uniform_(synapse.bias, -bias, bias)
    assert_in_words(Integrator(synapse), (64, 4, 4))


@pytest.mark.parametrize(("n", "most"), [(1000, 26), (5000, 4), (12_000, 2)])
def test_so_many_large_weights_that_the_unit_is_coarser_fill_their_word(n: int, most: int) -> None:
    """All of n weights are equal; all spikes at every step come to n 4096 / 819 of them."""
    layer = Integrator(QuantLinear(n, 2))
    torch.nn.init.ones_(layer.synapse.weight)
    torch.nn.init.constant_(layer.synapse.weight[1], -1.0)
    assert layer.integers().weight.abs().amax() == most
    assert assert_in_words(layer, (n,)) > 3 / 4


@pytest.mark.parametrize("kind", KINDS)
def test_random_layers_have_all_levels_of_a_weight(kind: str) -> None:
    layer, shape = integrator(kind)
    weight = layer.integers().weight
    assert weight.abs().amax() == 254 and not (weight % 2).any()
    assert 0 < assert_in_words(layer, shape) < 1


def test_a_bias_beyond_the_weights_is_not_cut() -> None:
    layer = Integrator(QuantLinear(3, 2)).double()
    torch.nn.init.uniform_(layer.synapse.weight, -1e-3, 1e-3)
    layer.synapse.bias.data = torch.tensor([700.0, -3.0]).double()
    ints = layer.integers()
    assert torch.allclose(ints.bias.double() * (ints.unit / 64), layer.synapse.bias, rtol=0, atol=700 / 4095)
    assert_in_words(layer, (3,))


def test_without_weights_the_bias_sets_the_unit() -> None:
    layer = Integrator(QuantLinear(3, 2)).double()
    torch.nn.init.zeros_(layer.synapse.weight)
    layer.synapse.bias.data = torch.tensor([1e-6, -1e-6]).double()
    ints = layer.integers()
    assert (ints.bias.double() * (ints.unit / 64)).tolist() == pytest.approx([1e-6, -1e-6], rel=1e-3)
    torch.nn.init.zeros_(layer.synapse.bias)
    assert layer.integers().unit == 1.0
    assert layer.eval()(spikes(3, 1, 3)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (2, 1), (3, 1), (3, 2), (5, 1), (2, 4)])
def test_the_most_into_a_channel_is_that_of_a_large_map(stride: int, kernel: int, dilation: int) -> None:
    torch.manual_seed(0)
    shape = {"stride": stride, "dilation": dilation, "groups": 2}
    synapse = QuantConvTranspose2d(4, 6, kernel, **shape, bias=False)
    size = synapse.weight.detach().abs()
    large = torchs(synapse, torch.ones(1, 4, 20, 20), size, None)
    assert torch.allclose(most_into(synapse, size), large.amax((0, 2, 3)))


# ---------------------------------------------------------------- around it


def test_it_is_switched_and_watched_as_other_layers_are() -> None:
    layer, shape = integrator("transposed 2")
    x = spikes(5, 2, *shape)
    activity = Activity(layer)
    with activity.watch() as seen:
        layer(x)
    ones = torch.ones_like(layer.synapse.weight, dtype=torch.float64)
    reached = torch.stack([torchs(layer.synapse, s.double(), ones, None).flatten(1).sum(1) for s in x]).sum(0)
    assert torch.equal(seen.total_sops(), reached)
    set_quantize(layer, False)
    assert layer(x).dtype == torch.float32


@pytest.mark.parametrize(
    ("kind", "x", "message"),
    [
        ("linear", torch.zeros(2, 7), "Integrator: input shape ((2, 7)) is not (T, B, 7), none empty"),
        ("linear", torch.zeros(2, 1, 6), "Integrator: input shape ((2, 1, 6)) is not (T, B, 7), none empty"),
        ("linear", torch.zeros(0, 1, 7), "Integrator: input shape ((0, 1, 7)) is not (T, B, 7), none empty"),
        ("conv", torch.zeros(2, 4, 5, 4), "Integrator: input shape ((2, 4, 5, 4)) is not (T, B, 4, h, w), none empty"),
        ("linear", torch.full((2, 1, 7), 0.5), "SpikingLayer: spikes are not 0 or 1; "),
    ],
)
def test_input_that_it_cannot_take_is_refused(kind: str, x: Tensor, message: str) -> None:
    with pytest.raises(InputError) as caught:
        integrator(kind)[0](x)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("keep", [1.0, 0.0, -0.5, 0.99999])
def test_a_keep_that_no_chip_holds_is_refused(keep: float) -> None:
    with pytest.raises(InputError, match=r"Integrator: keep \(.*\) is not in \[1/4096, 4095/4096\]"):
        Integrator(QuantLinear(2, 2), keep)


def test_weights_that_are_no_numbers_are_refused() -> None:
    layer, shape = integrator("linear")
    torch.nn.init.constant_(layer.synapse.weight, float("nan"))
    with pytest.raises(ExportError, match="Integrator: weight"):
        layer(spikes(1, 1, *shape))
