"""Nodes without state, `(B, *shape)` to `(B, *shape)`, in float64."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from spikeport.deploy.nodes import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Floats,
    Linear,
    LinearNode,
    Pair,
    Scale,
    SumPool2d,
    Threshold,
    Unflatten,
)

Stateless = LinearNode | Threshold


def apply(node: Stateless, x: Floats) -> Floats:
    """What the node gives for the batch `x`."""
    match node:
        case Linear():
            return x @ node.weight.T + node.bias
        case Conv1d():
            geometry = (1, node.stride), (0, node.padding), (1, node.dilation), node.groups
            return _convolved(x[:, :, None], node.weight[:, :, None], node.bias, *geometry)[:, :, 0]
        case Conv2d():
            return _convolved(x, node.weight, node.bias, node.stride, node.padding, node.dilation, node.groups)
        case Flatten():
            n = x.ndim - 1
            start, end = node.start % n, node.end % n
            return x.reshape(*x.shape[: 1 + start], -1, *x.shape[2 + end :])
        case Unflatten():
            return x.reshape(len(x), *node.shape)
        case ConvTranspose2d():
            return _spread(x, node)
        case Scale():
            return x * node.scale
        case SumPool2d() | AvgPool2d():
            total = _windows(x, node.kernel, node.stride, node.padding, (1, 1)).sum((-2, -1))
            return total / np.prod(node.kernel) if isinstance(node, AvgPool2d) else total
        case Threshold():
            return (x > node.threshold).astype(np.float64)


def _convolved(
    x: Floats, weight: Floats, bias: Floats, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Floats:
    windows = _windows(x, weight.shape[2:], stride, padding, dilation)
    b, c, *rest = windows.shape
    grouped = windows.reshape(b, groups, c // groups, *rest)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    y = np.einsum("bgchwij,gocij->bgohw", grouped, kernels, optimize=True)
    return y.reshape(b, -1, *y.shape[3:]) + bias[:, None, None]


def _spread(x: Floats, node: ConvTranspose2d) -> Floats:
    """Each value times the kernel, around its place `stride` times as far out; then the border is cut off."""
    c_in, c_out, *kernel = node.weight.shape
    (s_h, s_w), (d_h, d_w) = node.stride, node.dilation
    h, w = (
        (n - 1) * s + d * (k - 1) + extra + 1
        for n, s, d, k, extra in zip(x.shape[2:], node.stride, node.dilation, kernel, node.output_padding, strict=True)
    )
    grouped = x.reshape(len(x), node.groups, c_in // node.groups, *x.shape[2:])
    weight = node.weight.reshape(node.groups, -1, *node.weight.shape[1:])
    y = np.zeros((len(x), node.groups, c_out, h, w))
    for i, j in np.ndindex(*kernel):
        part = np.einsum("bgchw,gco->bgohw", grouped, weight[..., i, j])
        rows, columns = slice(i * d_h, i * d_h + s_h * part.shape[3], s_h), slice(j * d_w, None, s_w)
        y[:, :, :, rows, columns][..., : part.shape[3], : part.shape[4]] += part
    y = y.reshape(len(x), -1, h, w)[:, :, node.padding[0] : h - node.padding[0], node.padding[1] : w - node.padding[1]]
    return y + node.bias[:, None, None]


def _windows(x: Floats, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Floats:
    """`(B, c, h', w', k_h, k_w)`: every window, a view."""
    (p_h, p_w), (s_h, s_w), (d_h, d_w) = padding, stride, dilation
    padded = np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))
    reach = (d_h * (kernel[0] - 1) + 1, d_w * (kernel[1] - 1) + 1)
    return sliding_window_view(padded, reach, axis=(2, 3))[:, :, ::s_h, ::s_w, ::d_h, ::d_w]
