"""The linear part of a stateless node."""

from math import prod

import numpy as np
from scipy.sparse import csr_array, diags_array

from spikeport.deploy.maps.base import Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv import conv, pointwise
from spikeport.deploy.maps.transposed import conv_transpose
from spikeport.deploy.nodes import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Floats,
    Linear,
    LinearNode,
    Scale,
    Shape,
    SumPool2d,
    Unflatten,
)


def of_node(node: LinearNode, source: Shape) -> LinearMap:
    """What the node does to input of shape `source`, which `shapes.output_shape` has accepted; no bias."""
    match node:
        case Flatten() | Unflatten():
            return Identity(prod(source))
        case Linear():
            return Dense(node.weight)
        case Conv1d():
            geometry = (1, node.stride), (0, node.padding), (1, node.dilation), node.groups
            return conv(node.weight[:, :, None], *geometry, (source[0], 1, source[1]))
        case Conv2d():
            c, h, w = source
            return conv(node.weight, node.stride, node.padding, node.dilation, node.groups, (c, h, w))
        case ConvTranspose2d():
            c, h, w = source
            geometry_2d = node.stride, node.padding, node.output_padding, node.dilation, node.groups
            return conv_transpose(node.weight, *geometry_2d, (c, h, w))
        case SumPool2d() | AvgPool2d():
            c, h, w = source
            share = 1 / prod(node.kernel) if isinstance(node, AvgPool2d) else 1.0
            weight = np.full((c, 1, *node.kernel), share)
            return conv(weight, node.stride, node.padding, (1, 1), c, (c, h, w))
        case Scale():
            return _scaled(node.scale)


def _scaled(scale: Floats) -> LinearMap:
    if np.all(scale == 1):
        return Identity(scale.size)
    if scale.ndim in (2, 3):
        channels = scale.reshape(len(scale), -1)
        if np.all(channels == channels[:, :1]):
            height, width = (1, *scale.shape[1:])[-2:]
            return pointwise(channels[:, 0], (len(scale), height, width))
    factors: csr_array = diags_array(scale.ravel(), format="csr")
    factors.eliminate_zeros()
    return Sparse(factors)
