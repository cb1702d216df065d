"""A Program's connections as the engine takes them: dense, convolutions, or synapses one by one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.neurons import Port
from spikeport.program import Connection, Conv, Dense


@dataclass(frozen=True, eq=False)
class Listed:
    """Synapses one by one: what dense connections with many delays and sparse ones become."""

    source: str
    target: str
    row: NDArray[Any]
    col: NDArray[Any]
    weight: NDArray[Any]
    weight_exp: int
    delay: NDArray[Any]
    graded: bool
    port: Port
    wraps_products: bool
    """As `_graded_word` of the reference does for a dense connection with delays."""


def spelled(connection: Connection) -> list[Dense | Conv | Listed]:
    """The connection as the engine takes it.

    A negative exponent shifts the sum of one delay, and a graded sum wraps for one delay,
    so every delay then needs a buffer of its own.
    """
    if isinstance(connection, Conv) or (isinstance(connection, Dense) and isinstance(connection.delay, int)):
        return [connection]
    row: NDArray[Any]
    col: NDArray[Any]
    if isinstance(connection, Dense):
        row, col = np.indices(connection.weight.shape).reshape(2, -1)
    else:
        row, col = connection.row, connection.col
    weight = connection.weight.reshape(-1)
    delay = np.broadcast_to(connection.delay, connection.weight.shape).reshape(-1)
    apart = connection.weight_exp < 0 or connection.graded
    buckets = [delay == d for d in np.unique(delay)] if apart else [np.ones(delay.size, bool)]
    ends, exp = (connection.source, connection.target), connection.weight_exp
    graded, port, wraps = connection.graded, connection.port, wraps_products(connection)
    return [Listed(*ends, row[at], col[at], weight[at], exp, delay[at], graded, port, wraps) for at in buckets]


def wraps_products(connection: Connection | Listed) -> bool:
    """Whether Lava puts each product of weight and payload into 32 bits, and not their sum."""
    if isinstance(connection, Listed):
        return connection.wraps_products
    return isinstance(connection, Dense) and connection.graded and bool(np.any(connection.delay))


def largest_sum(connection: Dense | Conv | Listed, n_target: int) -> int:
    """The most that one spike from every source adds to a target's buffer, either sign."""
    size = np.abs(connection.weight.astype(np.int64))
    if isinstance(connection, Listed):
        size = np.bincount(connection.row, size, n_target).astype(np.int64)
    else:
        size = size.reshape(len(size), -1).sum(1)
    return int(size.max(initial=0)) << max(0, connection.weight_exp)
