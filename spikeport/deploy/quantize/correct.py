"""Bias and threshold make up for what rounding shifts: the mean of what arrives, and how often neurons fire."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.network_run import arriving, fire
from spikeport.deploy.nodes import Floats
from spikeport.deploy.quantize.rounded import BIAS_TOP, V_PER_UNIT, Rounded, as_float, round_bias
from spikeport.deploy.quantize.units import MARGIN

TRIED = (-0.04, -0.03, -0.02, -0.01, 0.01, 0.02, 0.03, 0.04)
"""Changes of the threshold, relative to it."""
PARTS = ("weights", "decays", "thresholds")


def corrected(
    p: Population,
    into: Sequence[Projection],
    rounded: Rounded,
    wanted: Floats,
    sent: NDArray[Any],
    heard: Mapping[str, NDArray[Any]],
) -> Rounded:
    """The same weights with another bias, and with the threshold under which the fewest spikes differ.

    Args:
        wanted: What arrives in the float network, `(T, B, n)`; `sent` is what it makes of it.
        heard: What the population hears among integers.
    """
    _, maps = as_float(p, into, rounded, PARTS[:1])
    x = arriving(p, maps, heard)
    rounded = _with_bias(p, rounded, _shift(p, wanted - x))
    return _with_threshold(p, into, rounded, sent, x) if p.fires else rounded


def _shift(p: Population, missing: Floats) -> Floats:
    """What v lacks at each step on the average, `shape`; one for a whole channel of a convolution."""
    steps = len(missing)
    mean = missing.mean((0, 1))
    keep = p.keep_u.reshape(-1)
    if np.any(keep):  # a constant charges the current step by step, and v by its mean
        powers = keep ** np.arange(1, steps + 1)[:, None]
        mean = mean * np.where(keep < 1, (1 - powers) / np.maximum(1 - keep, 1e-12), 1).mean(0)
    if len(p.shape) == 3:
        mean = np.repeat(mean.reshape(p.shape[0], -1).mean(1), p.size // p.shape[0])
    return mean.reshape(p.shape)


def _with_bias(p: Population, rounded: Rounded, shift: Floats) -> Rounded:
    bias = p.bias + shift
    room = BIAS_TOP * rounded.unit / V_PER_UNIT / MARGIN
    if np.abs(bias).max() > max(room, float(np.abs(p.bias).max())):
        return rounded
    values, exp = round_bias(replace(p, bias=bias), rounded.unit)
    return replace(rounded, bias=values, bias_exp=exp)


def _with_threshold(
    p: Population, into: Sequence[Projection], rounded: Rounded, sent: NDArray[Any], x: Floats
) -> Rounded:
    best, least = rounded, _differing(p, into, rounded, sent, x)
    for change in TRIED:
        vth = min(max(1, round(rounded.vth * (1 + change))), fixed.VTH_MAX)
        tried = replace(rounded, vth=vth)
        differing = _differing(p, into, tried, sent, x)
        if differing < least:
            best, least = tried, differing
    return best


def _differing(p: Population, into: Sequence[Projection], rounded: Rounded, sent: NDArray[Any], x: Floats) -> float:
    q, _ = as_float(p, into, rounded, PARTS[1:])
    return float(np.mean(fire(q, x)[0] != sent))
