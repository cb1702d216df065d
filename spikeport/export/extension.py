"""Two kinds of nodes that NIR does not have, written as NIR writes its own; spikeport's reader takes them.

A file that holds one is read by no other framework.
"""

from dataclasses import dataclass

import nir
import numpy as np
from numpy.typing import NDArray

Pair = tuple[int, int]


@dataclass(eq=False)
class ConvTranspose2d(nir.NIRNode):  # type: ignore[misc]
    """torch's ConvTranspose2d (2.4), field for field."""

    weight: NDArray[np.float32]
    """`(c_in, c_out / groups, k_h, k_w)`."""
    bias: NDArray[np.float32]
    """`(c_out,)`."""
    stride: Pair
    padding: Pair
    output_padding: Pair
    dilation: Pair
    groups: int

    def __post_init__(self) -> None:
        self.input_type, self.output_type = {"input": None}, {"output": None}


@dataclass(eq=False)
class Unflatten(nir.NIRNode):  # type: ignore[misc]
    """The same values in the shape `(c, h, w)`, row-major."""

    shape: NDArray[np.int64]

    def __post_init__(self) -> None:
        self.input_type, self.output_type = {"input": None}, {"output": None}
