"""Poisson spiking sampling (ESVAE eq. 5 to 8): spikes from rates, with a surrogate gradient."""

import torch
from torch import Tensor

from spikeport.train.dynamics import Surrogate
from spikeport.train.surrogate import spike

SURROGATES = {"code": Surrogate("rectangular", 1.0), "paper": Surrogate("rectangular", 0.5)}
"""ESVAE eq. 8 with alpha = 1 (published code) and alpha = 0.5 (section IV-B2)."""


def rates(spikes: Tensor) -> Tensor:
    """r_i = (1 / T) sum_t x[t, i] (eq. 5): spikes `(T, B, D)` to `(B, D)` in float64, correctly rounded."""
    counts = spikes.sum(0, dtype=torch.float64)
    return counts / torch.full_like(counts, len(spikes))  # CUDA multiplies by the rounded inverse of a number


def bernoulli(rates: Tensor, uniform: Tensor, surrogate: Surrogate) -> Tensor:
    """z[t, i] = [u[t, i] < r_i] (eq. 7), one independent draw for each step.

    dz[t, i] / dr_i = (1 / alpha) [|r_i - u[t, i]| < alpha / 2], summed over t (eq. 8): the spike of a neuron whose
    membrane is r and whose threshold is u.

    Args:
        rates: `(B, D)` in [0, 1]; float64 where every host must draw the same spikes.
        uniform: `(T, B, D)` in [0, 1).

    Returns:
        `(T, B, D)` of 0 and 1, in the type of the rates.
    """
    return spike(rates.expand_as(uniform), uniform, surrogate)
