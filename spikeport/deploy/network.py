"""The float network: neuron populations joined by projections, nothing between them.

Float time counts a sample's steps from 1; a population's `start` is the hardware step at which its own step 1 falls.
"""

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Literal, TypeAlias

import numpy as np

from spikeport.deploy.maps.base import LinearMap
from spikeport.deploy.nodes import Floats, Shape

Reset: TypeAlias = Literal["zero", "subtract"]
Reads: TypeAlias = Literal["s", "v"]


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one rule. With x what the projections bring in a step:

    u = keep_u u + x + drive;  v = keep_v v + u + bias;  s = [v > threshold]

    and where s, v becomes 0 (`zero`) or loses the threshold (`subtract`). u and v start at 0.
    """

    name: str
    shape: Shape
    keep_v: Floats
    """`shape`, in [0, 1]; so is `keep_u`."""
    threshold: Floats
    """`shape`; inf where v is read and no spike is sent."""
    keep_u: Floats
    bias: Floats
    """`shape`; enters v at every step."""
    drive: Floats
    """`shape`; enters u at every step. None of it is left after the pass `sources`, nor of `first`."""
    first: tuple[Floats, ...] = ()
    """`first[k]` enters u at step k + 1 besides."""
    reset: Reset = "zero"
    at_threshold: bool = False
    """Whether v = threshold fires as well."""
    several: bool = False
    """Whether it sends floor(v / threshold) spikes in a step and loses as many thresholds."""
    helper: bool = False
    """Whether the compiler has made it, and its numbers are not to be fitted to data."""
    start: int = 0
    """0: not scheduled yet."""

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def fires(self) -> bool:
        return bool(np.all(np.isfinite(self.threshold)))


@dataclass(frozen=True, eq=False)
class Projection:
    """Spikes of `source`, or an input's values, through a linear map into u of `target`."""

    source: str
    target: str
    map: LinearMap
    lag: int = 0
    """Steps of float time that it takes: 1 along a feedback edge, more through a Delay."""
    delay: int = 0
    """Steps of hardware time beyond the one that every connection takes; follows from `lag` and the starts."""


@dataclass(frozen=True)
class Readout:
    """What is handed out under a name: spikes, or v of neurons that do not fire."""

    name: str
    source: str
    reads: Reads = "s"
    lag: int = 0
    """Steps of float time by which it is handed out late."""


@dataclass(frozen=True, eq=False)
class Network:
    """Populations in data-flow order; inputs and outputs by name."""

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    inputs: tuple[tuple[str, Shape], ...]
    outputs: tuple[Readout, ...]
    sha256: str = ""
    remarks: tuple[str, ...] = field(default=())
    """What a pass decided that changes spikes or costs neurons, a line each."""

    @cached_property
    def _into(self) -> dict[str, list[Projection]]:
        found: dict[str, list[Projection]] = {p.name: [] for p in self.populations}
        for q in self.projections:
            found[q.target].append(q)
        return found

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    def into(self, name: str) -> list[Projection]:
        return list(self._into[name])

    def population(self, name: str) -> Population:
        return self._by_name[name]

    def shape_of(self, name: str) -> Shape:
        """Of an input or a population."""
        return next((shape for known, shape in self.inputs if known == name), None) or self.population(name).shape
