"""Parameters that are integers of a chip already: they are taken as they are.

Two grids are known. Lava's own, in which spikeport exports: weight 1/64 is mantissa 1, one step of v is 1/4096, and a
threshold lies half such a step above a multiple of 1/64. And any other whose weights are small multiples of one number
(ternary weights, ones of pooling): with mantissas that are multiples of one integer, sums tie where the float's do.
"""

from collections.abc import Sequence

import numpy as np

from spikeport import fixed
from spikeport.deploy.maps.weights import weights_of
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.quantize.rounded import (
    BIAS_TOP,
    TOP_MIXED,
    TOP_ONE_SIGN,
    V_PER_UNIT,
    Rounded,
    decay_u,
    decay_v,
    round_bias,
)
from spikeport.fixed import Ints

LAVA = 2.0**-fixed.ACT_SHIFT
"""Worth of weight mantissa 1 in a graph whose parameters lie on Lava's grid."""
CHOSEN = 16
"""A part of 4096 that is no multiple of it is the decay of a chip: what people choose seldom is one."""
MIDDLE = 128
"""Of mantissas: where the largest lies below it, a finer unit would hold the weights."""
FEW = 64
"""Multiples of one number that are a grid and no accident."""


def on_grid(p: Population, into: Sequence[Projection], v_most: float = 0.0) -> Rounded | None:
    """The population's integers, or None if something of it has to be rounded.

    Args:
        v_most: Largest |v| there can be, of neurons that do not fire.
    """
    if p.helper and not p.fires:
        return _counting(p, into)
    return _on_lavas(p, into, v_most) or _on_its_own(p, into)


def _counting(p: Population, into: Sequence[Projection]) -> Rounded:
    """Ones that are added up: so little in v that nothing of it is left by the next step, and counts stay whole."""
    n = (fixed.DECAY_ONE - 1) // V_PER_UNIT // max(1, len(into))
    weights = tuple(n * np.rint(weights_of(q.map)).astype(np.int64) for q in into)
    return Rounded(weights, np.zeros(p.shape, np.int64), 0, decay_u(p), decay_v(p), fixed.VTH_MAX, 1 / n, exact=True)


def _on_lavas(p: Population, into: Sequence[Projection], v_most: float) -> Rounded | None:
    vth = exact_threshold(float(p.threshold.flat[0])) if p.fires else fixed.VTH_MAX
    in_v = p.bias * V_PER_UNIT / LAVA
    whole = [weights_of(q.map) / LAVA for q in into]
    if vth is None or not near(in_v) or not all(near(w) for w in whole):
        return None
    if not p.fires and not _readable(p, whole, v_most):
        return None
    weights = tuple(np.rint(w).astype(np.int64) for w in whole)
    bias = np.rint(in_v).astype(np.int64)
    exp = fixed.bias_exponent(int(np.abs(bias).max()))
    if exp > fixed.BIAS_EXP_MAX or np.any(bias % (1 << exp)) or not all(map(encodable, weights)):
        return None
    return Rounded(weights, bias, exp, decay_u(p), decay_v(p), vth, LAVA, _exact_decays(p))


def _readable(p: Population, whole: Sequence[Floats], v_most: float) -> bool:
    """Whether v fits its word, and a finer unit would not do better: no threshold tells the grid from an accident.

    It would not where weights fill 8 bits, nor where v is forgotten in a step, so that no rounding adds up. A decay in
    4096ths tells the grid as well.
    """
    chips = _exact_decays(p) and decay_v(p) % CHOSEN != 0
    largest = max((float(np.abs(w).max(initial=0)) for w in whole), default=0.0)
    forgets = (decay_u(p), decay_v(p)) == (fixed.DECAY_ONE - 1, fixed.DECAY_ONE - 1)
    fits = v_most * V_PER_UNIT / LAVA <= fixed.VTH_MAX << fixed.ACT_SHIFT
    return fits and (forgets or chips or largest >= MIDDLE)


