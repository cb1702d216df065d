"""A Program as flat arrays that compiled code can walk.

Nodes are the inputs, then the groups. A node of shape (c, h, w) is kept channel last inside the engine, so that one
event of a convolution adds to contiguous runs; `order` maps between the two. Weights are stored by source neuron,
as bytes where they fit: even mantissas are halved and their exponent raised.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.program import Conv, Dense, Group, Input, Program, Shape
from spikeport.sim.engine import columns as col
from spikeport.sim.engine.groups import bias_of, group_rows
from spikeport.sim.engine.rows import WIDTH, aligned
from spikeport.sim.engine.runs import columns_in_order, runs_of
from spikeport.sim.engine.spelled import Listed, largest_sum, spelled, wraps_products

Table: TypeAlias = NDArray[np.int64]


LANES = 64
"""Dense rows are padded to a multiple of this, so that no row has a tail for the vector units to limp over."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Everything that does not change while a Program runs."""

    program: Program
    groups: Table
    """One row per group, in the Program's order."""
    connections: Table
    """One row per connection, sorted by target; FIRST_IN and LAST_IN of a group bound its rows."""
    origin: Table
    """Which connection of the Program each row is, or is a part of."""
    bytes_: NDArray[np.int8]
    """Weights that fit a byte."""
    words: NDArray[np.int16]
    """Weights that do not."""
    pointers: Table
    """Listed synapses: for each source the range of its entries; convolutions: for each place the range of its runs."""
    targets: NDArray[np.int32]
    delays: NDArray[np.int32]
    runs: NDArray[np.int32]
    """Of convolutions: (first target, first weight, length) of each contiguous run that a place reaches."""
    bias: NDArray[np.int32]
    """Per neuron, groups one after the other, channel last."""
    node_offset: Table
    """Where each node's events start; one past the last node at the end."""
    node_signed: NDArray[np.bool_]
    """Which nodes send payloads."""
    buffer_size: int
    """Length of all delivery buffers of one sample that hold 32 bits."""
    longs_size: int
    """Length of those that hold 64."""
    more_size: int
    """Neurons times variables beyond the second, of one sample."""
    order: tuple[Table | None, ...]
    """Per node: Program order of each engine neuron; None where they agree."""

    @property
    def n_neurons(self) -> int:
        return int(self.groups[:, col.N].sum())


def channel_last(shape: Shape) -> Table | None:
    """Program index of each neuron in channel-last order; None for shapes that have no channels."""
    if len(shape) != 3 or shape[0] == 1:
        return None
    return np.arange(prod(shape)).reshape(shape).transpose(1, 2, 0).reshape(-1)


