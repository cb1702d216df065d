"""A projection's whole-number weights as a Program's connection."""

from typing import TypeVar

import numpy as np

from spikeport import fixed
from spikeport.deploy.network import Projection, Synapse
from spikeport.deploy.nodes import Conv2d, Floats, Shape
from spikeport.fixed import Ints
from spikeport.program import Conv, Dense

_Values = TypeVar("_Values", Floats, Ints)


def connection(projection: Projection, weight: Ints) -> Dense | Conv:
    """`weight` in units of the mantissa, split into 8-bit mantissa and exponent."""
    exp = fixed.weight_exponent(weight)
    mant = weight >> exp
    synapse = projection.synapse
    if isinstance(synapse, Conv2d):
        geometry = (synapse.stride, synapse.padding, synapse.dilation, synapse.groups)
        return Conv(projection.source, projection.target, mant, exp, *geometry, delay=projection.delay)
    return Dense(projection.source, projection.target, mant, exp, projection.delay)


def bias_per_neuron(synapse: Synapse, shape: Shape) -> Floats:
    """The bias in the shape of the target population."""
    return per_neuron(synapse, synapse.bias, shape)


def per_neuron(synapse: Synapse, values: _Values, shape: Shape) -> _Values:
    """One value per output channel, or per output neuron of a dense layer, spread over `shape`."""
    if isinstance(synapse, Conv2d):
        return np.broadcast_to(values[:, None, None], shape)
    return values.reshape(shape)
