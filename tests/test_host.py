"""The host's arithmetic against Python's own decimals and fractions, and numpy against torch, bit for bit."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from spikeport import host

POINTS = [0.0, 1e-9, 0.1, 0.25, 1.0, -1.0, 3.5, -7.25, 20.0, -33.3, 63.9, 64.0, -64.0]


def e_to(x: float) -> Decimal:
    with localcontext(prec=40):
        return Decimal(x).exp()


def test_exp_is_e_to_the_x_to_13_digits() -> None:
    found = host.exp(np.array(POINTS))
    for x, value in zip(POINTS, found.tolist(), strict=True):
        assert abs(Decimal(value) / e_to(x) - 1) < Decimal("1e-13")


def by_series(x: float) -> float:
    """1 + x' (1 + x'/2 (1 + x'/3 ( ... + x'/12))) of x' = x / 256, in Python's own floats, squared eight times."""
    y, total = x / 256, 1.0
    for n in (12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1):
        total = total * (y * (1.0 / n)) + 1.0
    for _ in range(8):
        total *= total
    return total


def test_exp_has_the_bits_of_its_series() -> None:
    """At -58.75 a thirteenth term would show in the last bit."""
    points = [*POINTS, -58.75]
    assert host.exp(np.array(points)).tolist() == [by_series(x) for x in points]


def test_below_the_limit_float64_has_all_whole_numbers_and_not_above() -> None:
    assert host.EXACT - 1 != host.EXACT == host.EXACT + 1


def test_sigmoid_and_tanh_are_what_they_are_called() -> None:
    sigmoid, tanh = host.sigmoid(np.array(POINTS)).tolist(), host.tanh(np.array(POINTS)).tolist()
    for k, x in enumerate(POINTS):
        assert abs(Decimal(sigmoid[k]) - 1 / (1 + e_to(-x))) < Decimal("1e-13")
        assert abs(Decimal(tanh[k]) - (1 - 2 / (1 + e_to(2 * x)))) < Decimal("1e-13")


def test_far_out_they_reach_their_ends() -> None:
    far = np.array([-1e300, -700.0, 700.0, 1e300])
    assert host.tanh(far).tolist() == [-1, -1, 1, 1]
    assert host.sigmoid(far)[2:].tolist() == [1, 1]
    assert (host.sigmoid(far)[:2] < 2**-53).all()


@pytest.mark.parametrize("function", [host.exp, host.sigmoid, host.tanh])
def test_numpy_and_torch_give_the_same_bits(function: Any, rng: np.random.Generator) -> None:
    x = rng.normal(0, 8, 100_003).clip(-64, 64)
    assert np.array_equal(function(x), function(torch.from_numpy(x)).numpy())


def test_whole_numbers_are_rounded_halves_to_even() -> None:
    assert host.whole(np.array([0.5, 1.5, -0.5, 2.6]), 0).tolist() == [0, 2, 0, 3]
    assert host.whole(torch.tensor([0.5, 1.5, -0.5, 2.6]), 0).tolist() == [0, 2, 0, 3]
    assert host.whole(np.array([1.0])).tolist() == [1 << 20]


def bottleneck(rng: np.random.Generator, size: int) -> tuple[Any, Any, Any]:
    weight, bias = host.whole(rng.normal(0, 0.5, (size, size))), host.whole(rng.normal(0, 1, size), 40)
    return rng.standard_normal((9, size)), weight, bias


def test_the_priors_rates_are_sigmoids_of_exact_sums(rng: np.random.Generator) -> None:
    normal, weight, bias = bottleneck(rng, 6)
    found = host.prior_rates(normal, weight, bias)
    for b, i in np.ndindex(found.shape):
        sums = Fraction(int(bias[i]), 1 << 40)
        for z, w in zip(normal[b], weight[i], strict=True):
            sums += Fraction(round(Fraction(z) * (1 << 20)), 1 << 20) * Fraction(int(w), 1 << 20)
        assert Fraction(float(sums)) == sums
        assert found[b, i] == host.sigmoid(np.array([float(sums)]))[0]


def test_rates_depend_neither_on_the_order_of_sums_nor_on_the_library(rng: np.random.Generator) -> None:
    normal, weight, bias = bottleneck(rng, 96)
    want = host.prior_rates(normal, weight, bias)
    for _ in range(5):
        order = rng.permutation(96)
        assert np.array_equal(host.prior_rates(normal[:, order], weight[:, order], bias), want)
    of_torch = host.prior_rates(*(torch.from_numpy(x) for x in (normal, weight, bias)))
    assert np.array_equal(of_torch.numpy(), want)
    assert np.array_equal(host.prior_rates(normal[3:4], weight, bias), want[3:4])
    assert 0.05 < want.mean() < 0.95


def test_the_reach_of_a_bottleneck_is_its_largest_sum() -> None:
    weight, bias = np.array([[3.0, -2.0], [1.0, 1.0]]), np.array([-7.0, 5.0])
    assert host.bottleneck_reach(weight, bias) == 5 * 16 * 2**20 + 7


def test_one_step_is_weighed_by_itself() -> None:
    """The mean is (1 + 3) / 2 = 2, and 2 W = 1."""
    y = host.whole(np.array([1.0, 3.0])).reshape(1, 1, 1, 1, 2)
    found = host.attend(y, [[0.5]], "code")
    assert np.allclose(found.reshape(-1), np.array([1, 3]) / (1 + np.exp(-1)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", ["code", "paper"])
def test_attention_weighs_steps(form: str, rng: np.random.Generator) -> None:
    """F_i = sigmoid(sum_t W[i, t] X_t), in torch's own float64."""
    y, w = rng.integers(-(1 << 21), 1 << 21, (5, 2, 3, 4, 6)).astype(float), rng.normal(0, 1, (5, 5))
    real = torch.from_numpy(y) / 2**20
    means = real.mean((3, 4)) if form == "code" else real.mean((2, 3, 4))[..., None].expand(5, 2, 3)
    weights = torch.sigmoid(torch.einsum("it,tbc->ibc", torch.from_numpy(w), means))
    want = (weights[..., None, None] * real).sum(0) / (1 if form == "code" else 5)
    found = host.attend(y, w.tolist(), form)
    assert np.allclose(found, want.numpy(), rtol=0, atol=1e-12)
    assert np.array_equal(host.attend(torch.from_numpy(y), w.tolist(), form).numpy(), found)
