"""A convolution of integers, exactly, at the speed of floats.

Where every channel has one value all over the image, only the border tells places apart, and the sums over channels
are made once. Else the product is one of floats, which is exact as long as no sum can leave 53 bits; larger values go
through in parts of fewer bits.
"""

import numpy as np

from spikeport.deploy.maps.apply import apply
from spikeport.deploy.maps.base import Conv as Map
from spikeport.deploy.maps.conv import conv as map_of
from spikeport.deploy.maps.conv import meetings
from spikeport.deploy.nodes import Floats
from spikeport.fixed import Ints
from spikeport.program import Conv, Shape

EXACT_BITS = 53


def convolve(conv: Conv, weight: Ints, x: Ints) -> Ints:
    """Cross-correlation: `(c_in, h, w)` to `(c_out, h', w')`.

    Args:
        weight: In place of the connection's own, in its layout.
    """
    value = x[:, 0, 0]
    if np.array_equal(x, np.broadcast_to(value[:, None, None], x.shape)):
        return _of_constant(conv, weight, value, x.shape)
    return _of_any(conv, weight, x)


def _of_constant(conv: Conv, weight: Ints, value: Ints, source: Shape) -> Ints:
    per_target = value.reshape(conv.groups, -1).repeat(len(weight) // conv.groups, axis=0)
    taps = np.einsum("oi,oiyx->oyx", per_target, weight)
    rows, columns = (_meet(conv, source, axis) for axis in (0, 1))
    return rows @ taps @ columns.T


def _meet(conv: Conv, source: Shape, axis: int) -> Ints:
    """`(places, taps)`: 1 where the tap of a target place meets the image, along the height (0) or the width (1)."""
    geometry = _map(conv, np.zeros(conv.weight.shape), source)
    place, tap, _ = meetings(geometry, axis)
    met = np.zeros((geometry.target[1 + axis], conv.weight.shape[2 + axis]), np.int64)
    met[place, tap] = 1
    return met


def _of_any(conv: Conv, weight: Ints, x: Ints) -> Ints:
    most = int(np.abs(weight).reshape(len(weight), -1).sum(axis=1).max())
    bits = EXACT_BITS - most.bit_length()  # a sum of values of so many bits is exact
    if int(np.abs(x).max()) >> bits:
        high, low = _of_any(conv, weight, x >> bits), _of_any(conv, weight, x & ((1 << bits) - 1))
        return (high << bits) + low
    floats = _map(conv, weight.astype(np.float64), x.shape)
    found = apply(floats, x.reshape(1, -1).astype(np.float64))
    return found.astype(np.int64).reshape(floats.target)


def _map(conv: Conv, weight: Floats, source: Shape) -> Map:
    channels, height, width = source
    return map_of(weight, conv.stride, conv.padding, conv.dilation, conv.groups, (channels, height, width))
