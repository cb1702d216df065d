"""Layers that are known by their shapes alone, and what a counting convention needs to know of each."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import ClassVar

from spikeport.errors import InputError
from spikeport.sim.energy.facts import Fed, Kind, LayerFacts

Pair = tuple[int, int]
"""Height, width."""
Image = tuple[int, int, int]
"""Channels, height, width."""


@dataclass(frozen=True, kw_only=True)
class Layer(ABC):
    """Raises InputError where sizes do not fit."""

    name: str

    @abstractmethod
    def facts(self, steps: int, passes: int) -> LayerFacts:
        """Of one inference.

        Args:
            steps: Time steps.
            passes: Evaluations of a layer that is fed by analog numbers.
        """

    def _refuse(self, what: str, got: object, relation: str, limit: object = None) -> InputError:
        return InputError(f"layer {self.name}", what, got=got, relation=relation, limit=limit)


@dataclass(frozen=True, kw_only=True)
class Synapses(Layer):
    """A layer with weights. `fed` says what its input is: analog, spikes, or graded (payloads, means of spikes)."""

    kind: ClassVar[Kind]
    fed: Fed
    bias: bool = False
    rate: Fraction | None = None
    """Share of input elements that are not 0, mean over the steps; None is unknown."""
    sops: Fraction | None = None
    """Measured events x synapses behind each in one inference; None is unknown."""

    def __post_init__(self) -> None:
        if self.fed == "analog" and (self.rate, self.sops) != (None, None):
            got = self.sops if self.rate is None else self.rate
            raise self._refuse("rate or sops", got, "is given to a layer that is fed by analog numbers")
        if min(self.output) < 1:
            raise self._refuse("output", self.output, "is empty")

    @property
    @abstractmethod
    def output(self) -> tuple[int, ...]:
        """Shape."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Elements."""

    @property
    @abstractmethod
    def macs_dense(self) -> int:
        """Of one pass, padding included."""

    @property
    def macs_valid(self) -> int:
        """Of one pass, without those on padding."""
        return self.macs_dense

    @property
    def macs_by_output(self) -> int:
        """Of one pass, if each output took in a whole kernel."""
        return self.macs_dense

    def facts(self, steps: int, passes: int) -> LayerFacts:
        analog = self.fed == "analog"
        return LayerFacts(
            name=self.name,
            kind=self.kind,
            fed=self.fed,
            passes=Fraction(passes if analog else steps),
            slots=0 if analog else self.inputs,
            outputs=prod(self.output),
            bias=self.bias,
            macs_dense=self.macs_dense,
            macs_valid=self.macs_valid,
            macs_by_output=self.macs_by_output,
            rate=self.rate,
            sops=self.sops,
        )


@dataclass(frozen=True, kw_only=True)
class Linear(Synapses):
    kind: ClassVar[Kind] = "linear"
    in_features: int
    out_features: int

    @property
    def output(self) -> tuple[int, ...]:
        return (self.out_features,)

    @property
    def inputs(self) -> int:
        return self.in_features

    @property
    def macs_dense(self) -> int:
        return self.in_features * self.out_features


@dataclass(frozen=True, kw_only=True)
class _Convolution(Synapses):
    kind: ClassVar[Kind] = "conv"
    shape: Image = field(metadata={"key": "in"})
    out_channels: int
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        for what, channels in (("input channels", self.shape[0]), ("out_channels", self.out_channels)):
            if channels % self.groups:
                raise self._refuse(what, channels, "is not a multiple of groups", self.groups)
        super().__post_init__()

    @property
    def inputs(self) -> int:
        return prod(self.shape)

    @property
    def output(self) -> Image:
        return (self.out_channels, self._length(0), self._length(1))

    @property
    def _weights(self) -> int:
        return prod(self.kernel) * self._channels

    @property
    def _channels(self) -> int:
        """Pairs of an input and an output channel that are joined."""
        return self.shape[0] // self.groups * self.out_channels

    def _taps(self, axis: int, steps: int, places: int) -> int:
        """Taps of a kernel that walks `steps` strides and fall on one of the places, summed over the walk."""
        stride, padding, dilation = self.stride[axis], self.padding[axis], self.dilation[axis]
        count = 0
        for tap in range(self.kernel[axis]):
            first = padding - tap * dilation  # the tap falls on place o * stride - first
            low, high = max(0, -(-first // stride)), min(steps, -(-(places + first) // stride))
            count += max(0, high - low)
        return count

    @abstractmethod
    def _length(self, axis: int) -> int:
        """Places of the output."""


@dataclass(frozen=True, kw_only=True)
class Conv(_Convolution):
    """The kernel walks over the outputs."""

    @property
    def macs_dense(self) -> int:
        return prod(self.output[1:]) * self._weights

    @property
    def macs_valid(self) -> int:
        return prod(self._taps(axis, self.output[1 + axis], self.shape[1 + axis]) for axis in (0, 1)) * self._channels

    def _length(self, axis: int) -> int:
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        return (self.shape[1 + axis] + 2 * self.padding[axis] - reach - 1) // self.stride[axis] + 1


@dataclass(frozen=True, kw_only=True)
class ConvTranspose(_Convolution):
    """The kernel walks over the inputs."""

    output_padding: Pair = (0, 0)

    @property
    def macs_dense(self) -> int:
        return prod(self.shape[1:]) * self._weights

    @property
    def macs_valid(self) -> int:
        return prod(self._taps(axis, self.shape[1 + axis], self.output[1 + axis]) for axis in (0, 1)) * self._channels

    @property
    def macs_by_output(self) -> int:
        return prod(self.output[1:]) * self._weights

    def _length(self, axis: int) -> int:
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        walk = (self.shape[1 + axis] - 1) * self.stride[axis]
        return walk + reach + 1 + self.output_padding[axis] - 2 * self.padding[axis]


@dataclass(frozen=True, kw_only=True)
class Pool(Layer):
    """Known by what it takes in."""

    shape: tuple[int, ...] = field(metadata={"key": "in"})
    fed: Fed
    rate: Fraction | None = None

    def facts(self, steps: int, passes: int) -> LayerFacts:
        return LayerFacts(name=self.name, kind="pool", fed=self.fed, rate=self.rate, elements=prod(self.shape))


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Layer):
    """One that is computed; one that is folded into weights is left out."""

    shape: tuple[int, ...]

    def facts(self, steps: int, passes: int) -> LayerFacts:
        return LayerFacts(name=self.name, kind="batch_norm", fed="analog", elements=prod(self.shape))


@dataclass(frozen=True, kw_only=True)
class Neurons(Layer):
    shape: tuple[int, ...]

    def facts(self, steps: int, passes: int) -> LayerFacts:
        return LayerFacts(name=self.name, kind="neurons", fed="analog", elements=prod(self.shape))
