"""Parameters on the chip's grid come back as their integers; others are rounded, and never by more than they must."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.deploy.passes import grid
from spikeport.deploy.passes.grid import Fitted
from spikeport.errors import RuleError

WEIGHT, V_STEP = 1 / 64, 1 / 4096  # what mantissa 1 and one step of v are worth on the grid
FLOAT32 = 4e-7  # what three roundings to float32 lose


def threshold(vth: int) -> float:
    return (64 * vth + 0.5) * V_STEP


def fit(weight: Any, bias: Any, vth: float, keep: float = 0.5) -> Fitted:
    return grid.fit("here", [np.array(weight, float)], np.array(bias, float), keep, vth)


mixed = st.lists(st.integers(-128, 127).map(lambda k: 2 * k), min_size=2, max_size=8)
exps = st.integers(0, 7)


# ---------------------------------------------------------------- on the grid


@given(mixed, st.lists(st.integers(-4095, 4095), min_size=1, max_size=4), exps, st.integers(1, 131071), st.data())
def test_integers_come_back_from_float32(
    weights: list[int], mants: list[int], exp: int, vth: int, data: st.DataObject
) -> None:
    """As any writer of NIR leaves them: times 4096 / dv, in float32, and folded back."""
    dv = data.draw(st.integers(1, 4095))
    gain = dv / 4096
    d = 1e-4 / float(np.float32(1e-4 / gain))
    bias = np.array(mants) << exp
    as_file = [np.float32(np.array(x) / gain) * d for x in (np.array(weights) * WEIGHT, bias * V_STEP)]
    found = fit(as_file[0], as_file[1], float(np.float32(threshold(vth))), 1 - d)
    assert found.exact
    assert (found.dv, found.vth) == (dv, vth)
    assert np.array_equal(found.weights[0], weights)
    assert np.array_equal(found.bias, bias)
    assert found.unit == WEIGHT


@pytest.mark.parametrize(
    ("weight", "exact"),
    [
        ([254, -256], True),
        ([255, 3], True),  # one sign: odd is allowed
        ([255, -2], False),  # mixed signs are even
        ([254 << 3, -16], True),  # 8-bit mantissa and exponent 3
        ([254 << 3, -17], False),
        ([255 << 7], True),
        ([1 << 15, 1], False),  # exponent 8
        ([0, 0], True),
    ],
)
def test_weights_are_exact_where_one_exponent_and_8_bits_hold_them(weight: list[int], exact: bool) -> None:
    found = fit(np.array(weight) * WEIGHT, [0.0], threshold(300))
    assert found.exact == exact
    if exact:
        assert np.array_equal(found.weights[0], weight)


@pytest.mark.parametrize(
    ("bias", "exact", "exp"),
    [([4095, -4095], True, 0), ([4096, 2], True, 1), ([4096, 1], False, 1), ([524160], True, 7), ([524288], False, 7)],
)
def test_a_bias_is_exact_where_one_exponent_and_13_bits_hold_it(bias: list[int], exact: bool, exp: int) -> None:
    found = fit([[2 * WEIGHT]], np.array(bias) * V_STEP, threshold(3))
    assert found.exact == exact
    if exact:
        assert np.array_equal(found.bias, bias)
        assert found.bias_exp == exp


def test_a_decay_between_the_grid_is_not_exact() -> None:
    assert fit([[2 * WEIGHT]], [0.0], threshold(3), keep=1 - 100 / 4096).exact
    found = fit([[2 * WEIGHT]], [0.0], threshold(3), keep=1 - 100.4 / 4096)
    assert (found.exact, found.dv) == (False, 100)


@pytest.mark.parametrize(
    ("steps", "vth"), [(64.5, 1), (64.0, None), (65.5, None), (0.5, None), (131071 * 64 + 0.5, 131071)]
)
def test_a_threshold_is_exact_half_a_step_above_the_grid(steps: float, vth: int | None) -> None:
    assert grid.exact_threshold(steps * V_STEP) == vth


@pytest.mark.parametrize(
    ("x", "near"),
    [(3.0005, True), (3.01, False), (5e5 + 0.2, True), (5e5 + 0.3, False), (2.0**40, False), (1e300, False)],
)
def test_near_allows_what_float32_loses_and_no_more(x: float, near: bool) -> None:
    assert grid.near(np.array([0.0, x])) is near


# ---------------------------------------------------------------- between the grid

floats = st.lists(st.floats(-5, 5), min_size=1, max_size=6).filter(lambda w: max(map(abs, w)) > 1e-3)


@given(floats, floats, st.floats(0.05, 100))
def test_other_parameters_are_rounded_to_the_nearest(weights: list[float], bias: list[float], vth: float) -> None:
    """127 steps to either side for weights; the threshold in units of half such a step."""
    largest = max(map(abs, weights))
    if vth < largest / 254:
        return
    found = fit(weights, bias, vth)
    assert not found.exact
    assert found.unit == pytest.approx(max(largest / 254, vth / 131071))
    assert np.all(found.weights[0] % 2 == 0)
    assert np.abs(found.weights[0]).max() <= 254
    assert np.abs(found.weights[0] * found.unit - weights).max() <= found.unit * (1 + 1e-9)
    assert abs(found.vth * found.unit - vth) <= found.unit / 2 * (1 + 1e-9)
    step = found.unit / 64 * 2**found.bias_exp
    kept = np.clip(bias, -4095 * step, 4095 * step)
    assert np.abs(found.bias * found.unit / 64 - kept).max() <= step / 2 * (1 + 1e-9)


def test_weights_of_one_neuron_share_one_unit() -> None:
    found = grid.fit("here", [np.array([[1.0]]), np.array([[0.1]])], np.array([0.0]), 0.5, 2.0)
    assert [w.item() for w in found.weights] == [254, 26]


def test_a_threshold_beyond_17_bits_makes_the_weights_smaller() -> None:
    found = fit([1e-3], [0.0], 10.0)
    assert found.vth == 131071
    assert found.weights[0].item() * found.unit == pytest.approx(1e-3, rel=0.1)


def test_a_threshold_below_the_least_weight_is_refused() -> None:
    with pytest.raises(RuleError) as caught:
        fit([[254.0]], [0.0], 0.5)
    assert str(caught.value) == (
        "here: threshold in units of the least weight (0.5) is below 1; raise the threshold or lower the largest weight"
    )


def test_without_weights_the_threshold_sets_the_unit() -> None:
    found = fit([[0.0, 0.0]], [0.3], 1.0)
    assert found.vth == 256
    assert found.bias.item() * found.unit / 64 == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize(("keep", "dv"), [(0.0, 4095), (1e-9, 4095), (0.5, 2048), (1.0, 0), (0.9999, 0)])
def test_a_decay_has_12_bits(keep: float, dv: int) -> None:
    assert grid.fit_decay(keep) == dv
