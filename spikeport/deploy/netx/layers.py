"""What a `.net` file can say about LIF networks, as integers: one frozen dataclass per layer type.

Shapes are as in the file: `(channels, height, width)` or `(n,)`. Sources: lava-dl 0.6.0, `netx/hdf5.py`, which
reads these files, and `slayer/block/base.py`, which writes them.
"""

from dataclasses import dataclass
from typing import TypeAlias

from spikeport.fixed import Ints
from spikeport.program import LIF as LIF  # the neurons of every layer here

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]

BIAS_EXP = 6
"""A file's bias is in steps of 2^6 of v (`netx/hdf5.py`, `get_neuron_params`)."""
INPUT_WEIGHT, INPUT_BIAS = 64, 0
"""What lava-dl takes where an input layer with neurons holds no transform (`create_input`)."""
BEYOND_VTH = 1 << 17
"""The threshold of a dense layer without neurons: `1 << 18 - 1` in `create_dense`, one more than 17 bits hold."""


@dataclass(frozen=True)
class Neuron:
    """The chip's registers, in the file's names: du = iDecay - 1, dv = vDecay, vth = vThMant."""

    i_decay: int = 0
    v_decay: int = 4096
    v_th_mant: int = BEYOND_VTH


@dataclass(frozen=True)
class InputLayer:
    """Spikes of `shape`; or, with `neuron`, neurons whose bias mantissa is `weight * x + bias`."""

    shape: Shape
    neuron: Neuron | None = None
    weight: int = INPUT_WEIGHT
    bias: int = INPUT_BIAS


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """`weight_rec` feeds the layer's own spikes back, one step later."""

    weight: Ints
    """`(n, n_source)`"""
    bias: Ints
    """`(n,)`"""
    neuron: Neuron
    delay: int | Ints = 0
    """One for all synapses, or one for each; shape of `weight`."""
    weight_rec: Ints | None = None
    """`(n, n)`"""


@dataclass(frozen=True, eq=False)
class ConvLayer:
    shape: Shape
    weight: Ints
    """`(c_out, c_in / groups, k_h, k_w)`, a cross-correlation as torch's."""
    bias: Ints
    """`(c_out,)`, or `shape`."""
    neuron: Neuron
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class FlattenLayer:
    """The next layer reads `(channels, height, width)` in C order."""


@dataclass(frozen=True)
class AverageLayer:
    """Neurons vote in equal blocks, one for each of `outputs` (SLAYER's `Average`; lava-dl's reader refuses it)."""

    outputs: int


Layer: TypeAlias = InputLayer | DenseLayer | ConvLayer | FlattenLayer | AverageLayer
