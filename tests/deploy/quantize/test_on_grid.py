"""Parameters on a grid of the chip come back as its integers; others give None."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.deploy.quantize.on_grid import exact_threshold, near, on_grid
from spikeport.deploy.quantize.rounded import Rounded
from tests.deploy.quantize.one import V_STEP, WEIGHT, one, threshold

mixed = st.lists(st.integers(-128, 127).map(lambda k: 2 * k), min_size=2, max_size=8)
exps = st.integers(0, 7)


def lavas(*weights: Any, **values: Any) -> Rounded | None:
    """What is recognised as Lava's grid; another grid is none here."""
    found = on_grid(*one(*weights, **values))
    return found if found is not None and found.unit == WEIGHT else None


# ---------------------------------------------------------------- Lava's


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
    found = on_grid(*one(as_file[0], bias=as_file[1], threshold=float(np.float32(threshold(vth))), keep=1 - d))
    assert found is not None and found.exact
    assert (found.dv, found.du, found.vth, found.unit) == (dv, 4095, vth, WEIGHT)
    assert np.array_equal(found.weights[0].ravel(), weights)
    assert np.array_equal(found.bias, bias)


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
    found = lavas(np.array(weight) * WEIGHT, threshold=threshold(300))
    assert (found is not None) == exact
    if found is not None:
        assert np.array_equal(found.weights[0].ravel(), weight)


@pytest.mark.parametrize(
    ("bias", "exact", "exp"),
    [([4095, -4095], True, 0), ([4096, 2], True, 1), ([4096, 1], False, 1), ([524160], True, 7), ([524288], False, 7)],
)
def test_a_bias_is_exact_where_one_exponent_and_13_bits_hold_it(bias: list[int], exact: bool, exp: int) -> None:
    found = lavas([[2 * WEIGHT]], bias=np.array(bias) * V_STEP, threshold=threshold(3))
    assert (found is not None) == exact
    if found is not None:
        assert np.array_equal(found.bias, bias)
        assert found.bias_exp == exp


def test_a_decay_between_the_grid_is_rounded_and_said() -> None:
    exact = lavas([[2 * WEIGHT]], threshold=threshold(3), keep=1 - 100 / 4096)
    near_by = lavas([[2 * WEIGHT]], threshold=threshold(3), keep=1 - 100.4 / 4096)
    assert exact is not None and near_by is not None
    assert [(r.exact, r.dv) for r in (exact, near_by)] == [(True, 100), (False, 100)]


@pytest.mark.parametrize(
    ("steps", "vth"), [(64.5, 1), (64.0, None), (65.5, None), (0.5, None), (131071 * 64 + 0.5, 131071)]
)
def test_a_threshold_is_exact_half_a_step_above_the_grid(steps: float, vth: int | None) -> None:
    assert exact_threshold(steps * V_STEP) == vth


def test_a_threshold_that_float32_made_a_little_less_is_exact() -> None:
    assert exact_threshold((64.5 - 1e-4) * V_STEP) == 1
    assert exact_threshold((3 * 64.0 + 0.5 - 1e-4) * V_STEP) == 3


@pytest.mark.parametrize(
    ("x", "is_near"),
    [(3.0005, True), (3.01, False), (5e5 + 0.2, True), (5e5 + 0.3, False), (2.0**40, False), (1e300, False)],
)
def test_near_allows_what_float32_loses_and_no_more(x: float, is_near: bool) -> None:
    assert near(np.array([0.0, x])) is is_near


# ---------------------------------------------------------------- small multiples of one number


@pytest.mark.parametrize(
    ("weights", "integers"),
    [
        ([0.3, -0.3, 0.0], [254, -254, 0]),
        ([0.3, 0.0, 0.3], [255, 0, 255]),
        ([0.1, 0.2, 0.3], [85, 170, 255]),
        ([0.2, -0.3], [168, -252]),  # 84 is the largest even factor: 3 times it stays within 254
        ([-7.0, -14.0], [-127, -254]),
        ([1.0, 64.0], [3, 192]),
    ],
)
def test_multiples_of_one_number_are_as_large_as_the_mantissa_allows(weights: list[float], integers: list[int]) -> None:
    p, into = one(weights, threshold=1.0)
    found = on_grid(p, into)
    assert found is not None
    assert found.weights[0].ravel().tolist() == integers
    assert found.weights[0].ravel() * found.unit == pytest.approx(np.array(weights))


@pytest.mark.parametrize("weights", [[1.0, 65.0], [1.0, np.sqrt(2)], [0.0, 0.0], [0.3, 0.31001]])
def test_others_are_no_grid(weights: list[float]) -> None:
    assert on_grid(*one(weights, threshold=1.0)) is None


def test_all_projections_share_the_grid() -> None:
    found = on_grid(*one([1.0, 2.0], [-3.0], threshold=1.0))
    assert found is not None
    assert [w.ravel().tolist() for w in found.weights] == [[85, 170], [-255]]


@pytest.mark.parametrize(
    ("in_steps", "at_threshold", "vth"),
    [(2, False, 2 * 254), (2, True, 2 * 254 - 1), (1.5, False, 381), (1.5, True, 381)],
)
def test_sums_tie_with_the_threshold_where_the_floats_do(in_steps: float, at_threshold: bool, vth: int) -> None:
    """Weights are +-254: a sum of two is 508, which is above 507 and not above 508."""
    found = on_grid(*one([0.3, -0.3], threshold=0.3 * in_steps, at_threshold=at_threshold))
    assert found is not None
    assert found.vth == vth


