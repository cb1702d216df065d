"""One map after another, as one."""

import numpy as np

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv_conv import conv_after_conv
from spikeport.deploy.maps.kind import diagonal, held, of_matrix, or_listed
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.maps.select import scaled_columns, scaled_rows


def compose(first: LinearMap, second: LinearMap) -> LinearMap:
    """`second` after `first`, in the cheapest kind that is exact but for rounding."""
    if first.shape[0] != second.shape[1]:
        raise ValueError(f"{first.shape[0]} values do not fit a map from {second.shape[1]}")
    if isinstance(first, Identity):
        return second
    if isinstance(second, Identity):
        return first
    if isinstance(second, Sparse) and (factor := diagonal(second)) is not None:
        return scaled_rows(first, factor)
    if isinstance(first, Sparse) and (factor := diagonal(first)) is not None:
        return scaled_columns(second, factor)
    if isinstance(first, Conv) and isinstance(second, Conv):
        both = conv_after_conv(first, second)
        if both is not None:
            return both if held(both) <= held(first) + held(second) else or_listed(both)
    if isinstance(second, Dense):
        weight = second.weight @ (first.weight if isinstance(first, Dense) else matrix(first))
        return Dense(np.ascontiguousarray(weight))
    return of_matrix(matrix(second) @ matrix(first))
