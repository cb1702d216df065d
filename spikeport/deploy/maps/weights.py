"""The weights of a map as one array, in its own layout."""

import numpy as np

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import Floats


def weights_of(m: LinearMap) -> Floats:
    """All of them; a single 1 for an Identity."""
    match m:
        case Identity():
            return np.ones(1)
        case Sparse():
            return m.matrix.data
        case _:
            return m.weight


def with_weights(m: LinearMap, weight: Floats) -> LinearMap:
    """The same map with other weights in their layout; an Identity takes 1 only, or becomes a diagonal."""
    match m:
        case Identity():
            diagonal = matrix(m)
            diagonal.data = np.full(m.size, float(weight[0]))
            return Sparse(diagonal)
        case Sparse():
            changed = m.matrix.copy()
            changed.data = weight
            return Sparse(changed)
        case Dense():
            return Dense(weight)
        case Conv():
            return Conv(weight, m.stride, m.padding, m.dilation, m.groups, m.source, m.target)
