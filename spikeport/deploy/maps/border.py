"""What a composed convolution sees beyond the border between its two, where the second reads zeros.

A target place (y, x) reads the places `y s2 - p2 + b d2` of the middle image, one for each tap b of the second. Some
of them lie outside, and the composed kernel goes on there with what `x` holds: the surplus. Which taps see something
outside is the same for all rows but some at the border, and likewise for columns. So the places of the target fall
into a few classes, and the surplus of a class is a composed kernel again, of those taps alone.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spikeport.deploy.maps.base import Conv
from spikeport.deploy.maps.conv import Indices
from spikeport.deploy.maps.conv_conv import conv_after_conv
from spikeport.deploy.maps.matrix import listed
from spikeport.deploy.nodes import Floats

Taps = NDArray[np.bool_]


def surplus(first: Conv, second: Conv) -> csr_array:
    """`(m, n)`: the matrix of `conv_after_conv` less the product of both matrices."""
    shape = (second.shape[0], first.shape[1])
    found = [(np.zeros(0), np.zeros((2, 0), np.intp))]
    for y_taps, rows in _classes(first, second, 0):
        for x_taps, columns in _classes(first, second, 1):
            outside = y_taps[:, None] | x_taps[None, :]
            if np.any(outside):
                found.append(_seen(first, second, outside, rows, columns))
    entries, places = (np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))
    return csr_array((entries, (places[0], places[1])), shape)


def _classes(first: Conv, second: Conv, axis: int) -> Iterator[tuple[Taps, Indices]]:
    """Rows (axis 0) or columns (axis 1) of the target, by the taps of the second that see something outside."""
    y, b = np.indices((second.target[1 + axis], second.weight.shape[2 + axis]))
    middle = y * second.stride[axis] - second.padding[axis] + b * second.dilation[axis]
    taps = np.arange(first.weight.shape[2 + axis]) * first.dilation[axis]
    source = middle[..., None] * first.stride[axis] - first.padding[axis] + taps
    sees = np.any((source >= 0) & (source < first.source[1 + axis]), axis=2)
    outside = sees & ((middle < 0) | (middle >= first.target[1 + axis]))
    for kind in np.unique(outside, axis=0):
        yield kind, np.flatnonzero(np.all(outside == kind, axis=1))


def _seen(first: Conv, second: Conv, taps: Taps, rows: Indices, columns: Indices) -> tuple[Floats, Indices]:
    """What these taps of the second bring to these places of the target: entries, and their (row, column)."""
    kernel = conv_after_conv(first, replace(second, weight=second.weight * taps))
    return listed(kernel, rows, columns)
