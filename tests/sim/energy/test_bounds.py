"""Bounds against rational arithmetic: sums, multiples and ratios of numbers that are exact in binary."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.sim.energy.bounds import ZERO, Bounds

EIGHTHS = st.integers(0, 1 << 20).map(lambda n: n / 8)
COUNTS = st.integers(0, 1 << 20)


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    low, nominal, high = sorted(draw(st.tuples(EIGHTHS, EIGHTHS, EIGHTHS)))
    return Bounds(draw(st.sampled_from((low, None))), nominal, draw(st.sampled_from((high, None))))


@given(bounds(), bounds(), bounds())
def test_sums_commute_and_associate_and_start_from_zero(a: Bounds, b: Bounds, c: Bounds) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == sum((a, b, c), ZERO)
    assert a + ZERO == a


@given(bounds(), COUNTS, COUNTS)
def test_multiples_are_linear_in_counts(a: Bounds, m: int, n: int) -> None:
    assert a.times(m) + a.times(n) == a.times(m + n)
    assert a.times(1) == a
    assert a.times(m).nominal == float(Fraction(a.nominal) * m)


@given(bounds(), bounds(), COUNTS)
def test_multiples_distribute_over_sums_of_prices(a: Bounds, b: Bounds, n: int) -> None:
    assert (a + b).times(n) == a.times(n) + b.times(n) or n == 0


@given(bounds(), bounds())
def test_a_ratio_has_the_extremes_of_all_ratios(a: Bounds, b: Bounds) -> None:
    ratio = a.over(b)
    if b.nominal == 0:
        assert ratio is None
        return
    assert ratio is not None
    assert ratio.nominal == float(Fraction(a.nominal) / Fraction(b.nominal))
    tops = [a.low, a.nominal, a.high]
    bottoms = [b.low, b.nominal, b.high]
    every = [x / y for x in tops for y in bottoms if x is not None and y]
    assert ratio.low == (min(every) if a.low is not None and b.high is not None else None)
    assert ratio.high == (max(every) if a.high is not None and b.low else None)


def test_what_is_not_published_spreads_on_its_side_only() -> None:
    a, b = Bounds(None, 2.0, 3.0), Bounds(1.0, 1.0, None)
    assert a + b == Bounds(None, 3.0, None)
    assert a + a == Bounds(None, 4.0, 6.0)
    assert a.over(Bounds(1.0, 1.0, 2.0)) == Bounds(None, 2.0, 3.0)
    assert Bounds(1.0, 2.0, 3.0).over(b) == Bounds(None, 2.0, 3.0)


def test_none_of_something_is_exactly_nothing() -> None:
    assert Bounds(None, 7.0, None).times(0) == ZERO
    assert Bounds(None, 7.0, None).times(Fraction(1, 2)) == Bounds(None, 3.5, None)


def test_a_division_by_zero_has_no_limit() -> None:
    assert Bounds(1.0, 2.0, 3.0).over(Bounds(0.0, 1.0, 2.0)) == Bounds(0.5, 2.0, None)
    assert Bounds(1.0, 2.0, 3.0).over(ZERO) is None
    assert ZERO.over(ZERO) is None
    assert ZERO.over(Bounds(1.0, 2.0, 3.0)) == ZERO
    assert Bounds(1.0, 1e300, 1e300).over(Bounds(1e-300, 1e-300, 1.0)) is None


def test_to_json_keeps_what_is_missing() -> None:
    assert Bounds(None, 2.0, 3.0).to_json() == {"low": None, "nominal": 2.0, "high": 3.0}


@pytest.mark.parametrize(
    "values",
    [
        (2.0, 1.0, 3.0),
        (1.0, 4.0, 3.0),
        (5.0, 5.0, 4.0),
        (None, -1.0, None),
        (-1.0, 1.0, None),
        (None, float("nan"), None),
        (None, 1.0, float("inf")),
        (float("nan"), 1.0, 2.0),
    ],
)
def test_bounds_out_of_order_are_refused(values: tuple[float | None, float, float | None]) -> None:
    with pytest.raises(InputError, match="bounds: low, nominal, high"):
        Bounds(*values)


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(InputError, match="amount"):
        ZERO.times(-1)
    with pytest.raises(InputError, match="amount"):
        ZERO.times(Fraction(-1, 3))
