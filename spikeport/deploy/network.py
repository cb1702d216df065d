"""The float network: neuron populations joined by projections, nothing between them."""

from dataclasses import dataclass
from typing import TypeAlias

from spikeport.deploy.nodes import Conv2d, Linear, Shape

Synapse: TypeAlias = Linear | Conv2d


@dataclass(frozen=True)
class Population:
    """v = keep * v + x; s = [v > threshold]; v = 0 where s."""

    name: str
    shape: Shape
    keep: float
    threshold: float
    start: int = 0
    """Hardware step at which the first input of a sample arrives; 0: not scheduled yet."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Spikes of `source`, or an input's values, times the weights; the bias acts at every step."""

    source: str
    target: str
    synapse: Synapse
    delay: int = 0


@dataclass(frozen=True, eq=False)
class Network:
    """Populations in data-flow order; inputs and outputs by name."""

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    inputs: tuple[tuple[str, Shape], ...]
    outputs: tuple[tuple[str, str], ...]
    """(name, population) pairs."""
    sha256: str = ""

    def into(self, name: str) -> list[Projection]:
        return [p for p in self.projections if p.target == name]
