"""The grids of the chip, and gradients that pass straight through them."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from spikeport.errors import ExportError
from spikeport.train import QuantConv2d, QuantLinear, quant

moderate = st.floats(-1e6, 1e6, width=32)
weights = st.lists(moderate, min_size=1, max_size=20).map(lambda values: torch.tensor(values, dtype=torch.float64))
small_ints = st.integers(-127, 127)


def gradient(function: Any, x: list[float]) -> list[float]:
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    function(at).sum().backward()
    assert at.grad is not None
    return at.grad.tolist()


def scalar(x: float) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


# ---------------------------------------------------------------- weights


@given(weights)
def test_weights_lie_on_a_grid_of_127_steps_to_either_side(weight: Tensor) -> None:
    lsb = float(quant.weight_lsb(weight))
    k = quant.quantize_weight(weight) / lsb
    assert torch.allclose(k, k.round(), rtol=0, atol=1e-9)
    assert k.abs().max().round() == (127 if weight.any() else 0)
    assert ((quant.quantize_weight(weight) - weight).abs() <= lsb / 2 * (1 + 1e-9)).all()


def test_the_grid_is_set_by_the_largest_weight() -> None:
    assert float(quant.weight_lsb(torch.tensor([0.5, -1.27]))) == pytest.approx(0.01)
    assert quant.quantize_weight(scalar(-3.0)) == -3.0


def test_all_zero_weights_have_a_grid_too() -> None:
    assert float(quant.weight_lsb(torch.zeros(3))) == 1.0
    assert quant.quantize_weight(torch.zeros(3)).tolist() == [0, 0, 0]


def test_halves_round_to_even() -> None:
    assert quant.round_ste(torch.tensor([-1.5, -0.5, 0.5, 1.5, 2.5])).tolist() == [-2, 0, 0, 2, 2]


def test_gradients_pass_straight_through_the_rounding_of_weights() -> None:
    assert gradient(quant.quantize_weight, [0.1, -0.7, 1.3, 0.0]) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("module", "x"), [(QuantLinear(4, 3), torch.ones(2, 4)), (QuantConv2d(2, 3, 2), torch.ones(1, 2, 3, 3))]
)
def test_a_synapse_alone_uses_rounded_weights(module: Any, x: Tensor) -> None:
    twin = type(module).__mro__[1].forward  # torch's own layer
    expected = module(x)
    with torch.no_grad():
        module.weight.copy_(quant.quantize_weight(module.weight))
    assert torch.allclose(twin(module, x), expected)


# ---------------------------------------------------------------- decay and threshold


@pytest.mark.parametrize(
    ("keep", "on_grid"),
    [(0.0, 1), (1 / 8192, 1), (0.25, 1024), (0.25 + 0.4 / 4096, 1024), (0.25 + 0.6 / 4096, 1025), (1.0, 4095)],
)
def test_decays_are_whole_4096ths_from_1_to_4095(keep: float, on_grid: int) -> None:
    assert float(quant.quantize_keep(scalar(keep))) * 4096 == on_grid


def test_the_gradient_of_a_decay_stops_where_it_is_clipped() -> None:
    assert gradient(quant.quantize_keep, [0.0, 0.3, 0.9, 1.0]) == [0, 1, 1, 0]


@pytest.mark.parametrize(("threshold", "units"), [(0.01, 1), (0.1, 1), (0.26, 3), (0.25, 2), (1e9, 131071)])
def test_thresholds_are_whole_weight_units_from_1_to_17_bits(threshold: float, units: int) -> None:
    assert float(quant.quantize_threshold(scalar(threshold), scalar(0.1))) == pytest.approx(units * 0.1)


def test_the_gradient_of_a_threshold_stops_where_it_is_clipped() -> None:
    assert gradient(lambda x: quant.quantize_threshold(x, scalar(0.1)), [0.01, 0.34, 5.0, 1e6]) == [0, 1, 1, 0]


@pytest.mark.parametrize(("keep", "dv"), [(0.0, 4095), (0.25, 3072), (0.5, 2048), (1.0, 1)])
def test_dv_is_what_a_step_loses(keep: float, dv: int) -> None:
    assert quant.legal_decay("here", scalar(keep)) == dv


# ---------------------------------------------------------------- bias


@given(weights, st.floats(1e-3, 1e3))
def test_the_bias_step_is_the_least_whose_13_bits_hold_the_largest_bias(bias: Tensor, unit: float) -> None:
    step, exp = quant.bias_step(bias, scalar(unit))
    largest = float(bias.abs().max())
    assert float(step) == pytest.approx(unit / 64 * 2**exp)
    assert 0 <= exp <= 7
    if exp < 7:
        assert round(largest / float(step)) <= 4095
    if exp > 0:
        assert largest > 4095 * float(step) / 2 * (1 - 1e-9)


@given(weights, st.floats(1e-3, 1e3))
def test_a_bias_is_off_by_half_a_step_at_most_or_clipped(bias: Tensor, unit: float) -> None:
    step = float(quant.bias_step(bias, scalar(unit))[0])
    expected = np.clip(bias.numpy(), -4095 * step, 4095 * step)
    found = quant.quantize_bias(bias, scalar(unit)).numpy()
    assert np.all(np.abs(found - expected) <= step / 2 * (1 + 1e-9))


@pytest.mark.parametrize(
    ("largest", "exp"), [(0, 0), (4095, 0), (4095.25, 1), (8190, 1), (8190.5, 2), (524160, 7), (1e9, 7)]
)
def test_bias_exponents_change_where_the_mantissa_is_full(largest: float, exp: int) -> None:
    """unit 64: a bias of 1 is one step of v."""
    assert quant.bias_step(torch.tensor([0.0, -largest], dtype=torch.float64), scalar(64.0))[1] == exp


def test_the_gradient_of_a_bias_stops_where_it_is_clipped() -> None:
    assert gradient(lambda x: quant.quantize_bias(x, scalar(64.0)), [1.0, -300.0, 1e9]) == [1, 1, 0]


# ---------------------------------------------------------------- the encoder


@given(
    st.lists(st.lists(small_ints, min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(-(2**28), 2**28),
    st.sampled_from([(0, 255), (-128, 127), (0, 1), (-32768, 65535)]),
)
def test_no_image_leaves_the_encoders_13_bits(k: list[list[int]], offset: int, limits: tuple[int, int]) -> None:
    low, high = limits
    shift = quant.encoder_shift(torch.tensor(k), torch.full((len(k),), offset), low, high)
    for row in k:
        for sign in (1, -1):
            worst = sum(w * (high if w * sign > 0 else low) for w in row) + offset
            assert -4096 <= (worst + (1 << shift >> 1)) >> shift <= 4095


def test_the_encoders_shift_is_the_least() -> None:
    k, zero = torch.tensor([[127, -127]]), torch.tensor([0])
    assert quant.encoder_shift(k, zero, 0, 16) == 0  # 4064
    assert quant.encoder_shift(k, torch.tensor([31]), 0, 16) == 0  # 4095
    assert quant.encoder_shift(k, torch.tensor([-32]), 0, 16) == 1
    assert quant.encoder_shift(k, zero, -255, 16) == 4  # 64770 <= 4095 * 16


@given(st.lists(small_ints, min_size=1, max_size=5), st.integers(-quant.OFFSET_MAX, quant.OFFSET_MAX))
def test_a_coarse_offset_fits_float32_and_stays_near(k: list[int], offset: int) -> None:
    found, shift = quant.coarse_offset(torch.tensor([k]), torch.tensor([offset]), 0, 255)
    assert int(np.float32(int(found))) == int(found)
    assert shift == quant.encoder_shift(torch.tensor([k]), found, 0, 255)
    assert int(found) % (1 << max(0, shift - 8)) == 0
    assert abs(int(found) - offset) <= 1 << max(0, shift - 8)
    if shift <= 8:
        assert int(found) == offset


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (
            lambda: quant.legal_decay("lif", scalar(-0.125)),
            "lif: decay (-0.125) is not in [0, 1]; train with constrained=True",
        ),
        (
            lambda: quant.legal_decay("lif", scalar(math.nan)),
            "lif: decay (nan) is not in [0, 1]; train with constrained=True",
        ),
        (
            lambda: quant.legal_threshold("lif", scalar(0.0), scalar(1.0)),
            "lif: threshold (0) is not above 0; train with constrained=True",
        ),
        (
            lambda: quant.legal_weight("lif", torch.tensor([1.0, math.nan]), torch.zeros(1)),
            "lif: weight (NaN or infinity) is not a finite number; train again with a lower learning rate",
        ),
        (
            lambda: quant.legal_weight("lif", torch.zeros(1), torch.tensor([math.inf])),
            "lif: bias (NaN or infinity) is not a finite number; train again with a lower learning rate",
        ),
        (
            lambda: quant.legal_offset("lif", torch.tensor([0.0, -2e9])),
            "lif: bias in units of the least weight (2e+09) exceeds 1073479680; "
            "raise the layer's weights or lower its bias",
        ),
    ],
)
def test_what_no_chip_holds_is_refused(check: Any, message: str) -> None:
    with pytest.raises(ExportError) as caught:
        check()
    assert str(caught.value) == message
    assert caught.value.where == "lif"
