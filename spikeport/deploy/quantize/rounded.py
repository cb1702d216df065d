"""One population in the chip's integers, and the float network that these integers are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spikeport import fixed
from spikeport.deploy.maps.weights import weights_of, with_weights
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.errors import NumberTooLarge
from spikeport.fixed import Ints

V_PER_UNIT = 1 << fixed.ACT_SHIFT
TOP_MIXED, TOP_ONE_SIGN = 254, 255
BIAS_TOP = fixed.BIAS_MANT_MAX << fixed.BIAS_EXP_MAX
"""Largest bias in steps of v."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """Weights are whole: mantissa << exponent."""

    weights: tuple[Ints, ...]
    """One array per projection into the population, laid out as `weights_of`."""
    bias: Ints
    """Population's shape, in steps of v, a multiple of 2^bias_exp."""
    bias_exp: int
    du: int
    dv: int
    vth: int
    unit: float
    """What weight 1 is worth in the float network; a step of v is a 64th of it."""
    exact: bool = False
    """Whether nothing was rounded but for the file's float32."""


def round_population(p: Population, into: Sequence[Projection], unit: float, clip: float = 1.0) -> Rounded:
    """The nearest integers, weight 1 being worth `unit`.

    Args:
        clip: The part of a projection's largest weight that the mantissas reach; what is beyond is cut.

    Raises:
        RuleError: a bias or threshold that the chip's words cannot hold at this unit.
    """
    weights = tuple(round_weights(p.name, weights_of(q.map), unit, clip) for q in into)
    bias, exp = round_bias(p, unit)
    vth = fixed.VTH_MAX if not p.fires else round_threshold(p.name, float(p.threshold.flat[0]), unit)
    return Rounded(weights, bias, exp, decay_u(p), decay_v(p), vth, unit)


def round_weights(where: str, weight: Floats, unit: float, clip: float = 1.0) -> Ints:
    """Whole weights under one exponent; mantissas are even where signs mix."""
    one_sign = bool(np.all(weight >= 0) or np.all(weight <= 0))
    top, step = (TOP_ONE_SIGN, 1) if one_sign else (TOP_MIXED, 2)
    reach = float(np.abs(weight).max(initial=0)) * clip / unit
    exp = max(0, int(np.ceil(np.log2(reach / top * (1 - 1e-12))))) if reach else 0
    if exp > fixed.WEIGHT_EXP_MAX:
        limit, do = fixed.WEIGHT_EXP_MAX, "bring the weights into one neuron closer together"
        raise NumberTooLarge(where, "weight exponent", got=exp, relation="exceeds", limit=limit, do=do)
    mant = step * np.rint(weight / (unit * 2**exp * step)).astype(np.int64)
    return mant.clip(-top, top) << exp


def round_bias(p: Population, unit: float) -> tuple[Ints, int]:
    """In steps of v, and the exponent of the 13-bit mantissas."""
    in_v = p.bias * (V_PER_UNIT / unit)
    worst = float(np.abs(in_v).max())
    if worst > BIAS_TOP:
        do = "raise the layer's weights or lower its bias"
        raise NumberTooLarge(
            p.name, "bias in steps of v", got=f"{worst:.6g}", relation="exceeds", limit=BIAS_TOP, do=do
        )
    exp = fixed.bias_exponent(int(np.ceil(worst)))
    mant = np.rint(in_v / 2**exp).astype(np.int64)
    return mant.clip(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX) << exp, exp


def round_threshold(where: str, threshold: float, unit: float) -> int:
    vth = round(threshold / unit)
    if vth < 1:
        got, do = f"{threshold / unit:.3g}", "raise the threshold or lower the largest weight"
        raise NumberTooLarge(
            where, "threshold in units of the least weight", got=got, relation="is below", limit=1, do=do
        )
    return min(vth, fixed.VTH_MAX)


def decay_v(p: Population) -> int:
    """dv = 4096 (1 - keep), rounded, in [0, 4095]."""
    return min(round(fixed.DECAY_ONE * (1 - float(p.keep_v.flat[0]))), fixed.DECAY_ONE - 1)


def decay_u(p: Population) -> int:
    """du = 4096 (1 - keep) - 1, rounded, in [-1, 4095]."""
    return round(fixed.DECAY_ONE * (1 - float(p.keep_u.flat[0]))) - 1


def as_float(
    p: Population, into: Sequence[Projection], r: Rounded, parts: Sequence[str]
) -> tuple[Population, list[Projection]]:
    """The population with some of its parameters as the integers have them.

    Args:
        parts: Any of `weights`, `decays`, `thresholds` (with biases).
    """
    if "weights" in parts:
        pairs = zip(into, r.weights, strict=True)
        into = [replace(q, map=with_weights(q.map, w.astype(np.float64) * r.unit)) for q, w in pairs]
    if "decays" in parts:
        keep_v, keep_u = fixed.keep_v(r.dv) / fixed.DECAY_ONE, fixed.keep_u(r.du) / fixed.DECAY_ONE
        p = replace(p, keep_v=np.full(p.shape, keep_v), keep_u=np.full(p.shape, keep_u))
    if "thresholds" in parts:
        threshold = np.full(p.shape, r.vth * r.unit) if p.fires else p.threshold
        p = replace(p, threshold=threshold, bias=r.bias.astype(np.float64) * (r.unit / V_PER_UNIT))
    return p, list(into)
