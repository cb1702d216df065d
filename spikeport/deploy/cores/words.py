"""How many words of synaptic memory the synapses of one axon take on a core.

Loihi 1: nengo-loihi 1.1.0, `bits_per_axon` in `nengo_loihi/block.py`. Up to 64 synapses share a header of 10 bits,
and each such block ends with a word. A synapse has 8 bits of weight, and an index of its neuron unless the axon
reaches all of them in order.

Loihi 2: fitted to the compile logs of lava-dl's netx tutorials (`tests/vectors/loihi2_compile_logs.json`), for the
layout of a word is not public. An axon of a dense or sparse layer has one list: a header, and 12 bits of index beside
the bits of each weight. Only those 12 and a header of 2 to 20 bits give every list of the logs to the word; 10 are
those of Loihi 1. A tap of a kernel has a list without indices, whose header is of 17 to 48 bits in the logs.

How many bits a weight has follows from the range of the layer's weights. A mapping asks for the full 8, so that it
does not depend on their values; `dense_bits` and `kernel_bits` say what the compiler stores.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints

Weights = NDArray[np.integer[Any]]

WORD_BITS = 64
WEIGHT_BITS = 8
SYNAPSES_PER_HEADER = 64
HEADER_BITS = 10
TAP_HEADER_BITS = 20
LISTED_INDEX_BITS = 12
DELAY_BITS = 6
INDEX_BITS = np.array([6, 7, 8, 9, 10, 11, 12])
"""What nengo-loihi's `INDEX_BITS_MAP` has."""


def loihi1_words(synapses: Ints, *, neurons: Ints | int = 0, delays: bool = False) -> Ints:
    """Words of an axon with that many synapses, elementwise.

    Args:
        neurons: On the core, where an index of them is stored with each synapse; 0 where it is not.
        delays: Whether each synapse has its own.
    """
    index = INDEX_BITS[np.searchsorted(2 ** INDEX_BITS[:-1], np.asarray(neurons))]
    bits = WEIGHT_BITS + DELAY_BITS * delays + np.where(np.asarray(neurons) > 0, index, 0)
    blocks, rest = np.divmod(synapses, SYNAPSES_PER_HEADER)
    whole = -(-(SYNAPSES_PER_HEADER * bits + HEADER_BITS) // WORD_BITS)
    last = np.where(rest > 0, -(-(rest * bits + HEADER_BITS) // WORD_BITS), 0)
    return np.asarray(blocks * whole + last, np.int64)


def loihi2_words(synapses: Ints, *, bits: int = WEIGHT_BITS, delays: bool = False) -> Ints:
    """Words of an axon of a dense or sparse layer with that many synapses, elementwise."""
    return _list_words(synapses, LISTED_INDEX_BITS + bits + DELAY_BITS * delays, HEADER_BITS)


def loihi2_tap_words(filters: Ints, *, bits: int = WEIGHT_BITS) -> Ints:
    """Words of one tap of a kernel, with one weight for each filter on the core."""
    return _list_words(filters, bits, TAP_HEADER_BITS)


def dense_bits(weight: Weights) -> int:
    """Of a weight of a dense layer on a Loihi 2, in [1, 8]: what lava-dl 0.6.0 tells the compiler
    (`netx/utils.py`, `optimize_weight_bits`). Weights of both signs are even, and their lowest bit is not stored.
    """
    low, high = (int(weight.min()), int(weight.max())) if weight.size else (0, 0)
    if low == high == 0:
        return 1
    mixed = low < 0 < high
    spare = _zero_bits(weight) - mixed
    if mixed:
        fits = (b for b in range(1, WEIGHT_BITS) if high << 7 <= 127 << b and -low << 7 <= 128 << b)
    else:
        fits = (b for b in range(1, WEIGHT_BITS) if high << 8 <= 255 << b and -low << 8 <= 256 << b)
    return max(next(fits, WEIGHT_BITS) - max(spare, 0), 1)


def kernel_bits(weight: Weights) -> int:
    """Of a weight of a convolution on a Loihi 2, in [1, 8]: a sign, and log2 of the largest magnitude rounded up.
    This gives the five kernels of the pilotnet_snn log.
    """
    largest = int(np.abs(weight).max()) if weight.size else 0
    return min(max(largest - 1, 0).bit_length() + 1, WEIGHT_BITS)


def _list_words(entries: Ints, bits: int, header: int) -> Ints:
    words = -(-(np.asarray(entries) * bits + header) // WORD_BITS)
    return np.where(np.asarray(entries) > 0, words, 0).astype(np.int64)


def _zero_bits(weight: Weights) -> int:
    """How many of the lowest bits are 0 in every weight."""
    union = int(np.bitwise_or.reduce(np.abs(weight), axis=None))
    return (union & -union).bit_length() - 1
