"""The grid of a group whose integers were there before its floats: a unit is carried, and grows when it must.

With w_i the weights of synapse i, e_i its exponent and M its largest mantissa (255 where signs do not mix, else 254
above 0 and 256 below):

    unit  = max(least, max|w_i| / (M << e_i) over all i)       what mantissa 1 at exponent 0 is worth
    step_i = unit << e_i, twice that where signs mix           weight = round(w_i / step_i) * step_i

Imported weights are whole multiples of `least`, a power of two, so that no division rounds and the integers come back.
`quant.py` is the case of one synapse with both signs, e = 0 and least = 0.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.train.quant import round_ste


def signs_mix(weight: Tensor, exp: int, least: Tensor) -> bool:
    """Whether weights of both signs remain when rounded to the finest grid."""
    half = least * 2.0 ** (exp - 1)
    return bool(weight.numel()) and bool((weight < -half).any()) and bool((weight > half).any())


def unit_of(weights: Sequence[Tensor], exps: Sequence[int], least: Tensor) -> Tensor:
    """The unit that all synapses of a group share; a scalar without gradient, in the weights' type."""
    unit = least.to(weights[0].dtype)
    for weight, exp in zip(weights, exps, strict=True):
        if not weight.numel():
            continue
        low, high = weight.detach().amin(), weight.detach().amax()
        if signs_mix(weight.detach(), exp, least):
            needed = torch.maximum(high / fixed.WEIGHT_MAX_MIXED, low / fixed.WEIGHT_MIN_MIXED)
        else:
            needed = torch.maximum(high, -low) / fixed.WEIGHT_MAX
        unit = torch.maximum(unit, needed / 2.0**exp)
    return unit


def rounded(weight: Tensor, exp: int, unit: Tensor, least: Tensor) -> Tensor:
    """The weight on its grid, in float; the gradient passes as if it had not been rounded."""
    step = unit * (_mantissa_step(weight, exp, least) << exp)
    return round_ste(weight / step) * step


def whole(weight: Tensor, exp: int, unit: Tensor, least: Tensor) -> Tensor:
    """The weight in units, int64: mantissa << exp."""
    step = _mantissa_step(weight, exp, least) << exp
    return torch.round(weight / (unit * step)).long() * step


def _mantissa_step(weight: Tensor, exp: int, least: Tensor) -> int:
    return 2 if signs_mix(weight.detach(), exp, least) else 1
