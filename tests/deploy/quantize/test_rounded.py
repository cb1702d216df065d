"""Parameters between the grid are rounded to the nearest, and never by more than they must."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spikeport.deploy.maps.base import Identity, Sparse
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Projection
from spikeport.deploy.options import Options
from spikeport.deploy.quantize.choose import rounded_without_data
from spikeport.deploy.quantize.rounded import (
    as_float,
    decay_u,
    decay_v,
    round_bias,
    round_population,
    round_threshold,
    round_weights,
)
from spikeport.deploy.quantize.units import unit_of_weights
from spikeport.errors import RuleError
from tests.deploy.graphs import floats, population
from tests.deploy.quantize.one import one

SLACK = 1 + 1e-9
floats_ = st.lists(st.floats(-5, 5), min_size=1, max_size=6).filter(lambda w: max(map(abs, w)) > 1e-3)


@given(floats_, floats_, st.floats(0.05, 100))
def test_parameters_are_rounded_to_the_nearest(weights: list[float], bias: list[float], vth: float) -> None:
    """To 254 units if signs mix, in steps of two; to 255 in steps of one if they do not."""
    p, into = one(weights, bias=bias, threshold=vth)
    unit = unit_of_weights(p, into)
    assume(1 <= vth / unit <= 131071 and max(map(abs, bias)) * 64 / unit <= 4095 << 7)
    found = round_population(p, into, unit)
    mixed = min(weights) < 0 < max(weights)
    assume(vth * 254 > 17 * max(map(abs, weights)))  # else the weights get an exponent
    assert unit == pytest.approx(max(map(abs, weights)) / (254 if mixed else 255))
    assert not mixed or np.all(found.weights[0] % 2 == 0)
    assert np.abs(found.weights[0]).max() == (254 if mixed else 255)
    assert np.abs(found.weights[0] * unit - weights).max() <= unit * (1 if mixed else 0.5) * SLACK
    assert abs(found.vth * unit - vth) <= unit / 2 * SLACK
    step = unit / 64 * 2**found.bias_exp
    kept = np.clip(bias, -4095 * step, 4095 * step)
    assert np.abs(found.bias * unit / 64 - kept).max() <= step / 2 * SLACK
    assert not found.exact


@given(floats_, st.floats(1e-6, 1.0))
def test_a_smaller_unit_takes_an_exponent(weights: list[float], unit: float) -> None:
    largest = max(map(abs, weights))
    assume(largest / unit <= 254 << 7)
    found = round_weights("here", np.array(weights), unit)
    exp = 0
    while largest / unit > (254 if min(weights) < 0 < max(weights) else 255) << exp:
        exp += 1
    assert np.all(found % (1 << exp) == 0)
    assert np.abs(found * unit - weights).max() <= unit * 2**exp * SLACK


def test_a_weight_of_zero_has_either_sign() -> None:
    assert round_weights("here", floats(0.0, 1.0, 0.2), 1 / 255).tolist() == [0, 255, 51]
    assert round_weights("here", floats(0.0, -1.0, -0.2), 1 / 255).tolist() == [0, -255, -51]


def test_weights_beyond_the_clip_are_cut() -> None:
    assert round_weights("here", floats(1.0, 0.5, 0.1), 1 / 510, clip=0.5).tolist() == [255, 255, 51]


def test_weights_too_far_apart_for_an_exponent_are_refused() -> None:
    round_weights("here", floats(255.0), 1 / 128)
    with pytest.raises(RuleError) as caught:
        round_weights("here", floats(256.0), 1 / 128)
    assert str(caught.value) == (
        "here: weight exponent (8) exceeds 7; bring the weights into one neuron closer together"
    )


def test_weights_of_one_neuron_share_one_unit() -> None:
    found = rounded_without_data(*one([[np.pi]], [[0.1]], threshold=2.0), Options())
    assert [w.item() for w in found.weights] == [255, 8]


def test_a_threshold_beyond_17_bits_makes_the_weights_smaller() -> None:
    found = rounded_without_data(*one([1e-3, 0.3e-3 * np.pi], threshold=10.0), Options())
    assert found.vth == 131071
    assert found.weights[0][0, 0] * found.unit == pytest.approx(1e-3, rel=0.1)


def test_a_threshold_below_the_least_weight_is_refused() -> None:
    assert round_threshold("here", 0.51, 1.0) == 1
    with pytest.raises(RuleError) as caught:
        round_threshold("here", 0.4, 1.0)
    assert str(caught.value) == (
        "here: threshold in units of the least weight (0.4) is below 1; raise the threshold or lower the largest weight"
    )


def test_a_bias_beyond_its_words_is_refused() -> None:
    """4095 << 7 steps of v, 64 of them a unit."""
    assert round_bias(population("here", 1, bias=8190.0), 1.0)[1] == 7
    with pytest.raises(RuleError) as caught:
        round_bias(population("here", 1, bias=8191.0), 1.0)
    assert str(caught.value) == (
        "here: bias in steps of v (524224) exceeds 524160; raise the layer's weights or lower its bias"
    )


@pytest.mark.parametrize(
    ("bias", "values", "exp"),
    [
        ([1.0, 8190.0], [0, 8190], 1),
        ([-8190.0, 3.0], [-8190, 4], 1),
        ([4095.4], [4096], 1),
        ([4095.0, 0.5], [4095, 0], 0),
    ],
)
def test_the_largest_bias_sets_the_exponent_of_all(bias: list[float], values: list[int], exp: int) -> None:
    """With a unit of 64 a bias is in steps of v. Halves go to even; 4095.4 does not fit 4095."""
    found = round_bias(population("here", len(bias), bias=np.array(bias)), 64.0)
    assert (found[0].tolist(), found[1]) == (values, exp)


def test_without_weights_the_threshold_sets_the_unit() -> None:
    found = rounded_without_data(*one([[0.0, 0.0]], bias=[0.3], threshold=1.0), Options())
    assert found.vth == 256
    assert found.bias.item() * found.unit / 64 == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize(("keep", "dv"), [(0.0, 4095), (1e-9, 4095), (0.5, 2048), (1.0, 0), (0.9999, 0)])
def test_the_membranes_decay_has_12_bits(keep: float, dv: int) -> None:
    assert decay_v(population("here", 1, keep=keep)) == dv


@pytest.mark.parametrize(
    ("keep", "du"),
    [(0.0, 4095), (0.5, 2047), (1.0, -1), (1 - 1 / 4096, 0), (1 - 100.6 / 4096, 100), (1 - 100.4 / 4096, 99)],
)
def test_the_currents_decay_is_one_more_than_its_number(keep: float, du: int) -> None:
    """A core keeps (4096 - (du + 1)) / 4096 of the current."""
    assert decay_u(population("here", 1, keep_u=keep)) == du


def test_as_floats_the_integers_are_what_the_chip_computes_with() -> None:
    p, into = one([0.31, -1.0], bias=[0.2], threshold=1.7, keep=0.3, keep_u=0.6)
    r = round_population(p, into, unit_of_weights(p, into))
    q, (entering,) = as_float(p, into, r, ["weights", "decays", "thresholds"])
    assert matrix(entering.map).toarray().ravel() == pytest.approx(np.array([78, -254]) / 254)
    assert (q.keep_v.item(), q.keep_u.item()) == (1 - r.dv / 4096, 1 - (r.du + 1) / 4096)
    assert q.threshold.item() == pytest.approx(r.vth / 254)
    assert q.bias.item() == pytest.approx(r.bias.item() / 64 / 254)


def test_what_is_not_named_stays_float() -> None:
    p, into = one([0.31, -1.0], bias=[0.2], threshold=1.7, keep=0.3)
    r = round_population(p, into, unit_of_weights(p, into))
    q, same = as_float(p, into, r, [])
    assert q is p and same == into
    q, same = as_float(p, into, r, ["decays"])
    assert (q.keep_v.item(), q.threshold.item(), q.bias.item()) == (1 - r.dv / 4096, 1.7, 0.2)
    assert same == into


def test_an_identity_is_a_diagonal_of_what_its_weight_became() -> None:
    p = population("here", 3)
    into = [Projection("a", "here", Identity(3))]
    r = round_population(p, into, 1 / 100)
    _, (entering,) = as_float(p, into, r, ["weights"])
    assert isinstance(entering.map, Sparse)
    assert np.allclose(matrix(entering.map).toarray(), np.eye(3))
