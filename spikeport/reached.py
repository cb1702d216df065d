"""What a convolution reaches of a target that is cut into blocks, axis by axis.

The synapses behind a neuron of the source, in one block, are the product of what its channel, row and column have
there.
"""

import numpy as np

from spikeport.cores import Cut
from spikeport.fixed import Ints
from spikeport.program import Conv, Shape


def channels_reached(conv: Conv, target: Cut) -> Ints:
    """Filters that see an input channel, in each block of channels: `(c_in, blocks)`."""
    c_out, c_in, *_ = conv.weight.shape
    o = np.arange(c_out)
    found = np.zeros((conv.groups, target.parts[0]), np.int64)
    np.add.at(found, (o // (c_out // conv.groups), o // target.block[0]), 1)
    return np.repeat(found, c_in, axis=0)


def pixels_reached(conv: Conv, source: Shape, target: Cut, axis: int) -> Ints:
    """How often an input row (axis 1) or column (axis 2) is seen through a tap of the kernel: `(n_in, blocks)`."""
    at = axis - 1
    o, k = np.arange(target.shape[axis])[:, None], np.arange(conv.weight.shape[2 + at])
    i, block = np.broadcast_arrays(
        o * conv.stride[at] - conv.padding[at] + k * conv.dilation[at], o // target.block[axis]
    )
    inside = (i >= 0) & (i < source[axis])
    found = np.zeros((source[axis], target.parts[axis]), np.int64)
    np.add.at(found, (i[inside], block[inside]), 1)
    return found
