"""A projection with whole-number weights as a Program's connection."""

import numpy as np

from spikeport import fixed
from spikeport.deploy.maps.base import Conv, Dense, Identity, Sparse
from spikeport.deploy.network import Projection
from spikeport.deploy.nodes import Shape
from spikeport.fixed import Ints
from spikeport.program import Connection
from spikeport.program import Conv as ConvConnection
from spikeport.program import Dense as DenseConnection
from spikeport.program import Sparse as SparseConnection


def connection(projection: Projection, weight: Ints, source: Shape, target: Shape) -> Connection:
    """`weight` in units of the mantissa, laid out as `weights_of`, split into 8-bit mantissa and exponent."""
    exp = fixed.weight_exponent(weight)
    mant = weight >> exp
    ends, delay = (projection.source, projection.target), projection.delay
    m = projection.map
    match m:
        case Conv():
            return ConvConnection(*ends, mant, exp, m.stride, m.padding, m.dilation, m.groups, delay=delay)
        case Dense():
            return DenseConnection(*ends, mant, exp, delay)
        case Identity() if len(source) == 3 and source == target:
            each = np.broadcast_to(mant.reshape(1, 1, 1, 1), (source[0], 1, 1, 1))
            return ConvConnection(*ends, each, exp, groups=source[0], delay=delay)
        case Identity():
            every = np.arange(m.size)
            return SparseConnection(*ends, every, every, np.broadcast_to(mant, (m.size,)), exp, delay)
        case Sparse():
            listed = m.matrix.tocoo()
            kept = np.flatnonzero(mant)  # a weight that is rounded to 0 is no synapse
            return SparseConnection(*ends, listed.row[kept], listed.col[kept], mant[kept], exp, delay)