def channels_last(x: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """`(..., n)` in the Program's order to `(..., n)` in the engine's."""
    if len(shape) != 3 or shape[0] == 1:
        return x
    return np.moveaxis(x.reshape(*x.shape[:-1], *shape), -3, -1).reshape(x.shape)


def channels_first(x: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """`(..., n)` in the engine's order to `(..., *shape)` in the Program's; a view."""
    if len(shape) != 3 or shape[0] == 1:
        return x.reshape(*x.shape[:-1], *shape)
    c, h, w = shape
    return np.moveaxis(x.reshape(*x.shape[:-1], h, w, c), -1, -3)


def lay_out(program: Program) -> Layout:
    nodes: list[Input | Group] = [*program.inputs, *program.groups]
    index = {node.name: i for i, node in enumerate(nodes)}
    order = tuple(channel_last(node.shape) for node in nodes)
    store = _Store(order, index)
    parts = [(k, part) for k, c in enumerate(program.connections) for part in spelled(c)]
    parts.sort(key=lambda part: index[part[1].target])
    for _, part in parts:
        store.add(part, program)
    connections = np.array(store.rows, np.int64).reshape(-1, col.CONNECTION_COLUMNS)
    rows, more = group_rows(program, connections, store.largest)
    n_inputs, sizes = len(program.inputs), [node.size for node in nodes]
    return Layout(
        program=program,
        groups=rows,
        connections=connections,
        origin=np.array([k for k, _ in parts], np.int64),
        bytes_=_aligned(store.bytes_),
        words=_joined(store.words, np.int16),
        pointers=_joined(store.pointers, np.int64),
        targets=_joined(store.targets, np.int32),
        delays=_joined(store.delays, np.int32),
        runs=np.concatenate([*store.runs, np.zeros((1, 3), np.int32)]),
        bias=_joined([_bias(g, order[n_inputs + i]) for i, g in enumerate(program.groups)], np.int32),
        node_offset=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        node_signed=np.array([*(i.kind == "graded" for i in program.inputs), *(g.signed for g in program.groups)]),
        buffer_size=store.sizes[0] + WIDTH,  # the last row of a convolution may be longer than its channels
        longs_size=store.sizes[1],
        more_size=more,
        order=order,
    )


def _bias(group: Group, order: Table | None) -> NDArray[np.int64]:
    bias = bias_of(group)
    return bias if order is None else bias[order]


def _joined(parts: list[NDArray[Any]], dtype: type[np.integer[Any]]) -> NDArray[Any]:
    """One array, never empty: compiled code takes slices of it."""
    return np.concatenate([*parts, np.zeros(1, dtype)]).astype(dtype)


def _aligned(parts: list[NDArray[np.int8]]) -> NDArray[np.int8]:
    """One array that starts at a cache line; as the parts are multiples of one, each does."""
    joined = aligned(sum(part.size for part in parts))
    return np.concatenate(parts, out=joined) if parts else joined


class _Store:
    """Collects the rows and the weights, connection by connection."""

    def __init__(self, order: tuple[Table | None, ...], index: dict[str, int]) -> None:
        self.order, self.index = order, index
        self.rows: list[list[int]] = []
        self.bytes_: list[NDArray[np.int8]] = []
        self.words: list[NDArray[np.int16]] = []
        self.pointers: list[Table] = []
        self.targets: list[NDArray[np.int32]] = []
        self.delays: list[NDArray[np.int32]] = []
        self.runs: list[NDArray[np.int32]] = []
        self.sizes = [0, 0]
        """Of the buffers of 32 bits, and of those of 64."""
        self.largest: list[int] = []
        """What each row can add to a target at most, by spikes without payload."""

    def add(self, connection: Dense | Conv | Listed, program: Program) -> None:
        source, target = self.index[connection.source], self.index[connection.target]
        shape, out = program.shape_of(connection.source), program.shape_of(connection.target)
        row = [0] * col.CONNECTION_COLUMNS
        row[col.SOURCE], row[col.TARGET], row[col.N_TARGET] = source, target, prod(out)
        longest = int(np.max(connection.delay, initial=0))
        self.largest.append(largest_sum(connection, row[col.N_TARGET]))
        row[col.GRADED], row[col.PORT] = int(connection.graded), int(connection.port == "im")
        row[col.LONG] = int(connection.graded or self.largest[-1] >= 1 << 31)
        row[col.SLOTS], row[col.BUFFER] = longest + 1, self.sizes[row[col.LONG]]
        row[col.SLOT] = -(-prod(out) // LANES) * LANES if isinstance(connection, Dense) else prod(out)
        self.sizes[row[col.LONG]] += row[col.SLOTS] * row[col.SLOT]
        row[col.DELAY] = longest
        if connection.graded and not isinstance(connection, Conv):
            row[col.WORD] = col.PRODUCT_WORD if wraps_products(connection) else col.SUM_WORD
        match connection:
            case Conv():
                weight = self._conv(row, connection, shape, out)
            case Dense():
                row[col.KIND] = col.DENSE
                rows = _permuted(connection.weight, self.order[target], self.order[source]).T
                weight = np.pad(rows, ((0, 0), (0, row[col.SLOT] - prod(out))))
            case Listed():
                weight = self._listed(row, connection, prod(shape))
        self._weights(row, weight, connection.weight_exp)
        if isinstance(connection, Conv):
            self._windows(row, connection, shape, out)
        self.rows.append(row)

    def _weights(self, row: list[int], weight: NDArray[Any], exp: int) -> None:
        """Halved into bytes where all are even and no word stands before the exponent; kept in words otherwise."""
        flat = np.ascontiguousarray(weight).reshape(-1)
        if row[col.WORD] == col.NO_WORD and flat.size and not np.bitwise_or.reduce(flat) & 1:
            flat, exp = flat >> 1, exp + 1
        small = not flat.size or (flat.min() >= -128 and flat.max() <= 127)
        row[col.EXP], row[col.WIDE] = exp, int(not small)
        store: list[Any] = self.bytes_ if small else self.words
        row[col.WEIGHT] = sum(part.size for part in store)
        store.append(_filled_up(flat.astype(np.int8 if small else np.int16)))

    def _listed(self, row: list[int], listed: Listed, n_source: int) -> NDArray[Any]:
        """Synapses sorted by source, then delay, then target."""
        row[col.KIND] = col.LISTED
        source, target = self.order[row[col.SOURCE]], self.order[row[col.TARGET]]
        of = listed.col if source is None else np.argsort(source)[listed.col]
        to = listed.row if target is None else np.argsort(target)[listed.row]
        by = np.lexsort((to, listed.delay, of))
        row[col.POINTER] = sum(part.size for part in self.pointers)
        first = sum(part.size for part in self.targets)
        self.pointers.append(first + np.searchsorted(of[by], np.arange(n_source + 1)))
        self.targets.append(to[by].astype(np.int32))
        self.delays.append(listed.delay[by].astype(np.int32))
        return listed.weight[by]

    def _conv(self, row: list[int], conv: Conv, shape: Shape, out: Shape) -> NDArray[Any]:
        """Weights by source channel, then kernel row, then phase and falling kernel column, then target channel."""
        c_out, c_in, k_h, k_w = conv.weight.shape
        row[col.KIND], row[col.C_IN], row[col.C_OUT_G], row[col.GROUPS] = (
            col.CONV,
            shape[0],
            c_out // conv.groups,
            conv.groups,
        )
        row[col.STRIDE] = k_h * k_w * row[col.C_OUT_G]
        row[col.POINTER] = sum(part.size for part in self.pointers)
        runs, counts = runs_of(conv, shape, out)
        self.pointers.append(sum(len(part) for part in self.runs) + np.concatenate([[0], np.cumsum(counts)]))
        self.runs.append(runs)
        weight = conv.weight.reshape(conv.groups, row[col.C_OUT_G], c_in, k_h, k_w)
        return weight.transpose(0, 2, 3, 4, 1)[:, :, :, columns_in_order(conv)]

    def _windows(self, row: list[int], conv: Conv, shape: Shape, out: Shape) -> None:
        """The weights once more for `windows.py`, by kernel row, kernel column and source channel, where it can be."""
        (row[col.H_IN], row[col.W_IN]), (row[col.H_OUT], row[col.W_OUT]) = shape[1:], out[1:]
        row[col.K_H], row[col.K_W] = conv.weight.shape[2:]
        (row[col.S_H], row[col.S_W]), (row[col.P_H], row[col.P_W]) = conv.stride, conv.padding
        row[col.D_H], row[col.GATHER] = conv.dilation[0], -1
        row[col.WRAPS] = int(self.largest[-1] >= fixed.WRAP_AT)
        row[col.ROW] = -(-out[0] // WIDTH) * WIDTH
        if conv.groups > 1 or conv.dilation[1] > 1 or row[col.WIDE] or row[col.LONG]:
            return
        halved = row[col.EXP] - conv.weight_exp
        rows = (conv.weight >> halved).transpose(2, 3, 1, 0).astype(np.int8)
        rows = rows.reshape(-1, out[0])
        rows = np.pad(rows, ((0, 1), (0, row[col.ROW] - out[0])))  # the last row is of zeros
        row[col.GATHER] = sum(part.size for part in self.bytes_)
        self.bytes_.append(_filled_up(rows.reshape(-1)))


def _filled_up(flat: NDArray[Any]) -> NDArray[Any]:
    """Zeros up to a whole number of cache lines of bytes."""
    return np.pad(flat, (0, -flat.size % LANES))


def _permuted(weight: NDArray[Any], rows: Table | None, columns: Table | None) -> NDArray[Any]:
    weight = weight if rows is None else weight[rows]
    return weight if columns is None else weight[:, columns]
