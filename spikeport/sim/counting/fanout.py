"""How many synapses one spike reaches: static integer maps, computed once per connection.

SOPs are then `sum(events * fan_out)`, exact, with no walk over the synapses.
"""

import numpy as np

from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Shape, Sparse


def fan_out(connection: Connection, source: Shape, *, nonzero: bool = False) -> Ints:
    """Synapses behind each source neuron, int64 `(n_source,)`.

    Padding, stride, dilation and groups are respected: a spike at the border of a padded
    convolution reaches fewer targets than one in the middle.

    Args:
        source: Shape of the source group or input.
        nonzero: Leave out the synapses whose weight is 0 (sparse storage) instead of
            counting all that a dense or convolutional core stores.
    """
    match connection:
        case Conv():
            return _conv_fan_out(connection, source, nonzero)
        case Dense():
            reached = connection.weight != 0 if nonzero else np.ones_like(connection.weight, dtype=bool)
            return reached.sum(axis=0, dtype=np.int64)
        case Sparse():
            col = connection.col[connection.weight != 0] if nonzero else connection.col
            return np.bincount(col, minlength=int(np.prod(source))).astype(np.int64)


def synapses(connection: Connection, source: Shape, *, nonzero: bool = False) -> int:
    """All synapses of a connection; for a convolution each use of a weight is one synapse.

    It is also the number of MACs that the same layer costs an ANN when zeros of the padding are skipped.
    """
    return int(fan_out(connection, source, nonzero=nonzero).sum())


def macs_dense(connection: Connection, source: Shape) -> int:
    """MACs of one pass of the same layer in an ANN, as the literature counts them.

    A convolution multiplies the zeros of its padding too; a sparse layer costs its listed synapses.
    """
    if isinstance(connection, Conv):
        return int(np.prod(connection.output_shape(source))) * int(np.prod(connection.weight.shape[1:]))
    return synapses(connection, source)


def _conv_fan_out(conv: Conv, source: Shape, nonzero: bool) -> Ints:
    """F[c, y, x] = sum over i, j of taps[c, i, j] * reach_y[i, y] * reach_x[j, x]."""
    _, *out = conv.output_shape(source)  # also refuses a source of another shape
    c_out, c_in, *kernel = conv.weight.shape
    blocks = conv.weight.reshape(conv.groups, c_out // conv.groups, c_in, *kernel)
    reached = blocks != 0 if nonzero else np.ones_like(blocks, dtype=bool)
    taps = reached.sum(axis=1, dtype=np.int64).reshape(source[0], *kernel)
    reach_y, reach_x = (
        _reach(source[1 + axis], out[axis], kernel[axis], conv.stride[axis], conv.padding[axis], conv.dilation[axis])
        for axis in range(2)
    )
    return (reach_y.T @ taps @ reach_x).reshape(-1)


def _reach(n_in: int, n_out: int, kernel: int, stride: int, padding: int, dilation: int) -> Ints:
    """`(kernel, n_in)`: 1 where tap k joins input i to an output, i = o * stride - padding + k * dilation."""
    i, k = np.arange(n_in), np.arange(kernel)[:, None]
    o, rest = np.divmod(i + padding - k * dilation, stride)
    return ((rest == 0) & (o >= 0) & (o < n_out)).astype(np.int64)
