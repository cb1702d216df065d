"""Bits that a layer must keep, in the words of its integers.

What any machine has to store to run these integers, and no more. A chip's own format costs more: whole words, headers,
tables of axons, room for neurons that are not there, and copies of what several cores share.
What the host keeps for an encoder is not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from spikeport import fixed
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.program import Connection, Sparse

WEIGHT_BITS = 8
DELAY_BITS = 6
BIAS_BITS = 13 + 3  # mantissa and exponent of a LIF
DECAY_BITS = fixed.DECAY_BITS + 1  # 0 to 4096, both included
EXP_BITS = 3
VTH_BITS = 17
COUNTER_BITS = 6  # refractory_steps, and what is left of them


@dataclass(frozen=True)
class MemoryBits:
    """Of one layer and the connections into it; the same whatever runs."""

    weights: int = 0
    """8 bits per stored mantissa; a convolution stores its kernel once."""
    weights_index: int = 0
    """Of `Sparse`: for each synapse the index of its target."""
    delays: int = 0
    """6 bits per synapse where each has its own."""
    biases: int = 0
    """Per neuron, where any has one or an encoder loads it: 16 bits of a LIF, 24 of a SigmaDelta."""
    state: int = 0
    """24 bits per variable and neuron; a LIF's refractory counter has 6."""
    settings: int = 0
    """Decays, thresholds and exponents, once for the layer."""

    @property
    def total(self) -> int:
        """Bits of everything."""
        return sum(getattr(self, field.name) for field in fields(self))

    def __add__(self, other: "MemoryBits") -> "MemoryBits":
        return MemoryBits(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def memory_bits(group: Group, into: Sequence[Connection], biased: bool) -> MemoryBits:
    """Of a group and the connections into it.

    Args:
        biased: Whether a bias other than 0 is stored or loaded.
    """
    index_bits = (group.size - 1).bit_length()
    delays = (int(np.size(c.delay)) for c in into if not isinstance(c.delay, int))
    return MemoryBits(
        weights=WEIGHT_BITS * sum(c.weight.size for c in into),
        weights_index=index_bits * sum(c.weight.size for c in into if isinstance(c, Sparse)),
        delays=DELAY_BITS * sum(delays),
        biases=_bias_bits(group) * group.size if biased else 0,
        state=group.size * sum(COUNTER_BITS if name == "rest" else fixed.STATE_BITS for name in group.variables),
        settings=_setting_bits(group, biased),
    )


def _bias_bits(group: Group) -> int:
    """For each neuron; a bias that all neurons share is a setting."""
    if isinstance(group, LIF):
        return BIAS_BITS
    shared = isinstance(group, Resonator) or not isinstance(group.bias, np.ndarray)
    return 0 if shared else fixed.STATE_BITS


def _setting_bits(group: Group, biased: bool) -> int:
    match group:
        case LIF():
            low = 0 if group.vth_low is None else 1 + VTH_BITS
            return 2 * DECAY_BITS + VTH_BITS + low + (COUNTER_BITS if group.refractory_steps else 0)
        case SigmaDelta():
            if group.stage == "sigma":
                return 0
            shared = fixed.STATE_BITS if biased and not isinstance(group.bias, np.ndarray) else 0
            return fixed.STATE_BITS - 1 + 2 * EXP_BITS + shared
        case Resonator():
            return fixed.STATE_BITS - 1 + 2 * (1 + DECAY_BITS) + EXP_BITS + 4  # decay_bits is 1 to 12
