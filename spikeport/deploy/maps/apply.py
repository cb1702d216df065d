"""What a map makes of a batch of values."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.nodes import Floats

CHUNK = 2**17  # values of windows that are copied at a time: 1 MB, which a core's cache holds


def apply(map: LinearMap, x: Floats) -> Floats:
    """`(B, n)` to `(B, m)`; for an Identity, `x` itself."""
    match map:
        case Identity():
            return x
        case Dense():
            return x @ map.weight.T
        case Conv():
            return _convolved(map, x)
        case Sparse():
            return np.ascontiguousarray((map.matrix @ x.T).T)


def _convolved(conv: Conv, x: Floats) -> Floats:
    """A matrix product per sample and group, of the kernels with the windows that each tap meets."""
    c_in, taps = conv.source[0], conv.weight[0].size
    places = conv.target[1] * conv.target[2]
    windows = _windows(conv, x.reshape(len(x), *conv.source))
    kernels = conv.weight.reshape(conv.groups, -1, taps)
    y = np.empty((len(x), conv.groups, kernels.shape[1], places))
    step = max(CHUNK // (c_in * conv.weight[0, 0].size * places), 1)
    for begin in range(0, len(x), step):
        chunk = windows[begin : begin + step]
        np.matmul(kernels, chunk.reshape(len(chunk), conv.groups, taps, places), out=y[begin : begin + step])
    return y.reshape(len(x), conv.shape[0])


def _windows(conv: Conv, x: Floats) -> Floats:
    """`(B, c_in, k_h, k_w, h', w')`: what each tap meets at each place of the target, a view."""
    (p_y, p_x), (s_y, s_x), (d_y, d_x) = conv.padding, conv.stride, conv.dilation
    k_y, k_x = conv.weight.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (p_y, p_y), (p_x, p_x)))
    reach = (d_y * (k_y - 1) + 1, d_x * (k_x - 1) + 1)
    windows = sliding_window_view(padded, reach, axis=(2, 3))[:, :, ::s_y, ::s_x, ::d_y, ::d_x]
    return windows.transpose(0, 1, 4, 5, 2, 3)