def _on_its_own(p: Population, into: Sequence[Projection]) -> Rounded | None:
    """Each weight n times as often as it holds the common number, n as large as 8 bits allow."""
    weights = [weights_of(q.map) for q in into]
    values = np.concatenate([w.reshape(-1) for w in weights]) if weights else np.zeros(0)
    if not np.any(values):
        return None
    taken_off = p.threshold.reshape(-1)[:1] if p.reset == "subtract" and p.fires else np.zeros(0)
    added = np.concatenate([values, p.bias.reshape(-1), taken_off])  # v is a sum of these
    step = common_step(added) or common_step(values)
    if step is None or not p.fires or (p.helper and np.any(p.bias)):
        return None
    mixed = any(np.any(w < 0) and np.any(w > 0) for w in weights)
    most = round(float(np.abs(values).max()) / step)
    n = (TOP_MIXED if mixed else TOP_ONE_SIGN) // most
    n -= n % 2 if mixed else 0
    unit = step / n
    vth, in_v = _threshold_between(p, step, n), p.bias * V_PER_UNIT / unit
    if not 1 <= vth <= fixed.VTH_MAX or np.abs(in_v).max() > BIAS_TOP:
        return None
    bias, exp = round_bias(p, unit)
    ints = tuple(n * np.rint(w / step).astype(np.int64) for w in weights)
    exact = _exact_decays(p) and near(in_v) and bool(np.all(bias == np.rint(in_v)))
    return Rounded(ints, bias, exp, decay_u(p), decay_v(p), vth, unit, exact)


def common_step(values: Floats) -> float | None:
    """The number of which all are small multiples, or None."""
    sizes = np.abs(values[values != 0])
    if not sizes.size or sizes.max() > FEW * sizes.min():
        return None
    for parts in (1, 2, 3, 4):
        step = float(sizes.min()) / parts
        if sizes.max() <= FEW * step and near(sizes / step, 1e-5):
            return step
    return None


def _threshold_between(p: Population, step: float, n: int) -> int:
    """Sums are multiples of n: the threshold of n k is n k where it is not to fire itself, else one less.

    It is one more where something of the step before is left, which would make n k fire.
    """
    in_steps = float(p.threshold.flat[0]) / step
    if abs(in_steps - round(in_steps)) < 1e-6 * max(1.0, in_steps):
        leaks = not np.any(p.keep_v)  # dv = 4095 keeps a 4096th of what was there
        return n * round(in_steps) + (-1 if p.at_threshold else int(leaks))
    least = n * int(in_steps) if np.any(p.bias) else max(1, n * int(in_steps))  # without a bias, no sum lies between
    return int(np.clip(round(n * in_steps), least, n * (int(in_steps) + 1) - 1))


def exact_threshold(threshold: float) -> int | None:
    """vth if the threshold lies half a step of v above 64 vth steps, else None."""
    steps = threshold * V_PER_UNIT / LAVA - 0.5
    vth = round(steps / V_PER_UNIT)
    return vth if abs(steps - vth * V_PER_UNIT) < 1e-3 and 1 <= vth <= fixed.VTH_MAX else None


def near(x: Floats, tolerance: float = 1e-3) -> bool:
    """Whether all values are integers of at most 40 bits, up to what a float32 file loses."""
    if np.abs(x).max(initial=0) >= 2.0**40:
        return False
    return bool(np.all(np.abs(x - np.rint(x)) <= np.minimum(tolerance + 4e-7 * np.abs(x), 0.25)))


def _exact_decays(p: Population) -> bool:
    return all(near(np.array(fixed.DECAY_ONE * (1 - float(k.flat[0])))) for k in (p.keep_v, p.keep_u))


def encodable(weight: Ints) -> bool:
    """Whether one exponent and 8-bit mantissas hold the weights exactly."""
    exp = fixed.weight_exponent(weight)
    return exp <= fixed.WEIGHT_EXP_MAX and fixed.fits_mantissa(weight >> exp) and bool(np.all(weight % (1 << exp) == 0))
