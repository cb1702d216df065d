"""The nodes of a NIR graph as typed, checked data; float64, parameters of neurons one per neuron.

Equations and names are those of NIR 1.0.8 (`nir/ir`), but for ConvTranspose2d and Unflatten, which are spikeport's own.
Shapes are those of one sample at one step, without batch.
How a framework steps the differential equations is not said here: `convention.py`.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Input:
    shape: Shape


@dataclass(frozen=True, eq=False)
class Output:
    pass


@dataclass(frozen=True, eq=False)
class Flatten:
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Linear:
    """y = W x + b; `weight (n_out, n_in)`, `bias (n_out,)`. NIR's Linear and Affine."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Conv1d:
    """torch's cross-correlation; `weight (c_out, c_in / groups, k)`, `bias (c_out,)`. Padding is a number here."""

    weight: Floats
    bias: Floats
    stride: int
    padding: int
    dilation: int
    groups: int


@dataclass(frozen=True, eq=False)
class Conv2d:
    """torch's cross-correlation; `weight (c_out, c_in / groups, k_h, k_w)`, `bias (c_out,)`."""

    weight: Floats
    bias: Floats
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int


@dataclass(frozen=True, eq=False)
class ConvTranspose2d:
    """torch's ConvTranspose2d (2.4); `weight (c_in, c_out / groups, k_h, k_w)`, `bias (c_out,)`. NIR has none."""

    weight: Floats
    bias: Floats
    stride: Pair
    padding: Pair
    output_padding: Pair
    dilation: Pair
    groups: int


@dataclass(frozen=True, eq=False)
class Unflatten:
    """The same values in another shape, row-major. NIR has none."""

    shape: Shape


@dataclass(frozen=True, eq=False)
class Scale:
    """y = scale * x, value by value."""

    scale: Floats


@dataclass(frozen=True, eq=False)
class SumPool2d:
    """Sums of windows of `(c, h, w)`, zeros around the border; windows that do not fit are left out."""

    kernel: Pair
    stride: Pair
    padding: Pair


@dataclass(frozen=True, eq=False)
class AvgPool2d:
    """As `SumPool2d`, over the number of places in a window, those of the border included."""

    kernel: Pair
    stride: Pair
    padding: Pair


@dataclass(frozen=True, eq=False)
class Delay:
    """y(t) = x(t - delay); seconds as every framework writes them."""

    delay: Floats


@dataclass(frozen=True, eq=False)
class Threshold:
    """1 where x > threshold, else 0; no state."""

    threshold: Floats


@dataclass(frozen=True, eq=False)
class I:  # noqa: E742  the node's name in NIR
    """dv/dt = r x; gives v."""

    r: Floats


@dataclass(frozen=True, eq=False)
class IF:
    """dv/dt = r x; spike at v > v_threshold, then v = v_reset."""

    r: Floats
    v_threshold: Floats
    v_reset: Floats


@dataclass(frozen=True, eq=False)
class LI:
    """tau dv/dt = (v_leak - v) + r x; gives v."""

    tau: Floats
    r: Floats
    v_leak: Floats


@dataclass(frozen=True, eq=False)
class LIF:
    """tau dv/dt = (v_leak - v) + r x; spike at v > v_threshold, then v = v_reset."""

    tau: Floats
    r: Floats
    v_leak: Floats
    v_threshold: Floats
    v_reset: Floats


@dataclass(frozen=True, eq=False)
class CubaLI:
    """tau_syn di/dt = -i + w_in x;  tau_mem dv/dt = (v_leak - v) + r i; gives v."""

    tau_syn: Floats
    tau_mem: Floats
    r: Floats
    v_leak: Floats
    w_in: Floats


@dataclass(frozen=True, eq=False)
class CubaLIF:
    """`CubaLI` with spikes at v > v_threshold, then v = v_reset; i is not reset."""

    tau_syn: Floats
    tau_mem: Floats
    r: Floats
    v_leak: Floats
    v_threshold: Floats
    v_reset: Floats
    w_in: Floats


@dataclass(frozen=True, eq=False)
class Membrane:
    """What the passes make of every neuron; no file has it, and no convention changes it.

    u = keep_u u + x + drive;  v = keep_v v + u + bias;  gives s = [v > threshold], or v itself where threshold is inf.
    Where s, v becomes 0 or loses the threshold. v is `start` at first, u is 0.
    """

    keep_v: Floats
    threshold: Floats
    keep_u: Floats
    bias: Floats
    drive: Floats
    start: Floats
    reset: Literal["zero", "subtract"] = "zero"
    at_threshold: bool = False
    """Whether v = threshold fires as well."""
    several: bool = False
    """Whether it sends floor(v / threshold) spikes in a step and loses as many thresholds."""

    @property
    def fires(self) -> bool:
        return bool(np.all(np.isfinite(self.threshold)))


FileNeuron: TypeAlias = IF | LIF | CubaLIF | I | LI | CubaLI
Neuron: TypeAlias = FileNeuron | Membrane
LinearNode: TypeAlias = Flatten | Unflatten | Linear | Conv1d | Conv2d | ConvTranspose2d | Scale | SumPool2d | AvgPool2d
"""No state, and linear but for a bias."""
Node: TypeAlias = Input | Output | LinearNode | Delay | Threshold | Neuron


def shape_of_neurons(node: Neuron) -> Shape:
    """The shape that all parameters of a neuron node share."""
    match node:
        case I() | IF():
            return node.r.shape
        case LI() | LIF():
            return node.tau.shape
        case CubaLI() | CubaLIF():
            return node.tau_mem.shape
        case Membrane():
            return node.keep_v.shape
