"""Each kernel against a re-derivation in Python integers and fractions, which know no width and no numpy."""

from collections.abc import Callable
from fractions import Fraction
from math import floor, trunc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport import fixed

TWO_23 = 8_388_608
POWERS = [2**k for k in range(31)]
EDGES = sorted(
    {0, 4095, 4096, 4097, 3 * TWO_23, 3 * TWO_23 + 1}.union(*({p - 1, p, p + 1} for p in POWERS))
    | {-3 * TWO_23 - 1, -3 * TWO_23}.union(*({-p - 1, -p, 1 - p} for p in POWERS))
)
values = st.integers(-(2**31), 2**31)


def each(kernel: Callable[..., np.ndarray], xs: list[int], *rest: int) -> list[int]:
    return kernel(np.array(xs, np.int64), *rest).tolist()


@pytest.mark.parametrize("keep", [0, 1, 2, 63, 2048, 4094, 4095, 4096])
def test_decay_keeps_the_fraction_and_rounds_toward_zero_at_every_edge(keep: int) -> None:
    assert each(fixed.decay, EDGES, keep) == [trunc(Fraction(x * keep, 4096)) for x in EDGES]


@given(values, st.integers(0, 4096))
def test_decay_keeps_the_fraction_and_rounds_toward_zero(x: int, keep: int) -> None:
    assert each(fixed.decay, [x], keep) == [trunc(Fraction(x * keep, 4096))]


@given(values, st.integers(0, 4096))
def test_decay_is_odd(x: int, keep: int) -> None:
    assert each(fixed.decay, [-x], keep) == [-y for y in each(fixed.decay, [x], keep)]


def test_the_current_leaks_one_more_4096th_than_du_says() -> None:
    assert [fixed.keep_u(du) for du in (-1, 0, 1, 4094, 4095)] == [4096, 4095, 4094, 1, 0]


def test_the_voltage_leaks_what_dv_says() -> None:
    assert [fixed.keep_v(dv) for dv in (0, 1, 4095, 4096)] == [4096, 4095, 1, 0]


def test_a_current_leaks_even_at_du_0() -> None:
    u, seen = np.array([4096], np.int64), []
    for _ in range(3):
        u = fixed.decay(u, fixed.keep_u(0))
        seen.append(int(u[0]))
    assert seen == [4095, 4094, 4093]


@pytest.mark.parametrize("bits", [0, 1, 3, 12, 30])
def test_rz_divides_by_a_power_of_two_and_rounds_toward_zero_at_every_edge(bits: int) -> None:
    assert each(fixed.rz, EDGES, bits) == [trunc(Fraction(x, 2**bits)) for x in EDGES]


def wrapped(x: int) -> int:
    """One correction by 2^24 toward (-2^23, 2^23]."""
    if x > TWO_23:
        return x - 2 * TWO_23
    return x + 2 * TWO_23 if x <= -TWO_23 else x


def test_u_wraps_once_at_every_edge() -> None:
    assert each(fixed.wrap_u, EDGES) == [wrapped(x) for x in EDGES]


def test_u_keeps_plus_2_to_the_23_and_turns_minus_2_to_the_23_around() -> None:
    assert each(fixed.wrap_u, [TWO_23, TWO_23 + 1, -TWO_23, 1 - TWO_23]) == [TWO_23, 1 - TWO_23, TWO_23, 1 - TWO_23]


def test_u_stays_outside_its_word_beyond_one_correction() -> None:
    assert each(fixed.wrap_u, [2**30]) == [1_056_964_608]  # measured on lava-nc 0.10.0


@given(st.integers(-3 * TWO_23 + 1, 3 * TWO_23))
def test_u_within_one_correction_is_congruent_and_in_its_word(x: int) -> None:
    (u,) = each(fixed.wrap_u, [x])
    assert -TWO_23 < u <= TWO_23
    assert (u - x) % 2**24 == 0


def twos_complement(x: int, bits: int) -> int:
    """The low bits of x, read as a signed number."""
    return int.from_bytes((x % 2**bits << (32 - bits)).to_bytes(4, "big"), "big", signed=True) >> (32 - bits)


