"""A scheduled network with the integers of each population: the last stage before a Program, and still comparable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from spikeport.deploy.maps.base import LinearMap
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.quantize.rounded import Rounded, as_float
from spikeport.program import Encoder

Part: TypeAlias = Literal["weights", "decays", "thresholds"]
ALL: tuple[Part, ...] = ("weights", "decays", "thresholds")


@dataclass(frozen=True, eq=False)
class Hosted:
    """A layer that the host computes and loads as bias."""

    encoder: Encoder
    map: LinearMap
    """The encoder's weights in the float network's units, and its offsets."""
    bias: Floats


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """Names are plain, as a Program takes them."""

    network: Network
    rounded: Mapping[str, Rounded]
    """By population. Where the host computes the layer, it has no weights."""
    hosted: Mapping[str, Hosted]

    def stage(self, parts: Sequence[Part]) -> Network:
        """The float network with these parameters as the integers have them; biases go with the thresholds."""
        populations, projections = [], []
        for p in self.network.populations:
            p, into = self.as_floats(p, parts)
            populations.append(p)
            projections += into
        return replace(self.network, populations=tuple(populations), projections=tuple(projections))

    def as_floats(self, p: Population, parts: Sequence[Part]) -> tuple[Population, list[Projection]]:
        """One population of that network, and the projections into it."""
        into, hosted = self.network.into(p.name), self.hosted.get(p.name)
        if hosted is None:
            return as_float(p, into, self.rounded[p.name], parts)
        if "weights" in parts:
            into = [replace(q, map=hosted.map) for q in into]
        bias = hosted.bias if "thresholds" in parts else p.bias
        return replace(as_float(p, [], self.rounded[p.name], parts)[0], bias=bias), into

    def hears(self, name: str) -> list[Projection]:
        """The projections into a population that are connections of the chip; their weights are its rounded ones."""
        return [] if name in self.hosted else self.network.into(name)
