"""Source neurons of one connection, in classes by how many synapses they have on each core of the target.

Neurons of a class are alike to whoever counts by cores, so events are counted by class and nothing walks synapses.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from spikeport.cores import Cut
from spikeport.errors import WrongShape
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Shape, Sparse
from spikeport.reached import channels_reached, pixels_reached


@dataclass(frozen=True, eq=False)
class Classes:
    label: Ints
    """The class of each source neuron, `(n_source,)`."""
    synapses: sparse.csr_array
    """Of one neuron of each class on each core of the target, int64 `(classes, cores of the target)`."""


def classes(connection: Connection, source: Shape, target: Cut) -> Classes:
    """Synapses of weight 0 count: a core visits them.

    Raises:
        InputError: a convolution's target is not cut along its channels, rows and columns.
    """
    match connection:
        case Conv():
            return _conv(connection, source, target)
        case Dense():
            return Classes(np.zeros(int(np.prod(source)), np.int64), sparse.csr_array(target.neurons[None]))
        case Sparse():
            return _listed(connection, int(np.prod(source)), target)


def joined(a: Ints, b: Ints) -> Ints:
    """Labels, from 0 without a gap, by which two neurons are alike if they are by both."""
    code = a * (int(b.max()) + 1) + b
    if code.max() >= 8 * code.size:
        return np.unique(code, return_inverse=True)[1]
    used = np.zeros(int(code.max()) + 1, np.int64)  # the same without a sort
    used[code] = 1
    return (np.cumsum(used) - 1)[code]


def _listed(connection: Sparse, n: int, target: Cut) -> Classes:
    """Each neuron is a class of its own."""
    places = (connection.col.astype(np.int64), target.labels()[connection.row])
    one_each = np.ones(connection.row.size, np.int64)
    return Classes(np.arange(n), sparse.coo_array((one_each, places), shape=(n, target.cores)).tocsr())


def _conv(conv: Conv, source: Shape, target: Cut) -> Classes:
    """Synapses are a product of what the channel, the row and the column have in each of their blocks."""
    if target.shape != (shape := conv.output_shape(source)):
        where, do = f"cores of {conv.target}", "map the cores of the same program"
        raise WrongShape(where, "the shape that is cut", got=target.shape, relation="is not", limit=shape, do=do)
    axes = (channels_reached(conv, target), *(pixels_reached(conv, source, target, axis) for axis in (1, 2)))
    kinds, (c, y, x) = zip(*(np.unique(axis, axis=0, return_inverse=True) for axis in axes), strict=True)
    label = (c[:, None, None] * len(kinds[1]) + y[:, None]) * len(kinds[2]) + x
    synapses = sparse.csr_array(sparse.kron(sparse.kron(kinds[0], kinds[1]), kinds[2]))
    synapses.eliminate_zeros()
    return Classes(label.reshape(-1), synapses)
