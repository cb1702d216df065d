"""The kinds of linear maps; each can become a connection of a Program.

A map takes the `n` values of its source, row-major, to the `m` of its target. A kind is chosen for its cost: a `Conv`
stores its kernel once, a `Sparse` every synapse.
"""

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from scipy.sparse import csr_array

from spikeport.deploy.nodes import Floats, Pair

Image: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class Identity:
    """Each value to the target of the same place."""

    size: int

    @property
    def shape(self) -> Pair:
        return (self.size, self.size)


@dataclass(frozen=True, eq=False)
class Dense:
    """Every source to every target."""

    weight: Floats
    """`(m, n)`."""

    @property
    def shape(self) -> Pair:
        return (self.weight.shape[0], self.weight.shape[1])


@dataclass(frozen=True, eq=False)
class Conv:
    """torch's cross-correlation from `(c_in, h, w)` to `(c_out, h', w')`; no bias."""

    weight: Floats
    """`(c_out, c_in / groups, k_h, k_w)`."""
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    source: Image
    target: Image

    @property
    def shape(self) -> Pair:
        return (prod(self.target), prod(self.source))


@dataclass(frozen=True, eq=False)
class Sparse:
    """Listed synapses; float64, each (row, column) once, no explicit zeros."""

    matrix: csr_array
    """`(m, n)`."""

    @property
    def shape(self) -> Pair:
        return (self.matrix.shape[0], self.matrix.shape[1])


LinearMap: TypeAlias = Identity | Dense | Conv | Sparse
"""`shape` is `(m, n)`, as of a matrix."""