def test_the_current_is_summed_in_32_bits_at_every_edge() -> None:
    wide = EDGES + [2**31 - 1, 2**31, 2**31 + 1, -(2**31) - 1, 2**32, 2**32 + 1, -(2**32), 3 * 2**31]
    assert each(fixed.as_int32, wide) == [twos_complement(x, 32) for x in wide]


def test_a_convolutions_sum_wraps_at_24_bits_at_every_edge() -> None:
    wide = EDGES + [2**31 - 1, 2**31, 2**31 + 1, -(2**31) - 1, 2**32, 2**32 + 1, -(2**32), 3 * 2**31]
    assert each(fixed.wrap_conv, wide) == [twos_complement(x, 24) for x in wide]


@given(st.integers(-(2**40), 2**40))
def test_both_words_are_twos_complement(x: int) -> None:
    assert each(fixed.as_int32, [x]) == [twos_complement(x, 32)]
    assert each(fixed.wrap_conv, [x]) == [twos_complement(x, 24)]


def test_on_loihi1_the_sum_wraps_at_22_bits_and_the_current_at_24_at_every_edge() -> None:
    wide = EDGES + [2**15 - 1, 2**15, 2**15 + 1, -(2**15), -(2**15) - 1, 2**31, -(2**31) - 1, 2**40 + 5]
    assert each(fixed.wrap_sum_loihi1, wide) == [twos_complement(64 * x, 22) for x in wide]
    assert each(fixed.wrap_u_loihi1, wide) == [twos_complement(x, 24) for x in wide]


def test_a_loihi_1_wraps_both_ends_of_its_words_alike() -> None:
    assert each(fixed.wrap_sum_loihi1, [2**15 - 1, 2**15, -(2**15), -(2**15) - 1]) == [
        2**21 - 64,
        -(2**21),
        -(2**21),
        2**21 - 64,
    ]
    assert each(fixed.wrap_u_loihi1, [TWO_23 - 1, TWO_23, -TWO_23, -TWO_23 - 1]) == [
        TWO_23 - 1,
        -TWO_23,
        -TWO_23,
        TWO_23 - 1,
    ]


def test_v_saturates_symmetrically_at_every_edge() -> None:
    assert each(fixed.saturate_v, EDGES) == [max(1 - TWO_23, min(TWO_23 - 1, x)) for x in EDGES]


def test_leaving_the_word_means_that_the_kernel_would_change_the_value() -> None:
    assert each(fixed.leaves_u, EDGES) == [wrapped(x) != x for x in EDGES]
    assert each(fixed.leaves_v, EDGES) == [abs(x) > TWO_23 - 1 for x in EDGES]
    wide = [2**31 - 1, 2**31, 2**31 + 1, -(2**31), -(2**31) - 1, 2**32, -(2**32), 2**40, 0, 1, -1]
    assert each(fixed.leaves_int32, wide) == [twos_complement(x, 32) != x for x in wide]


@pytest.mark.parametrize("exp", range(-8, 8))
def test_shift_multiplies_by_a_power_of_two_and_rounds_down_at_every_edge(exp: int) -> None:
    assert each(fixed.shift, EDGES, exp) == [floor(x * Fraction(2) ** exp) for x in EDGES]


@given(values, st.integers(-24, 24))
def test_shift_multiplies_by_a_power_of_two_and_rounds_down(x: int, exp: int) -> None:
    assert each(fixed.shift, [x], exp) == [floor(x * Fraction(2) ** exp)]


@pytest.mark.parametrize("exp", range(25))
def test_round_shift_divides_and_rounds_halves_up_at_every_edge(exp: int) -> None:
    assert each(fixed.round_shift, EDGES, exp) == [floor(Fraction(x, 2**exp) + Fraction(1, 2)) for x in EDGES]


@given(values, st.integers(0, 24))
def test_round_shift_divides_and_rounds_halves_up(x: int, exp: int) -> None:
    assert each(fixed.round_shift, [x], exp) == [floor(Fraction(x, 2**exp) + Fraction(1, 2))]


@pytest.mark.parametrize("exp", range(20))
def test_the_bias_exponent_changes_right_above_4095_times_a_power_of_two(exp: int) -> None:
    assert fixed.bias_exponent(4095 * 2**exp) == exp
    assert fixed.bias_exponent(4095 * 2**exp + 1) == exp + 1


