"""What a `.net` file can say, as integers: one frozen dataclass per type of layer or of neuron.

Shapes are as in the file: `(channels, height, width)` or `(n,)`. Sources: lava-dl 0.6.0, `netx/hdf5.py`, which
reads these files, and `slayer/block/base.py`, which writes them.
"""

from dataclasses import dataclass
from typing import TypeAlias

from spikeport.fixed import Ints
from spikeport.neurons import ResonatorKind, Stage

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]

BIAS_EXP = 6
"""A file's bias is in steps of 2^6 of v (`netx/hdf5.py`, `get_neuron_params`)."""
INPUT_WEIGHT, INPUT_BIAS = 64, 0
"""What lava-dl takes where an input layer with neurons holds no transform (`create_input`)."""
BEYOND_VTH = 1 << 17
"""The threshold of a dense layer without neurons: `1 << 18 - 1` in `create_dense`, one more than 17 bits hold."""


STATE_EXP = 6
"""Of SDNN and RF neurons (`get_neuron_params`)."""
SPIKE_EXP = 6
"""Of SDNN neurons, where lava-dl is not told another (`Network.__init__`)."""
SDNN_BITS = 16
"""Message bits of what SDNN neurons send (`get_neuron_params`); all others send 0 and 1, in 0 bits."""


@dataclass(frozen=True)
class Neuron:
    """CUBA: the chip's registers, in the file's names: du = iDecay - 1, dv = vDecay, vth = vThMant."""

    i_decay: int = 0
    v_decay: int = 4096
    v_th_mant: int = BEYOND_VTH


@dataclass(frozen=True)
class SigmaDeltaNeuron:
    """SDNN: `delta` at the input, `sigma` where the file has `sigma_output`, `sigma_delta` with relu elsewhere."""

    stage: Stage
    v_th_mant: int = 0
    """Not read at stage `sigma`."""


@dataclass(frozen=True)
class ResonatorNeuron:
    """RF_PHASE and RF_IZHIKEVICH: decays in 1/4096."""

    kind: ResonatorKind
    v_th_mant: int
    sin_decay: int
    cos_decay: int


AnyNeuron: TypeAlias = Neuron | SigmaDeltaNeuron | ResonatorNeuron


@dataclass(frozen=True)
class InputLayer:
    """Spikes of `shape`; or, with `neuron`, neurons.

    A `Neuron`'s bias mantissa is `weight * x + bias`; a `SigmaDeltaNeuron` encodes the changes of its input.
    """

    shape: Shape
    neuron: Neuron | SigmaDeltaNeuron | None = None
    weight: int = INPUT_WEIGHT
    bias: int = INPUT_BIAS


@dataclass(frozen=True, eq=False)
class DenseLayer:
    """`weight_rec` feeds the layer's own spikes back, one step later; `weight_imag` makes the weights complex."""

    weight: Ints
    """`(n, n_source)`"""
    bias: Ints
    """`(n,)`"""
    neuron: AnyNeuron
    delay: int | Ints = 0
    """One for all synapses, or one for each; shape of `weight`."""
    weight_rec: Ints | None = None
    """`(n, n)`"""
    weight_imag: Ints | None = None
    """`(n, n_source)`, of a `ResonatorNeuron` and of no other."""


@dataclass(frozen=True, eq=False)
class ConvLayer:
    shape: Shape
    weight: Ints
    """`(c_out, c_in / groups, k_h, k_w)`, a cross-correlation as torch's."""
    bias: Ints
    """`(c_out,)`, or `shape`."""
    neuron: Neuron | SigmaDeltaNeuron
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
