"""The weights of a `.net` file as mantissas and an exponent."""

import numpy as np

from spikeport import fixed
from spikeport.errors import DeployError, NetxRange
from spikeport.fixed import Ints


def encode_weight(weight: Ints) -> tuple[Ints, int] | None:
    """Mantissas and exponent with mantissa << exponent == weight, exactly; None if there are none.

    Odd weights of both signs, which a mantissa cannot hold, fit doubled with exponent -1.
    """
    for exp in (*range(fixed.WEIGHT_EXP_MAX + 1), -1):
        mantissas = fixed.shift(weight, -exp)
        if np.array_equal(fixed.shift(mantissas, exp), weight) and fixed.fits_mantissa(mantissas):
            return mantissas, exp
    return None


def dense_weight(weight: Ints, where: str) -> tuple[Ints, int]:
    low, high = fixed.WEIGHT_MIN_MIXED, fixed.WEIGHT_MAX
    if weight.min() < low or weight.max() > high:
        worst = weight.min() if weight.min() < low else weight.max()
        do = "lava-dl would clip it or make all weights 0; quantize the weights to 8 bits"
        raise NetxRange(where, "weight", got=int(worst), relation="is not in", limit=f"[{low}, {high}]", do=do)
    encoded = encode_weight(weight)
    if encoded is None:
        raise no_mantissas(where, weight)
    return encoded


def no_mantissas(where: str, weight: Ints) -> DeployError:
    limit = "8 bits: even if their signs differ, or within 255"
    do = "the chip would cut bits off; quantize the weights to even integers"
    got = f"{weight.min()} to {weight.max()}"
    return NetxRange(where, "weights", got=got, relation="do not fit", limit=limit, do=do)
