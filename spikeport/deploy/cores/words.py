"""How many words of synaptic memory the synapses of one axon take on a core.

Loihi 1: nengo-loihi 1.1.0, `bits_per_axon` in `nengo_loihi/block.py`. Up to 64 synapses share a header of 10 bits,
and each such block ends with a word. A synapse has 8 bits of weight, and an index of its neuron unless the axon
reaches all of them in order.

Loihi 2: the compile logs of lava-dl's netx tutorials; the layout of a word is not public. Dense layers: 20 bits a
synapse. This gives the 16,128 words (256 to 200 neurons) and 16,000 words (200 to 256) of the oxford log to the
word, and is never below the logs of mnist and pilotnet, which have 15 to 20 bits. Convolutions: 8 bits a weight,
where the logs have 4 to 8 bits, fewer for weights of a narrower range.
"""

import numpy as np

from spikeport.fixed import Ints

WORD_BITS = 64
WEIGHT_BITS = 8
SYNAPSES_PER_HEADER = 64
HEADER_BITS = 10
LISTED_BITS = 20
DELAY_BITS = 6
INDEX_BITS = np.array([6, 7, 8, 9, 10, 11, 12])
"""What nengo-loihi's `INDEX_BITS_MAP` has."""


def _ceil_div(a: Ints, b: int) -> Ints:
    return -(-a // b)


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


def loihi2_words(synapses: Ints, *, delays: bool = False) -> Ints:
    """Words of an axon of a dense or sparse layer with that many synapses, elementwise."""
    return _ceil_div(synapses * (LISTED_BITS + DELAY_BITS * delays), WORD_BITS)


def loihi2_tap_words(filters: Ints) -> Ints:
    """Words of one tap of a kernel, with one weight for each filter on the core."""
    return _ceil_div(filters * WEIGHT_BITS, WORD_BITS)
