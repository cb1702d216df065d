"""`Vote` and `Readout` by hand, and that no spikes make a readout overflow."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.errors import ExportError, InputError
from spikeport.train import QuantLinear, Readout, Vote

# ---------------------------------------------------------------- Vote


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


# ---------------------------------------------------------------- Readout


def readout(n: int = 12, classes: int = 4, bias: bool = True, seed: int = 0, **options: bool) -> Readout:
    torch.manual_seed(seed)
    return Readout(QuantLinear(n, classes, bias=bias), **options).eval()


def spikes(*shape: int) -> Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.5).long()


def by_hand(layer: Readout, x: Tensor) -> list[list[int]]:
    """Sums of v over steps and places, `[sample][class]`, in plain integers."""
    ints = layer.integers()
    weight, bias = ints.weight.tolist(), ints.bias.tolist()
    places = x.flatten(3) if x.dim() > 3 else x[..., None]
    total = [[0] * len(weight) for _ in range(x.shape[1])]
    for b in range(x.shape[1]):
        for n, row in enumerate(weight):
            for place in range(places.shape[3]):
                v = 0
                for t in range(len(x)):
                    came = sum(w * int(s) for w, s in zip(row, places[t, b, :, place], strict=True))
                    v = (abs(v) * (4096 - ints.dv) // 4096) * (1 if v >= 0 else -1) + 64 * came + bias[n]
                    total[b][n] += v
    return total


@pytest.mark.parametrize("shape", [(7, 3, 12), (5, 2, 12, 3), (4, 2, 12, 2, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_eval_mode_is_the_chips_v_in_plain_integers(shape: tuple[int, ...], bias: bool) -> None:
    layer, x = readout(bias=bias), spikes(*shape)
    n = shape[0] * int(np.prod(shape[3:]))
    want = torch.tensor(by_hand(layer, x), dtype=torch.float64) * (layer.integers().unit / 64 / n)
    found = layer(x)
    assert found.dtype == torch.float64
    assert torch.equal(found, want)


@pytest.mark.parametrize("shape", [(7, 3, 12), (4, 2, 12, 2, 3)])
def test_the_float_form_is_a_linear_layer_of_the_mean(shape: tuple[int, ...]) -> None:
    layer, x = readout(quantize=False).double(), spikes(*shape).double()
    rates = x.mean([0, *range(3, len(shape))])
    want = F.linear(rates, layer.synapse.weight, layer.synapse.bias)
    for training in (True, False):
        assert torch.allclose(layer.train(training)(x), want, rtol=1e-12)


def test_training_rounds_to_the_chips_numbers_and_lets_gradients_pass() -> None:
    layer, x = readout().double().train(), spikes(6, 3, 12, 2, 2).double().requires_grad_()
    ints = layer.integers()
    weight, bias = ints.weight.double() * ints.unit, ints.bias.double() * (ints.unit / 64)
    rates = x.mean((0, 3, 4))
    found = layer(x)
    assert torch.allclose(found, F.linear(rates, weight, bias), rtol=1e-9, atol=1e-12)
    cost = torch.randn_like(found)
    (found * cost).sum().backward()
    assert torch.allclose(layer.synapse.weight.grad, cost.T @ rates.detach(), rtol=1e-9)
    assert torch.allclose(layer.synapse.bias.grad, cost.sum(0), rtol=1e-9)
    assert torch.allclose(x.grad, (cost @ weight)[None, :, :, None, None].expand(x.shape) / (6 * 4), rtol=1e-9)


def test_the_chip_differs_from_training_by_a_4096th_of_the_last_v() -> None:
    layer, x = readout(100, 10).double(), spikes(8, 4, 100)
    chip, trained = layer(x), layer.train()(x)
    assert (chip - trained).abs().max() <= trained.abs().max() / 2048 + layer.integers().unit
    assert torch.equal(chip.argmax(1), trained.argmax(1))


def test_small_layers_have_all_levels_of_a_weight() -> None:
    layer = Readout(QuantLinear(3, 2, bias=False))
    layer.synapse.weight.data = torch.tensor([[1.27, -0.01, 0.0], [0.5, 0.104, -0.106]])
    ints = layer.integers()
    assert ints.weight.tolist() == [[254, -2, 0], [100, 20, -22]]
    assert ints.unit == pytest.approx(0.005)
    assert (ints.dv, ints.vth, ints.bias.tolist()) == (4095, fixed.VTH_MAX, [0, 0])


finite = st.floats(-1e3, 1e3, width=32)


@given(
    st.integers(1, 3000),
    st.lists(st.sampled_from([0.0, 1.0, -1.0, 1e-3, 0.5]), min_size=1, max_size=5),
    st.lists(finite, min_size=2, max_size=2),
)
def test_no_spikes_make_it_overflow(n: int, pattern: list[float], bias: list[float]) -> None:
    """All spikes of one sign at every step, until v no longer grows: u, and v to either side, stay in their words."""
    layer = Readout(QuantLinear(n, 2)).double()
    row = torch.tensor((pattern * n)[:n]).double()
    layer.synapse.weight.data = torch.stack([row, -row.flip(0) * 0.7])
    layer.synapse.bias.data = torch.tensor(bias).double()
    ints, limit = layer.integers(), fixed.VTH_MAX * 64
    for c in range(2):
        weight, b = ints.weight[c].tolist(), int(ints.bias[c])
        for sign in (1, -1):
            most = 64 * sum(w for w in weight if w * sign > 0)
            assert abs(most) < fixed.WRAP_AT
            came = [most + b] if b * sign > 0 else [most, most + b, b]
            worst = max(sign * x for x in came)
            v = 0
            for _ in range(4):
                v = abs(v) // 4096 + worst
            assert v <= limit


def test_the_worst_spikes_of_many_large_weights_run() -> None:
    """40,000 inputs of the largest weight: the unit is coarser, and all spikes at once still fit."""
    layer = Readout(QuantLinear(40_000, 2)).eval()
    layer.synapse.weight.data.fill_(1.0)
    layer.synapse.weight.data[1] = -1.0
    layer.synapse.bias.data = torch.tensor([3000.0, -3000.0])
    ints = layer.integers()
    assert ints.weight.abs().max() < 20
    found = layer(torch.ones(6, 1, 40_000, dtype=torch.uint8))
    assert found[0, 0] > 40_000 and found[0, 1] == -found[0, 0]


def test_finer_weights_give_finer_logits() -> None:
    """The rounding of each weight is at most half a step of 2 units."""
    errors = []
    for n in (10, 100, 1000):
        layer, x = readout(n).double(), spikes(1, 5, n)
        plain = F.linear(x[0].double(), layer.synapse.weight, layer.synapse.bias)
        errors.append(float((layer(x) - plain).detach().abs().max()))
        assert errors[-1] <= (n + 1) * layer.integers().unit
    assert all(a < 1 for a in errors)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(2, 12), "Readout: input shape ((2, 12)) is not (T, B, 12, ...)"),
        (torch.zeros(2, 1, 11), "Readout: input shape ((2, 1, 11)) is not (T, B, 12, ...)"),
        (torch.full((2, 1, 12), 0.5), "SpikingLayer: spikes are not 0 or 1; "),
    ],
)
def test_input_that_it_cannot_take_is_refused(x: Tensor, message: str) -> None:
    with pytest.raises(InputError) as caught:
        readout()(x)
    assert str(caught.value).startswith(message)


def test_weights_that_are_no_numbers_are_refused() -> None:
    layer = readout()
    nn.init.constant_(layer.synapse.weight, float("nan"))
    with pytest.raises(ExportError, match="Readout: weight"):
        layer(spikes(1, 1, 12))
