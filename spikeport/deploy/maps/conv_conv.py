"""Two convolutions as one, which is exact but for a border between them.

Along an axis the first gives `mid[j] = sum_a w1[a] x[j s1 - p1 + a d1]`, and the second reads `mid[y s2 - p2 + b d2]`.
Put together, `w2[b] w1[a]` meets `x[y s1 s2 - (p1 + p2 s1) + (a d1 + b d2 s1)]`: a convolution of stride `s1 s2` and
padding `p1 + p2 s1`, whose taps lie at `a d1 + b d2 s1` and reach `r1 + (r2 - 1) s1` places, with
`r = d (k - 1) + 1`. Its target is that of the second: with `n = h + 2 p1 - r1`,

    floor((n + (2 p2 - r2 + 1) s1) / (s1 s2)) = floor((floor(n / s1) + 1 + 2 p2 - r2) / s2)

since floor(floor(a / b) / c) = floor(a / (b c)) for integers. One thing can differ: where `j` lies outside `mid`, the
second reads 0, while the composition goes on with what `x` holds there (`border.py`). It is exact if that is nothing,
places outside `x`; and only then, whatever the weights are, unless along the other axis nothing meets at all.
"""

from math import gcd

import numpy as np

from spikeport.deploy.maps.base import Conv
from spikeport.deploy.maps.conv import conv, is_depthwise, with_groups
from spikeport.deploy.nodes import Floats, Pair


def conv_after_conv(first: Conv, second: Conv) -> Conv:
    """`second` after `first`, where `border.surplus` is empty; they must agree on the image between them.

    Groups are the greatest common divisor of both, so that pools, which are depthwise, leave the other's as they are.
    """
    stride = (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1])
    padding = (
        first.padding[0] + second.padding[0] * first.stride[0],
        first.padding[1] + second.padding[1] * first.stride[1],
    )
    dilation = (_dilation(first, second, 0), _dilation(first, second, 1))
    weight = _weight(first, second, dilation)
    return conv(weight, stride, padding, dilation, gcd(first.groups, second.groups), first.source)


def _dilation(first: Conv, second: Conv, axis: int) -> int:
    """The largest that all taps are multiples of; a kernel of one tap has no say."""
    steps = (first.dilation[axis], second.dilation[axis] * first.stride[axis])
    kernels = (first.weight.shape[2 + axis], second.weight.shape[2 + axis])
    return gcd(*(step for step, kernel in zip(steps, kernels, strict=True) if kernel > 1)) or 1


def _weight(first: Conv, second: Conv, dilation: Pair) -> Floats:
    step, apart, kernel = [], [], []
    for axis in (0, 1):
        taps = first.weight.shape[2 + axis], second.weight.shape[2 + axis]
        step.append(max(first.dilation[axis] // dilation[axis], 1))
        apart.append(second.dilation[axis] * first.stride[axis] // dilation[axis])
        kernel.append((taps[0] - 1) * step[axis] + (taps[1] - 1) * apart[axis] + 1)
    parts = _products(first, second)
    weight = np.zeros((*parts.shape[:2], *kernel))
    for b_y, b_x in np.ndindex(*second.weight.shape[2:]):
        y, x = b_y * apart[0], b_x * apart[1]
        part = parts[..., b_y, b_x]
        end_y, end_x = y + (part.shape[2] - 1) * step[0] + 1, x + (part.shape[3] - 1) * step[1] + 1
        weight[:, :, y : end_y : step[0], x : end_x : step[1]] += part
    return weight


def _products(first: Conv, second: Conv) -> Floats:
    """`(c_out, c_in / groups, k1_h, k1_w, k2_h, k2_w)`: each tap of the first times each of the second."""
    if is_depthwise(second):
        return first.weight[..., None, None] * second.weight[:, :, None, None]
    groups = gcd(first.groups, second.groups)
    kernels = (*first.weight.shape[2:], *second.weight.shape[2:])
    if is_depthwise(first):
        own = second.weight.reshape(groups, -1, *second.weight.shape[1:])
        taps = first.weight.reshape(groups, 1, -1, *kernels[:2])
        parts = own[:, :, :, None, None] * taps[..., None, None]
    else:
        middle = first.target[0] // groups
        own = np.moveaxis(with_groups(second, groups), 1, -1).reshape(groups, -1, middle)
        taps = with_groups(first, groups).reshape(groups, middle, -1)
        parts = (own @ taps).reshape(second.target[0], *kernels[2:], -1, *kernels[:2]).transpose(0, 3, 4, 5, 1, 2)
    return parts.reshape(second.target[0], -1, *kernels)
