"""A map written out as a matrix."""

import numpy as np
from scipy.sparse import csr_array, diags_array

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv import Indices, meetings
from spikeport.deploy.nodes import Floats


def matrix(map: LinearMap) -> csr_array:
    """`(m, n)` float64; each (row, column) once, in order, no explicit zeros."""
    match map:
        case Identity():
            return diags_array(np.ones(map.size), format="csr")
        case Dense():
            return csr_array(map.weight)
        case Conv():
            return _of_conv(map)
        case Sparse():
            return map.matrix


def _of_conv(conv: Conv) -> csr_array:
    return csr_array(listed(conv, np.arange(conv.target[1]), np.arange(conv.target[2])), conv.shape)


def listed(conv: Conv, rows: Indices, columns: Indices) -> tuple[Floats, Indices]:
    """A convolution's entries for some rows and columns of its target, and their `(2, n)` places in the matrix."""
    target_y, tap_y, source_y = _meetings_at(conv, 0, rows)
    target_x, tap_x, source_x = _meetings_at(conv, 1, columns)
    weights = conv.weight[:, :, tap_y[:, None], tap_x[None, :]]
    found = np.nonzero(weights)
    c_out, c_in, y, x = found
    c_in = c_out // (conv.target[0] // conv.groups) * conv.weight.shape[1] + c_in
    row = np.ravel_multi_index((c_out, target_y[y], target_x[x]), conv.target)
    column = np.ravel_multi_index((c_in, source_y[y], source_x[x]), conv.source)
    return weights[found], np.stack((row, column))


def _meetings_at(conv: Conv, axis: int, places: Indices) -> tuple[Indices, Indices, Indices]:
    target, tap, source = meetings(conv, axis)
    here = np.isin(target, places)
    return target[here], tap[here], source[here]
