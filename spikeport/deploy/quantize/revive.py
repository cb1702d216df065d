"""Neurons that rounding has silenced, or made fire at every step, get a bias that brings their rate back."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spikeport.deploy.network import Population, Projection
from spikeport.deploy.network_run import arriving, fire
from spikeport.deploy.nodes import Floats
from spikeport.deploy.quantize.observe import Seen
from spikeport.deploy.quantize.rounded import V_PER_UNIT, Rounded, as_float, round_bias

HALVINGS = 12


def revived(p: Population, into: Sequence[Projection], rounded: Rounded, seen: Seen) -> Rounded:
    """The same but for the biases of such neurons; nothing changes where there are none."""
    if not p.fires:
        return rounded
    q, maps = as_float(p, into, rounded, ("weights", "decays", "thresholds"))
    x = arriving(q, maps, seen.rounded_activity)
    wanted, found = seen.sent.sum((0, 1)), fire(q, x)[0].sum((0, 1))
    always = x.shape[0] * x.shape[1]
    lost = np.flatnonzero(((found == 0) & (wanted > 0)) | ((found == always) & (wanted < always)))
    if not lost.size:
        return rounded
    shift = _shift(_some(q, lost), x[:, :, lost], wanted[lost])
    bias = rounded.bias.reshape(-1).astype(np.float64) * (rounded.unit / V_PER_UNIT)
    bias[lost] += shift
    values, exp = round_bias(replace(p, bias=bias.reshape(p.shape)), rounded.unit)
    return replace(rounded, bias=values, bias_exp=exp)


def _shift(p: Population, x: Floats, wanted: Floats) -> Floats:
    """By halving an interval of one threshold to either side: the more bias, the more spikes."""
    low, high = -p.threshold, p.threshold.copy()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = fire(replace(p, bias=p.bias + middle), x)[0].sum((0, 1))
        low, high = np.where(found < wanted, middle, low), np.where(found < wanted, high, middle)
    return high


def _some(p: Population, index: np.ndarray) -> Population:
    fields = {n: getattr(p, n).reshape(-1)[index] for n in ("keep_v", "keep_u", "threshold", "bias", "drive")}
    return replace(p, shape=(len(index),), first=(), **fields)
