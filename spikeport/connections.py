"""Connections between groups: dense, sparse and convolutions; each takes one step plus its delay. Integers only."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.checks import (
    check_array,
    check_array_range,
    check_choice,
    check_delay,
    check_flag,
    check_ndim,
    check_range,
    check_weight,
    freeze,
)
from spikeport.errors import ProgramShape, ProgramType, ProgramWiring
from spikeport.neurons import Port

IntArray: TypeAlias = NDArray[np.integer]
Shape: TypeAlias = tuple[int, ...]
PORTS: tuple[Port, ...] = ("a", "re", "im")


@dataclass(frozen=True, eq=False)
class Dense:
    """Every source neuron to every target neuron.

    A spike at t adds `weight[i, j] << weight_exp` to what target i receives at t + 1 + delay;
    a graded one `weight[i, j] * payload << weight_exp`.
    A negative `weight_exp` shifts the sum over all spikes of one delay, not the single weight
    (lava-nc 0.10.0, `PyDenseModelBitAcc` and `PyDelayDenseModelBitAcc`).
    """

    source: str
    target: str
    weight: IntArray
    """`(n_target, n_source)` mantissas: [-256, 254] and even if signs mix, else `|w| <= 255`."""
    weight_exp: int = 0
    delay: int | IntArray = 0
    """Steps in [0, 62] beyond the one that every connection takes; one for all, or one per weight."""
    graded: bool = False
    """Whether a spike's payload counts (Lava: `num_message_bits` > 0); if not, any but 0 counts once."""
    port: Port = "a"
    """Where it enters the target: `a`, or `re` and `im` of a `Resonator`."""

    def __post_init__(self) -> None:
        where = f"{self.source} -> {self.target}"
        check_ndim(where, self.weight, 2)
        check_weight(where, self.weight)
        check_range(where, "weight_exp", self.weight_exp, fixed.WEIGHT_EXP_MIN, fixed.WEIGHT_EXP_MAX)
        check_delay(where, self.delay, self.weight.shape)
        _check_entry(self)
        freeze(self, "weight", np.int16)
        if not isinstance(self.delay, int):
            freeze(self, "delay", np.int8)


@dataclass(frozen=True, eq=False)
class Sparse:
    """Listed synapses only: `weight[k]` from `col[k]` to `row[k]`. Otherwise as `Dense`."""

    source: str
    target: str
    row: IntArray
    """`(n_synapses,)` target neuron of each synapse."""
    col: IntArray
    """`(n_synapses,)` source neuron of each synapse."""
    weight: IntArray
    """`(n_synapses,)` mantissas, ranges as in `Dense`."""
    weight_exp: int = 0
    delay: int | IntArray = 0
    graded: bool = False
    port: Port = "a"

    def __post_init__(self) -> None:
        where = f"{self.source} -> {self.target}"
        check_ndim(where, self.weight, 1)
        check_weight(where, self.weight)
        for name in ("row", "col"):
            check_array(where, name, getattr(self, name), self.weight.shape)
            check_array_range(where, name, getattr(self, name), 0, 2**31 - 1)
        pairs = np.sort(self.row.astype(np.int64) << 32 | self.col.astype(np.int64))
        if np.any(pairs[1:] == pairs[:-1]):
            raise ProgramWiring(where, "synapse listed twice", do="add the weights of equal (row, col) pairs")
        check_range(where, "weight_exp", self.weight_exp, fixed.WEIGHT_EXP_MIN, fixed.WEIGHT_EXP_MAX)
        check_delay(where, self.delay, self.weight.shape)
        _check_entry(self)
        freeze(self, "weight", np.int16)
        freeze(self, "row", np.int32)
        freeze(self, "col", np.int32)
        if not isinstance(self.delay, int):
            freeze(self, "delay", np.int8)


@dataclass(frozen=True, eq=False)
class Conv:
    """A two-dimensional cross-correlation, as torch's conv2d, over `(channels, height, width)`.

    Lava's `Conv` ignores a weight exponent, so a negative one is not allowed here.
    """

    source: str
    target: str
    weight: IntArray
    """`(c_out, c_in / groups, k_h, k_w)` mantissas, ranges as in `Dense`."""
    weight_exp: int = 0
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    delay: int = 0
    graded: bool = False
    port: Port = "a"

    def __post_init__(self) -> None:
        where = f"{self.source} -> {self.target}"
        check_ndim(where, self.weight, 4)
        check_weight(where, self.weight)
        check_range(where, "weight_exp", self.weight_exp, 0, fixed.WEIGHT_EXP_MAX)
        for name, low in (("stride", 1), ("padding", 0), ("dilation", 1)):
            pair = getattr(self, name)
            if not (isinstance(pair, tuple) and len(pair) == 2):
                raise ProgramType(where, name, got=pair, relation="is not", limit="a pair of integers")
            for value in pair:
                check_range(where, name, value, low, 2**15 - 1)
        check_range(where, "groups", self.groups, 1, self.weight.shape[0])
        if self.weight.shape[0] % self.groups:
            raise ProgramShape(
                where,
                "output channels",
                got=self.weight.shape[0],
                relation="do not divide by groups",
                limit=self.groups,
            )
        check_delay(where, self.delay, ())
        _check_entry(self)
        freeze(self, "weight", np.int16)

    def output_shape(self, source: Shape) -> Shape:
        """`(c_in, h, w)` -> `(c_out, h', w')`; raises ProgramError if the kernel does not fit."""
        where = f"{self.source} -> {self.target}"
        c_out, c_in, *kernel = self.weight.shape
        if len(source) != 3 or source[0] != c_in * self.groups:
            raise ProgramShape(
                where, "source shape", got=source, relation="is not", limit=f"({c_in * self.groups}, h, w)"
            )
        size = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip(source[1:], self.padding, self.dilation, kernel, self.stride, strict=True)
        ]
        if min(size) < 1:
            raise ProgramShape(where, "kernel", got=kernel, relation="exceeds the padded source", limit=source)
        return (c_out, *size)


Connection: TypeAlias = Dense | Sparse | Conv


def _check_entry(connection: Connection) -> None:
    where = f"{connection.source} -> {connection.target}"
    check_flag(where, "graded", connection.graded)
    check_choice(where, "port", connection.port, PORTS)
