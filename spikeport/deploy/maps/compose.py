"""One map after another, as one, or as few whose sum it is."""

import numpy as np

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.border import surplus
from spikeport.deploy.maps.conv_conv import conv_after_conv
from spikeport.deploy.maps.kind import diagonal, held, of_matrix, or_listed, synapses
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.maps.select import scaled_columns, scaled_rows


def compose(first: LinearMap, second: LinearMap) -> tuple[LinearMap, ...]:
    """Maps whose sum is `second` after `first`, in the cheapest kinds that are exact but for rounding.

    There is one, but for convolutions with a border between them: their one kernel, and what takes off its surplus.
    """
    if first.shape[0] != second.shape[1]:
        raise ValueError(f"{first.shape[0]} values do not fit a map from {second.shape[1]}")
    if isinstance(first, Conv) and isinstance(second, Conv) and first.target == second.source:
        return _convs(first, second)
    return (_one(first, second),)


def _one(first: LinearMap, second: LinearMap) -> LinearMap:
    if isinstance(first, Identity):
        return second
    if isinstance(second, Identity):
        return first
    if isinstance(second, Sparse) and (factor := diagonal(second)) is not None:
        return scaled_rows(first, factor)
    if isinstance(first, Sparse) and (factor := diagonal(first)) is not None:
        return scaled_columns(second, factor)
    if isinstance(second, Dense):
        weight = second.weight @ (first.weight if isinstance(first, Dense) else matrix(first))
        return Dense(np.ascontiguousarray(weight))
    return _listed(first, second)


def _convs(first: Conv, second: Conv) -> tuple[LinearMap, ...]:
    both, seen = conv_after_conv(first, second), surplus(first, second)
    if not seen.nnz:
        return (both if held(both) <= held(first) + held(second) else or_listed(both),)
    if held(both) + seen.nnz < synapses(both) - seen.nnz:  # at least so many are left of them
        return both, Sparse(-seen)
    return (_listed(first, second),)


def _listed(first: LinearMap, second: LinearMap) -> LinearMap:
    return of_matrix(matrix(second) @ matrix(first))
