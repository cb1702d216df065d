"""What lava-dl makes of a dense layer's weights on the way from the file to Lava's synapse.

lava-dl 0.6.0 (`netx/utils.py`, `optimize_weight_bits`) shifts the weights up as far as 8 bits allow; lava-nc 0.10.0
(`utils/weightutils.py`, called by `proc/dense/models.py`) clips and truncates what it is given. They disagree about
weights of one sign: -256 is clipped to -255, and a layer whose largest weight is 0 counts as mixed for one only.
"""

from collections.abc import Sequence

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints

BITS = 8


def distorted(weights: Sequence[Ints]) -> int:
    """How many weights act in lava-dl with another value than in the file.

    Args:
        weights: One matrix, or the two of a recurrent layer, which lava-dl shifts together; in [-256, 255], and
            not all zero: there lava-dl stops with an error.
    """
    joint = np.hstack(weights)
    if joint.min() < 0 < joint.max():
        joint = np.clip(joint, fixed.WEIGHT_MIN_MIXED, fixed.WEIGHT_MAX_MIXED)
    shift, bits = _optimized(joint)
    return sum(int((_as_lava_holds(w << shift, bits) != w << shift).sum()) for w in weights)


def _optimized(weight: Ints) -> tuple[int, int]:
    """`optimize_weight_bits`: the shift, and `num_weight_bits`."""
    low, high = int(weight.min()), int(weight.max())
    mixed = low < 0 <= high
    if mixed:
        scale = min(127 / high if high else np.inf, -128 / low)
    else:
        scale = -256 / low if low < 0 else 255 / high
    shift = int(np.floor(np.log2(scale))) + mixed
    zeros = next(n for n in range(BITS, -1, -1) if not np.any(weight % (1 << n)))
    return shift, BITS - shift - (zeros - mixed)


def _as_lava_holds(weight: Ints, bits: int) -> Ints:
    """`clip_weights` to 8 bits and `truncate_weights` to `bits`, with the sign mode that Lava finds itself."""
    sign = -1 if weight.max() <= 0 and weight.min() < 0 else 1
    mixed = weight.min() < 0 < weight.max()
    if mixed:
        weight = np.clip(weight, fixed.WEIGHT_MIN_MIXED, fixed.WEIGHT_MAX)
    else:
        weight = sign * np.clip(sign * weight, 0, fixed.WEIGHT_MAX)
    cut = BITS - bits + bool(mixed)
    return sign * (((sign * weight) >> cut) << cut)