@given(st.integers(1, 40), st.floats(0.01, 40), st.booleans(), st.booleans())
def test_no_sum_of_the_grid_is_on_another_side_of_the_threshold(
    most: int, in_steps: float, at_threshold: bool, signed: bool
) -> None:
    step = 0.37
    weights = step * np.array([1.0, most * (-1 if signed else 1)])
    found = on_grid(*one(weights, threshold=step * in_steps, at_threshold=at_threshold))
    if found is None:
        return
    n = round(step / found.unit)
    for k in range(1, 45):
        if abs(k - in_steps) > 1e-6 or k == in_steps:
            fires = k >= in_steps if at_threshold else k > in_steps
            assert (n * k > found.vth) == fires


def test_a_bias_off_the_grid_is_rounded_and_said() -> None:
    on, off = (on_grid(*one([1.0, -1.0], threshold=1.0, keep=1.0, bias=bias)) for bias in (0.25, np.pi / 10))
    assert on is not None and off is not None
    assert (on.exact, off.exact) == (True, False)
    assert [r.bias.item() * r.unit / 64 for r in (on, off)] == pytest.approx([0.25, np.pi / 10], rel=1e-3)


def test_a_population_of_which_v_is_read_is_never_on_a_grid() -> None:
    """Its words have to hold v, and no threshold asks for ties."""
    assert on_grid(*one([1.0, -1.0], threshold=np.inf)) is None


def test_a_weight_of_zero_has_either_sign() -> None:
    found = on_grid(*one([-0.3, 0.0], threshold=1.0))
    assert found is not None
    assert found.weights[0].ravel().tolist() == [-255, 0]


@pytest.mark.parametrize(
    ("in_steps", "vth"),
    [
        (1.499, 381),  # 254 * 1.499 = 380.7
        (1.9999, 2 * 254 - 1),  # a sum of two fires, so 508 is too much
        (2 - 1e-9, 2 * 254),  # which is two but for a float's last digits
        (0.0001, 1),
        (131071 / 254, 131071),
    ],
)
def test_a_threshold_between_sums_is_the_nearest_that_parts_them(in_steps: float, vth: int) -> None:
    found = on_grid(*one([0.3, -0.3], threshold=0.3 * in_steps))
    assert found is not None and found.vth == vth


def test_a_threshold_beyond_17_bits_is_on_no_grid() -> None:
    assert on_grid(*one([0.3, -0.3], threshold=0.3 * 131072 / 254)) is None


def test_the_threshold_that_a_spike_takes_off_is_a_multiple_as_well() -> None:
    """1, 2 and 1.5 are 2, 4 and 3 halves; 255 / 4 is 63 and a rest."""
    found = on_grid(*one([[1.0], [2.0]], bias=[0.0, 0.0], threshold=1.5, keep=1.0, reset="subtract"))
    assert found is not None
    assert (found.weights[0].ravel().tolist(), found.vth) == ([2 * 63, 4 * 63], 3 * 63)


def test_a_threshold_ties_with_a_sum_within_a_millionth_of_it() -> None:
    """Of 50 steps, 25 millionths of a step are not seen; 75 are."""
    for off, less in ((25e-6, 1), (75e-6, 0)):
        found = on_grid(*one([0.3, -0.3], threshold=0.3 * (50 + off), at_threshold=True))
        assert found is not None and found.vth == 50 * 254 - less


def test_a_bias_as_large_as_its_words_is_on_the_grid_and_a_larger_is_not() -> None:
    """Weight 255 is worth 255 / 64, so a step of v is worth 1 / 4096; 4095 << 7 of them are 127.96875."""
    for bias, fits in ((127.96875, True), (127.96875 + 2.0**-12, False)):
        found = on_grid(*one([[255 / 64], [255 / 64]], bias=[0.0, bias], threshold=255 / 64 * 9.5))
        assert (found is not None) == fits
        assert found is None or found.bias.tolist() == [0, 4095 << 7]


def test_a_bias_a_little_below_a_step_is_exact() -> None:
    found = on_grid(*one([[255 / 64]], bias=[(3 - 1e-5) / 4096], threshold=255 / 64 * 9.5))
    assert found is not None and found.exact and found.bias.tolist() == [3]


@pytest.mark.parametrize(("count", "n"), [(0, 63), (1, 63), (2, 31), (3, 21)])
def test_ones_that_a_helper_adds_up_leave_nothing_in_v(count: int, n: int) -> None:
    """At dv = 4095 v keeps a 4096th, which is nothing of 64 n where all projections together stay below 64."""
    p, into = one(*[[1.0, 0.0, 1 - 1e-7]] * count, threshold=np.inf, helper=True, keep=0.0)
    found = on_grid(p, into)
    assert found is not None and found.exact
    assert [w.ravel().tolist() for w in found.weights] == [[n, 0, n]] * count
    assert (found.bias.tolist(), found.bias_exp, found.vth, found.unit) == ([0], 0, 131071, 1 / n)
