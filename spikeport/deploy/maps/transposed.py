"""A transposed convolution: the transpose of the matrix of a convolution that leads the other way."""

import numpy as np

from spikeport.deploy.maps.base import Conv, Image, LinearMap
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.maps.kind import of_matrix, or_listed
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import Floats, Pair


def conv_transpose(
    weight: Floats, stride: Pair, padding: Pair, output_padding: Pair, dilation: Pair, groups: int, source: Image
) -> LinearMap:
    """torch's ConvTranspose2d (2.4) without its bias; `weight (c_in, c_out / groups, k_h, k_w)`.

    With stride 1 it is a convolution with the kernel turned round, as long as that has no negative padding.
    """
    reach = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    turned = (reach[0] - padding[0], reach[1] - padding[1])
    if stride == (1, 1) and output_padding == (0, 0) and min(turned) >= 0:
        c_in, c_out, *kernel = weight.shape
        swapped = weight.reshape(groups, c_in // groups, c_out, *kernel).swapaxes(1, 2)
        flipped = swapped.reshape(groups * c_out, c_in // groups, *kernel)[:, :, ::-1, ::-1]
        return or_listed(conv(np.ascontiguousarray(flipped), stride, turned, dilation, groups, source))
    axes = zip(source[1:], stride, padding, reach, output_padding, strict=True)
    height, width = ((n - 1) * s - 2 * p + r + extra + 1 for n, s, p, r, extra in axes)
    target = (weight.shape[1] * groups, height, width)
    return of_matrix(matrix(Conv(weight, stride, padding, dilation, groups, target, source)).T.tocsr())
