"""The Frechet distance of two sets of features, each taken for a Gaussian (Heusel et al., 2017, for FID).

    d = |m_1 - m_2|^2 + tr S_1 + tr S_2 - 2 tr (S_1 S_2)^(1/2)

With symmetric roots R_i R_i = S_i the last trace is the sum of the singular values of R_1 R_2, which are real and at
least 0 whatever is singular: neither complex roots nor an epsilon on the diagonal come in.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import MeasureUndefined

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """
    Args:
        mean: `(D,)`
        covariance: `(D, D)`, symmetric.
    """

    mean: Floats
    covariance: Floats


def gaussian_of(parts: Iterable[NDArray[np.floating]]) -> Gaussian:
    """Mean and unbiased covariance of features `(n, D)` that come in parts, in float64.

    Raises:
        InputError: there are fewer than two samples, or one of them is not finite.
    """
    features = np.concatenate([np.asarray(part, np.float64) for part in parts])
    if len(features) < 2:
        raise MeasureUndefined("Frechet distance", "samples", got=len(features), relation="are below", limit=2)
    if not np.isfinite(features).all():
        raise MeasureUndefined("Frechet distance", "features", relation="hold", limit="NaN or infinity")
    mean = features.mean(0)
    apart = features - mean
    return Gaussian(mean, apart.T @ apart / (len(features) - 1))


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """At least 0."""
    if a.mean.shape != b.mean.shape:
        got, limit = len(a.mean), len(b.mean)
        raise MeasureUndefined("Frechet distance", "features", got=got, relation="are not", limit=limit)
    shared = np.linalg.svd(_root(a.covariance) @ _root(b.covariance), compute_uv=False).sum()
    apart = np.square(a.mean - b.mean).sum()
    return float(max(apart + np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared, 0.0))


def _root(covariance: Floats) -> Floats:
    """The symmetric root; eigenvalues that are rounding errors, by the usual bound of a rank, are 0."""
    values, vectors = np.linalg.eigh(covariance)
    least = len(values) * np.finfo(np.float64).eps * max(values.max(), 0.0)
    return (vectors * np.sqrt(np.where(values > least, values, 0.0))) @ vectors.T
