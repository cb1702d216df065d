"""The Frechet distance against closed forms and scipy's matrix root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from spikeport.errors import InputError
from spikeport.train.measures import Gaussian, frechet_distance, gaussian_of


def covariance(d: int, rank: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(d, rank))
    return x @ x.T


def test_in_one_dimension_it_is_the_distance_of_means_and_deviations() -> None:
    a, b = Gaussian(np.array([1.0]), np.array([[4.0]])), Gaussian(np.array([-2.0]), np.array([[0.25]]))
    assert frechet_distance(a, b) == pytest.approx(3.0**2 + (2.0 - 0.5) ** 2, rel=1e-14)


def test_covariances_that_commute_give_the_sum_over_their_axes() -> None:
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    first, second = np.array([9.0, 1.0, 0.0, 4.0]), np.array([4.0, 1.0, 16.0, 0.0])
    a, b = (Gaussian(np.zeros(4), (axes * values) @ axes.T) for values in (first, second))
    assert frechet_distance(a, b) == pytest.approx(np.square(np.sqrt(first) - np.sqrt(second)).sum(), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_trace_of_the_root_of_the_product(seed: int) -> None:
    s1, s2 = covariance(6, 9, seed), covariance(6, 9, seed + 10)
    m1, m2 = np.random.default_rng(seed).normal(size=(2, 6))
    expected = np.square(m1 - m2).sum() + np.trace(s1) + np.trace(s2) - 2 * np.trace(sqrtm(s1 @ s2)).real
    assert frechet_distance(Gaussian(m1, s1), Gaussian(m2, s2)) == pytest.approx(expected, rel=1e-9)


def test_singular_covariances_need_no_epsilon() -> None:
    s1, s2 = covariance(8, 2, 0), covariance(8, 3, 1)
    x1, x2 = (np.random.default_rng(seed).normal(size=(8, n)) for seed, n in ((0, 2), (1, 3)))
    shared = np.linalg.svd(x1.T @ x2, compute_uv=False).sum()  # tr (x1 x1' x2 x2')^1/2
    expected = np.trace(s1) + np.trace(s2) - 2 * shared
    assert frechet_distance(Gaussian(np.zeros(8), s1), Gaussian(np.zeros(8), s2)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("samples", [3, 50])
def test_a_set_is_at_no_distance_from_itself(samples: int) -> None:
    same = gaussian_of([np.random.default_rng(1).normal(size=(samples, 12))])
    assert 0 <= frechet_distance(same, same) < 1e-12


def test_moments_are_numpys_whatever_the_parts() -> None:
    x = np.random.default_rng(2).normal(3.0, 2.0, size=(41, 5)).astype(np.float32)
    found = gaussian_of([x[:7], x[7:8], x[8:]])
    np.testing.assert_allclose(found.mean, x.astype(np.float64).mean(0), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(x.astype(np.float64), rowvar=False), rtol=1e-12)


def test_one_sample_has_no_covariance_and_nan_no_distance() -> None:
    with pytest.raises(InputError, match=r"samples \(1\) are below 2"):
        gaussian_of([np.zeros((1, 3))])
    with pytest.raises(InputError, match="features hold NaN"):
        gaussian_of([np.full((3, 3), np.nan)])
    with pytest.raises(InputError, match=r"features \(1\) are not 2"):
        frechet_distance(Gaussian(np.zeros(1), np.eye(1)), Gaussian(np.zeros(2), np.eye(2)))
