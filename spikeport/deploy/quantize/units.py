"""What weight 1 may be worth: so little that 8 bits reach the weights, so much that the words hold bias and v."""

from collections.abc import Sequence

import numpy as np

from spikeport import fixed
from spikeport.deploy.maps.apply import apply
from spikeport.deploy.maps.kind import synapses
from spikeport.deploy.maps.weights import weights_of, with_weights
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.quantize.rounded import BIAS_TOP, TOP_MIXED, TOP_ONE_SIGN, V_PER_UNIT
from spikeport.errors import NumberTooLarge

FINE = 16
"""Threshold in units of the weights, at least."""
DEVIATIONS = 6.0
UNLIKE = 1.5
"""Sources do not fire by chance: pixels of an image do so together."""
MARGIN = 4.0
"""Between the largest v that calibration saw, or a bound of it, and the word."""


def unit_of_weights(p: Population, into: Sequence[Projection]) -> float:
    """The least with which the projection of the most synapses has an exponent of 0; exponents are 7 at most.

    Where weights are as large as the threshold or larger, they have an exponent, and the threshold is `FINE` or more.
    """
    if not into:
        return _without_weights(p)
    needed = [_needed(weights_of(q.map)) for q in into]
    most = max(range(len(into)), key=lambda k: (needed[k] > 0, synapses(into[k].map)))
    unit = needed[most] or _without_weights(p)
    if p.fires:
        unit = min(unit, float(p.threshold.flat[0]) / FINE)
    return max(unit, max(needed) / 2**fixed.WEIGHT_EXP_MAX)


def _needed(weight: Floats) -> float:
    one_sign = np.all(weight >= 0) or np.all(weight <= 0)
    return float(np.abs(weight).max(initial=0)) / (TOP_ONE_SIGN if one_sign else TOP_MIXED)


def _without_weights(p: Population) -> float:
    """Nothing but the bias moves it: a threshold of 256, or a bias of 12 bits."""
    if p.fires:
        return float(p.threshold.flat[0]) / 256
    return float(np.abs(p.bias).max(initial=0)) * V_PER_UNIT / fixed.BIAS_MANT_MAX or 1.0


def least_unit(p: Population, v_seen: float) -> float:
    """Below it the bias, the threshold or v leaves its word; raises RuleError where bias and threshold part too far.

    Args:
        v_seen: Largest |v| that there was, or is bound to be.
    """
    bias = float(np.abs(p.bias).max(initial=0)) * V_PER_UNIT / BIAS_TOP * (1 + 1e-9)
    threshold = float(p.threshold.flat[0]) / fixed.VTH_MAX if p.fires else 0.0
    if p.fires and bias > float(p.threshold.flat[0]):
        limit = f"{BIAS_TOP / V_PER_UNIT:g} times the threshold {p.threshold.flat[0]:.6g}"
        got, do = f"{np.abs(p.bias).max():.6g}", "lower the bias or raise the threshold"
        raise NumberTooLarge(p.name, "bias", got=got, relation="exceeds", limit=limit, do=do)
    return max(bias, threshold, v_seen * V_PER_UNIT / fixed.V_MAX)


def v_bound(p: Population, into: Sequence[Projection], steps: int) -> float:
    """What |v| cannot exceed in so many steps where nothing resets it: all sources of one sign, at every step."""
    drive = np.maximum(*(_most(p, into, sign) for sign in (1, -1)))
    gain = np.ones(p.size)
    for keep in (p.keep_u.reshape(-1), p.keep_v.reshape(-1)):
        gain *= _summed(keep, steps)
    return float((drive * gain).max())


def v_likely(p: Population, into: Sequence[Projection], steps: int) -> float:
    """What |v| hardly exceeds where every source fires at every second step, by chance: the mean and `DEVIATIONS`.

    A spike's reset is left out; it matters upwards only, and v leaves its word downwards.
    """
    mean, variance = p.bias.reshape(-1).copy(), np.zeros(p.size)
    for q in into:
        mean += apply(q.map, np.full((1, q.map.shape[1]), 0.5))[0]
        squares = with_weights(q.map, weights_of(q.map) ** 2)
        variance += apply(squares, np.full((1, q.map.shape[1]), 0.25))[0]
    keeps = [keep.reshape(-1) for keep in (p.keep_u, p.keep_v)]
    gain, power = np.ones(p.size), np.ones(p.size)
    for keep in keeps:
        gain *= _summed(keep, steps)
        power *= _summed(keep**2, steps) if keep is keeps[1] else _summed(keep, steps) ** 2
    return UNLIKE * float((np.abs(mean) * gain + DEVIATIONS * np.sqrt(variance * power)).max(initial=0))


def _summed(keep: Floats, steps: int) -> Floats:
    """1 + keep + keep^2 + ..., so many terms."""
    return np.where(keep < 1, np.minimum(1 / np.maximum(1 - keep, 1e-12), steps), steps)


def _most(p: Population, into: Sequence[Projection], sign: int) -> Floats:
    """What bias and weights of one sign bring in a step, `(n,)`; a convolution's without writing out its synapses."""
    most = (sign * p.bias).clip(min=0).reshape(-1)
    for q in into:
        of_sign = with_weights(q.map, (sign * weights_of(q.map)).clip(min=0))
        most = most + apply(of_sign, np.ones((1, q.map.shape[1])))[0]
    return most
