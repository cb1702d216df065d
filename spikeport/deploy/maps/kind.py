"""What a map costs, and the cheapest kind for a matrix.

Costs are counted in weights that have to be held: a `Conv` holds its kernel, the others hold every synapse.
"""

from math import prod

import numpy as np
from scipy.sparse import csr_array

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv import meetings
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import Floats

DENSE_FROM = 0.5  # above, the columns that a `Sparse` lists beside its weights cost more than the zeros of a `Dense`


def held(map: LinearMap) -> int:
    """Weights that are held."""
    match map:
        case Identity():
            return map.size
        case Dense() | Conv():
            return int(map.weight.size)
        case Sparse():
            return int(map.matrix.nnz)


def synapses(map: LinearMap) -> int:
    """Entries of the matrix that are not 0, without writing it out."""
    match map:
        case Identity() | Sparse():
            return held(map)
        case Dense():
            return int(np.count_nonzero(map.weight))
        case Conv():
            uses = [np.bincount(meetings(map, axis)[1], minlength=map.weight.shape[2 + axis]) for axis in (0, 1)]
            return int(uses[0] @ np.count_nonzero(map.weight, axis=(0, 1)) @ uses[1])


def of_matrix(entries: csr_array) -> LinearMap:
    """Identity where it is one, `Dense` where more than half of it is not 0, else `Sparse`. Drops explicit zeros."""
    entries.sum_duplicates()
    entries.eliminate_zeros()
    factor = diagonal(Sparse(entries))
    if factor is not None and np.all(factor == 1):
        return Identity(len(factor))
    return Dense(entries.toarray()) if entries.nnz > DENSE_FROM * prod(entries.shape) else Sparse(entries)


def or_listed(conv: Conv) -> LinearMap:
    """The convolution, unless its kernel has more weights than its matrix: large kernels over few places."""
    return conv if held(conv) <= synapses(conv) else of_matrix(matrix(conv))


def diagonal(map: Sparse) -> Floats | None:
    """The factors, if it does nothing but multiply each value by one."""
    rows, columns = map.shape
    entries = map.matrix.tocoo()
    return map.matrix.diagonal() if rows == columns and np.array_equal(entries.row, entries.col) else None
