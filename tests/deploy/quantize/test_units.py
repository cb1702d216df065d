"""What weight 1 may be worth, by hand from the widths of the chip's words."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from spikeport.deploy.maps.base import Sparse
from spikeport.deploy.network import Projection
from spikeport.deploy.quantize.rounded import round_bias
from spikeport.deploy.quantize.units import least_unit, unit_of_weights, v_bound, v_likely
from spikeport.errors import RuleError
from tests.deploy.graphs import floats
from tests.deploy.quantize.one import one

V_MAX, VTH_MAX, BIAS_MAX = 2**23 - 1, 2**17 - 1, 4095 * 128


def test_the_largest_weight_is_254_where_signs_mix_and_255_where_not() -> None:
    assert unit_of_weights(*one([1.0, -0.5], threshold=9.0)) == pytest.approx(1 / 254)
    assert unit_of_weights(*one([-1.0, -0.5], threshold=9.0)) == pytest.approx(1 / 255)
    assert unit_of_weights(*one([1.0, 0.0], threshold=9.0)) == pytest.approx(1 / 255)
    assert unit_of_weights(*one([-1.0, 0.0], threshold=9.0)) == pytest.approx(1 / 255)


def test_the_projection_of_the_most_synapses_decides_as_long_as_an_exponent_of_7_reaches_the_others() -> None:
    assert unit_of_weights(*one([2.0, 1.0, 1.0], [-1.0, 3.0], threshold=9.0)) == pytest.approx(2 / 255)
    assert unit_of_weights(*one([-1.0, 3.0], [2.0, 1.0, 1.0], threshold=9.0)) == pytest.approx(2 / 255)
    assert unit_of_weights(*one([2.0, 1.0, 1.0], [-1.0, 3000.0], threshold=9.0)) == pytest.approx(3000 / 254 / 128)
    assert unit_of_weights(*one([0.0, 0.0, 0.0], [-1.0, 3.0], threshold=9.0)) == pytest.approx(3 / 254)


def test_synapses_of_weight_zero_decide_nothing() -> None:
    p, into = one([-1.0, 3.0], threshold=9.0)
    zeros = Sparse(csr_array((np.zeros(3), ([0, 0, 0], [0, 1, 2])), shape=(1, 3)))
    assert unit_of_weights(p, [Projection("zeros", "here", zeros), *into]) == pytest.approx(3 / 254)


def test_a_threshold_has_16_units_where_an_exponent_of_7_allows_it() -> None:
    assert unit_of_weights(*one([2.0, 2.0], threshold=1.0)) == pytest.approx(2 / 255)
    assert unit_of_weights(*one([2.0, 2.0], threshold=0.08)) == pytest.approx(0.08 / 16)
    assert unit_of_weights(*one([2.0, 2.0], threshold=1e-6)) == pytest.approx(2 / 255 / 128)


@pytest.mark.parametrize(
    ("bias", "threshold", "unit"), [(5.0, 0.5, 0.5 / 256), (5.0, np.inf, 5 * 64 / 4095), (0.0, np.inf, 1.0)]
)
def test_without_weights_the_threshold_or_the_bias_decides(bias: float, threshold: float, unit: float) -> None:
    assert unit_of_weights(*one([0.0], bias=bias, threshold=threshold)) == pytest.approx(unit)
    assert unit_of_weights(*one(bias=bias, threshold=threshold)) == pytest.approx(unit)


def test_the_words_of_bias_threshold_and_v_set_a_least_unit() -> None:
    p, _ = one(bias=-3.0, threshold=2.0)
    assert least_unit(p, 0.0) == pytest.approx(max(3 * 64 / BIAS_MAX, 2 / VTH_MAX))
    p, _ = one(bias=0.0, threshold=2.0)
    assert least_unit(p, 0.0) == pytest.approx(2 / VTH_MAX)
    assert least_unit(p, 1000.0) == pytest.approx(1000 * 64 / V_MAX)
    p, _ = one(bias=0.0, threshold=np.inf)
    assert least_unit(p, 1.0) == pytest.approx(64 / V_MAX)


def test_at_the_least_unit_each_bias_fits_its_words(rng: np.random.Generator) -> None:
    """4095 << 7 steps of v, whatever floats make of the quotient."""
    for bias in rng.uniform(0.5, 1, 300):
        p, _ = one(bias=float(bias), threshold=1.0)
        assert abs(int(round_bias(p, least_unit(p, 0.0))[0][0])) == BIAS_MAX


def test_v_is_bound_by_all_sources_of_one_sign_at_every_step() -> None:
    """Bias -1 and weights of -3: v = keep v - 4 comes to -4 / (1 - keep); the weight of 2 alone does not reach that."""
    weights = [[2.0, -3.0]]
    assert v_bound(*one(weights, bias=-1.0, keep=0.5), steps=1000) == pytest.approx(8)
    assert v_bound(*one(weights, bias=-1.0, keep=0.5, keep_u=0.75), steps=1000) == pytest.approx(32)
    assert v_bound(*one(weights, bias=-1.0, keep=1.0), steps=10) == pytest.approx(40)
    assert v_bound(*one(weights, bias=-1.0, keep=1 - 1e-9), steps=10) == pytest.approx(40)


def test_a_weight_or_a_bias_below_1_is_not_taken_for_1() -> None:
    assert v_bound(*one([[0.25]], bias=0.0, keep=0.0), steps=9) == 0.25
    assert v_bound(*one([[0.0]], bias=0.25, keep=0.0), steps=9) == 0.25


def test_what_is_likely_is_half_of_the_weights_and_six_deviations_half_as_much_again() -> None:
    """Of one source and weight w: a mean of w / 2, a variance of w^2 / 4.

    v gains 1 / (1 - 3/4) = 4 by u and 1 / (1 - 1/2) = 2 by itself; its variance 4^2, and 1 / (1 - 1/4) = 4/3.
    """
    found = v_likely(*one([[0.01]], bias=0.0, keep=0.5, keep_u=0.75), steps=10**6)
    assert found == pytest.approx(1.5 * 0.01 * (8 / 2 + 6 * np.sqrt(16 * 4 / 3 / 4)))


def test_v_is_that_of_the_neuron_that_hears_most() -> None:
    assert v_bound(*one(floats([3, -2], [5, 0]), bias=floats(4, 0), keep=0.0), steps=9) == 7


def test_v_never_leaves_its_bound(rng: np.random.Generator) -> None:
    for _ in range(20):
        keep, keep_u, steps = rng.uniform(0, 1), rng.uniform(0, 0.9), 12
        weight, bias = rng.normal(size=(1, 4)), float(rng.normal())
        bound = v_bound(*one(weight, bias=bias, keep=keep, keep_u=keep_u), steps=steps)
        for spikes in (weight > 0, weight < 0):
            u = v = 0.0
            for _ in range(steps):
                u = keep_u * u + float((weight * spikes).sum())
                v = keep * v + u + bias
                assert abs(v) <= bound * (1 + 1e-9)


@pytest.mark.parametrize(("keep", "keep_u"), [(0.0, 0.0), (0.9, 0.0), (1.0, 0.0), (0.8, 0.7), (1.0, 0.9)])
def test_chance_does_not_take_v_beyond_what_is_likely(keep: float, keep_u: float) -> None:
    """Sources fire at every second step; nothing resets v. The room is not so large that it would be the bound."""
    rng = np.random.default_rng(3)
    weight = rng.normal(0, 0.5, (20, 200))
    p, into = one(weight, bias=np.full(20, 0.3), keep=keep, keep_u=keep_u)
    likely, steps = v_likely(p, into, 30), 30
    u, v, most = np.zeros((50, 20)), np.zeros((50, 20)), 0.0
    for _ in range(steps):
        u = keep_u * u + (rng.random((50, 200)) < 0.5) @ weight.T
        v = keep * v + u + 0.3
        most = max(most, float(np.abs(v).max()))
    assert most < likely < 6 * most
    assert likely < v_bound(p, into, steps)


def test_a_bias_that_no_word_holds_beside_the_threshold_is_refused() -> None:
    p, _ = one(bias=9000.0, threshold=1.0)
    with pytest.raises(RuleError, match=r"here: bias \(9000\) exceeds 8190 times the threshold 1"):
        least_unit(p, 0.0)