@given(st.integers(0, 2**40))
def test_the_bias_exponent_is_the_least_that_fits(magnitude: int) -> None:
    exp = fixed.bias_exponent(magnitude)
    assert magnitude <= 4095 * 2**exp
    assert exp == 0 or magnitude > 4095 * 2 ** (exp - 1)


def fits(weights: list[int]) -> bool:
    """Lava's rule in words: one sign, 8 bits of magnitude; two signs, even and 9 bits in two's complement."""
    if any(w < 0 for w in weights) and any(w > 0 for w in weights):
        return all(w % 2 == 0 and -256 <= w <= 254 for w in weights)
    return all(abs(w) <= 255 for w in weights)


@pytest.mark.parametrize(
    "weights",
    [
        [],
        [0],
        [255],
        [256],
        [-255],
        [-256],
        [0, 255],
        [-255, 0],
        [-256, 254],
        [-256, 0],
        [-258, 2],
        [-2, 255],
        [-2, 256],
    ]
    + [[-1, 1], [-2, 1], [-1, 2], [-2, 2], [-2, 0, 2]],
    ids=str,
)
def test_mantissas_fit_as_lavas_sign_modes_say_at_the_limits(weights: list[int]) -> None:
    assert fixed.fits_mantissa(np.array(weights, np.int64)) is fits(weights)


@given(st.lists(st.integers(-260, 260), max_size=6))
def test_mantissas_fit_as_lavas_sign_modes_say(weights: list[int]) -> None:
    assert fixed.fits_mantissa(np.array(weights, np.int64)) is fits(weights)


def in_range(weights: list[int]) -> bool:
    """`fits` without the demand to be even, which is the caller's matter."""
    if any(w < 0 for w in weights) and any(w > 0 for w in weights):
        return all(-256 <= w <= 254 for w in weights)
    return all(abs(w) <= 255 for w in weights)


@given(st.lists(st.integers(-(2**20), 2**20), max_size=6))
def test_the_weight_exponent_is_the_least_that_fits(weights: list[int]) -> None:
    exp = fixed.weight_exponent(np.array(weights, np.int64))
    assert in_range([floor(Fraction(w, 2**exp)) for w in weights])
    assert exp == 0 or not in_range([floor(Fraction(w, 2 ** (exp - 1))) for w in weights])


@pytest.mark.parametrize(
    ("weights", "exp"),
    [([], 0), ([0], 0), ([255], 0), ([256], 1), ([-255], 0), ([-256], 1), ([-256, 254], 0), ([-2, 256], 1), ([510], 1)]
    + [([512], 2), ([-512, 508], 1), ([-514, 2], 2)],
    ids=str,
)
def test_the_weight_exponent_at_the_limits(weights: list[int], exp: int) -> None:
    assert fixed.weight_exponent(np.array(weights, np.int64)) == exp


def test_the_word_widths_are_lavas() -> None:
    """lava-nc 0.10.0, docstrings of LIF and Dense."""
    assert (fixed.WRAP_AT, fixed.V_MAX) == (2**23, 2**23 - 1)
    assert fixed.VTH_MAX == 2**17 - 1
    assert (fixed.BIAS_MANT_MIN, fixed.BIAS_MANT_MAX) == (-(2**12), 2**12 - 1)
    assert fixed.BIAS_EXP_MAX == 2**3 - 1
    assert (fixed.WEIGHT_MAX, fixed.WEIGHT_MIN_MIXED, fixed.WEIGHT_MAX_MIXED) == (255, -256, 254)
    assert (fixed.WEIGHT_EXP_MIN, fixed.WEIGHT_EXP_MAX) == (-8, 7)
    assert (fixed.ACT_SHIFT, fixed.DELAY_MAX, fixed.EXP_MAX, fixed.PAYLOAD_MAX) == (6, 62, 7, 8_388_607)


def test_a_rest_is_at_most_63_steps() -> None:
    """brian2_loihi 0.5.2: `refractory` is 1 to 64, and 1 is no rest."""
    assert fixed.REFRACTORY_MAX == 64 - 1
