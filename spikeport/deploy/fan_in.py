"""What arrives at a group: sums of weights by delay, and one neuron's synapses."""

from math import prod

import numpy as np

from spikeport import fixed
from spikeport.deploy.convolved import convolve
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Shape

INT32 = (-(1 << 31), (1 << 31) - 1)
CONV_WORD = (-fixed.WRAP_AT, fixed.WRAP_AT - 1)  # of `fixed.wrap_conv`


def sums(connection: Connection, weight: Ints, x: Ints, source: Shape, target: Shape) -> dict[int, Ints]:
    """sum_j weight[i, j] x[j] for each delay, before the exponent: `(n_source,)` to `{delay: (n_target,)}`.

    Args:
        weight: In place of the connection's own, in its layout.
    """
    if isinstance(connection, Conv):
        return {connection.delay: convolve(connection, weight, x.reshape(source)).reshape(-1)}
    if isinstance(connection, Dense):
        if isinstance(connection.delay, int):
            return {connection.delay: weight @ x}
        return {int(d): np.where(connection.delay == d, weight, 0) @ x for d in np.unique(connection.delay)}
    delay = np.broadcast_to(connection.delay, weight.shape)
    found = {}
    for d in np.unique(delay):
        here = delay == d
        found[int(d)] = np.zeros(prod(target), np.int64)
        np.add.at(found[int(d)], connection.row[here], weight[here] * x[connection.col[here]])
    return found


def row(connection: Connection, neuron: int, source: Shape, target: Shape) -> tuple[Ints, Ints]:
    """The synapses of one target neuron: `(weights, delays)`, each `(n_source,)`, weight 0 where there is none."""
    n = prod(source)
    if isinstance(connection, Conv):
        return _conv_row(connection, neuron, source, target), np.full(n, connection.delay)
    if isinstance(connection, Dense):
        delay = np.broadcast_to(connection.delay, connection.weight.shape)
        return connection.weight[neuron].astype(np.int64), delay[neuron].astype(np.int64)
    here = connection.row == neuron
    weight, delay = np.zeros(n, np.int64), np.zeros(n, np.int64)
    weight[connection.col[here]] = connection.weight[here]
    delay[connection.col[here]] = np.broadcast_to(connection.delay, connection.weight.shape)[here]
    return weight, delay


def _conv_row(conv: Conv, neuron: int, source: Shape, target: Shape) -> Ints:
    """The kernel of target (o, y, x), laid at its place in the source."""
    o, y, x = (int(i) for i in np.unravel_index(neuron, target))
    c_out, c_in, k_h, k_w = conv.weight.shape
    (p_h, p_w), (s_h, s_w), (d_h, d_w) = conv.padding, conv.stride, conv.dilation
    laid = np.zeros((source[0], source[1] + 2 * p_h, source[2] + 2 * p_w), np.int64)
    first = o // (c_out // conv.groups) * c_in
    rows, columns = y * s_h + d_h * np.arange(k_h), x * s_w + d_w * np.arange(k_w)
    laid[np.ix_(np.arange(first, first + c_in), rows, columns)] = conv.weight[o]
    return laid[:, p_h : p_h + source[1], p_w : p_w + source[2]].reshape(-1)
