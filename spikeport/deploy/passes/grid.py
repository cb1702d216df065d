"""Float parameters to the chip's integers: exactly where they lie on the grid, rounded where not.

The grid is Lava's: weight 1/64 is mantissa 1, one step of v is 1/4096, and a threshold lies half
such a step above a multiple of 1/64. What spikeport exports lies on it, so its integers come back.
A hard-reset layer may be scaled at will (its spikes stay), so other layers are scaled to use 8 bits.
"""

from dataclasses import dataclass

import numpy as np

from spikeport import fixed
from spikeport.deploy.nodes import Floats
from spikeport.errors import RuleError
from spikeport.fixed import Ints

V_PER_UNIT = 1 << fixed.ACT_SHIFT
ON_GRID = 2.0**-fixed.ACT_SHIFT
"""Worth of weight mantissa 1 in a graph whose parameters lie on the grid."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """One population's integers. Weights are whole: mantissa << exponent."""

    weights: tuple[Ints, ...]
    """One array per projection, in units of the mantissa."""
    bias: Ints
    """`(channels,)` or the population's shape, in steps of v, a multiple of 2^bias_exp."""
    bias_exp: int
    dv: int
    vth: int
    unit: float
    """What weight 1 is worth in the float graph."""
    exact: bool


def fit(where: str, weights: list[Floats], bias: Floats, keep: float, threshold: float) -> Fitted:
    """Fits one population; raises RuleError if no scaling does."""
    dv = fit_decay(keep)
    on_grid = _on_grid(weights, bias, threshold)
    if on_grid is not None:
        ints, bias_int, exp, vth = on_grid
        return Fitted(ints, bias_int, exp, dv, vth, ON_GRID, is_exact_decay(keep))
    unit = fit_unit(where, max(float(np.abs(w).max()) for w in weights) / 254, threshold)
    exp = min(fixed.bias_exponent(int(np.ceil(np.abs(bias).max() * V_PER_UNIT / unit))), fixed.BIAS_EXP_MAX)
    mant = np.rint(bias * V_PER_UNIT / unit / 2**exp).clip(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX).astype(np.int64)
    whole = tuple(2 * np.rint(w / (2 * unit)).astype(np.int64) for w in weights)
    return Fitted(whole, mant << exp, exp, dv, fit_threshold(threshold, unit), unit, exact=False)


def fit_decay(keep: float) -> int:
    """dv = 4096 (1 - keep), rounded, in [0, 4095]."""
    return min(int(np.rint(fixed.DECAY_ONE * (1 - keep))), fixed.DECAY_ONE - 1)


def is_exact_decay(keep: float) -> bool:
    return near(np.array(fixed.DECAY_ONE * (1 - keep)))


def fit_unit(where: str, unit: float, threshold: float) -> float:
    """The unit itself, or the next larger one with which the threshold fits 17 bits."""
    unit = unit if unit > 0 else threshold / 256
    if threshold / unit < 1:
        got, do = f"{threshold / unit:.3g}", "raise the threshold or lower the largest weight"
        raise RuleError(where, "threshold in units of the least weight", got=got, relation="is below", limit=1, do=do)
    return max(unit, threshold / fixed.VTH_MAX)


def fit_threshold(threshold: float, unit: float) -> int:
    return int(np.clip(np.rint(threshold / unit), 1, fixed.VTH_MAX))


def exact_threshold(threshold: float) -> int | None:
    """vth if the threshold lies half a step of v above 64 vth steps, else None."""
    steps = threshold * V_PER_UNIT / ON_GRID - 0.5
    vth = round(steps / V_PER_UNIT)
    return vth if abs(steps - vth * V_PER_UNIT) < 1e-3 and 1 <= vth <= fixed.VTH_MAX else None


def near(x: Floats, tolerance: float = 1e-3) -> bool:
    """Whether all values are integers of at most 40 bits, up to what a float32 file loses."""
    if np.abs(x).max(initial=0) >= 2.0**40:
        return False
    return bool(np.all(np.abs(x - np.rint(x)) <= np.minimum(tolerance + 4e-7 * np.abs(x), 0.25)))


def _on_grid(weights: list[Floats], bias: Floats, threshold: float) -> tuple[tuple[Ints, ...], Ints, int, int] | None:
    """Weights, bias, bias_exp and vth if every one of them is a chip's integer, else None."""
    vth = exact_threshold(threshold)
    in_v = bias * V_PER_UNIT / ON_GRID
    whole = [w / ON_GRID for w in weights]
    if vth is None or not near(in_v) or not all(near(w) for w in whole):
        return None
    ints = tuple(np.rint(w).astype(np.int64) for w in whole)
    bias_int = np.rint(in_v).astype(np.int64)
    exp = fixed.bias_exponent(int(np.abs(bias_int).max()))
    if exp > fixed.BIAS_EXP_MAX or np.any(bias_int % (1 << exp)) or not all(map(_encodable, ints)):
        return None
    return ints, bias_int, exp, vth


def _encodable(weight: Ints) -> bool:
    """Whether one exponent and 8-bit mantissas hold the weights exactly."""
    exp = fixed.weight_exponent(weight)
    return exp <= fixed.WEIGHT_EXP_MAX and fixed.fits_mantissa(weight >> exp) and bool(np.all(weight % (1 << exp) == 0))
