"""Parts that several algorithms share: a convolution's target, its weight by fewer groups, its taps in the image."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.maps.base import Conv, Image
from spikeport.deploy.nodes import Floats, Pair

Indices: TypeAlias = NDArray[np.intp]


def conv(weight: Floats, stride: Pair, padding: Pair, dilation: Pair, groups: int, source: Image) -> Conv:
    """The map with the target that torch gives: windows that do not fit are left out."""
    axes = zip(source[1:], weight.shape[2:], stride, padding, dilation, strict=True)
    height, width = ((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in axes)
    return Conv(weight, stride, padding, dilation, groups, source, (weight.shape[0], height, width))


def pointwise(factor: Floats, source: Image) -> Conv:
    """Each channel times its factor."""
    return Conv(factor[:, None, None, None], (1, 1), (0, 0), (1, 1), len(factor), source, source)


def is_depthwise(conv: Conv) -> bool:
    """Whether channel i goes to channel i alone."""
    return conv.groups == conv.source[0] == conv.target[0]


def with_groups(conv: Conv, groups: int) -> Floats:
    """The weight `(c_out, c_in / groups, k_h, k_w)` of the same map, where `groups` divides its own."""
    merged = conv.groups // groups
    if merged == 1:
        return conv.weight
    c_out, c_in, *kernel = conv.weight.shape
    own = conv.weight.reshape(groups, merged, c_out // conv.groups, c_in, *kernel)
    weight = np.zeros((groups, merged, c_out // conv.groups, merged, c_in, *kernel))
    for place in range(merged):
        weight[:, place, :, place] = own[:, place]
    return weight.reshape(c_out, merged * c_in, *kernel)


def meetings(conv: Conv, axis: int) -> tuple[Indices, Indices, Indices]:
    """Along the height (0) or the width (1): every target place, tap and source place that meet within the image."""
    target, tap = np.indices((conv.target[1 + axis], conv.weight.shape[2 + axis]))
    source = target * conv.stride[axis] - conv.padding[axis] + tap * conv.dilation[axis]
    inside = (0 <= source) & (source < conv.source[1 + axis])
    return target[inside], tap[inside], source[inside]
