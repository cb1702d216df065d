"""Graph to Network: every neuron becomes a population, every synapse before it a projection."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from spikeport.deploy.graph import Graph
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Conv2d, Flatten, Input, Linear, Membrane, Output, Shape
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.fold_neurons import synapses_before
from spikeport.errors import DeployError, PassError


@dataclass(frozen=True)
class ToNetwork(AbstractPass[Graph, Network]):
    name: ClassVar[str] = "to_network"

    def requires(self, before: Graph, options: Options) -> None:
        for kind, what in ((Input, "Input"), (Output, "Output"), (Membrane, "neuron")):
            if not any(isinstance(node, kind) for node in before.nodes.values()):
                raise DeployError("graph", f"has no {what} node", do="export a whole network")
        for name, node in before.nodes.items():
            if isinstance(node, (Linear, Conv2d)):
                self._check_synapse(before, name)
            if isinstance(node, Output) and not isinstance(before.nodes[_origin(before, name)], Membrane):
                raise DeployError(
                    name,
                    "source",
                    got=_origin(before, name),
                    relation="is not a neuron",
                    do="end the network in neurons",
                )

    def run(self, before: Graph, options: Options) -> Network:
        shapes = before.shapes()
        populations, projections = [], []
        for name, node in before.nodes.items():
            if isinstance(node, Membrane):
                keep, threshold = float(node.keep.flat[0]), float(node.threshold.flat[0])
                populations.append(Population(name, self._shape(before, shapes, name), keep, threshold))
                for synapse in synapses_before(before, name):
                    weights = before.nodes[synapse]
                    assert isinstance(weights, (Linear, Conv2d))
                    projections.append(Projection(_origin(before, synapse), name, weights))
        inputs = tuple((name, node.shape) for name, node in before.nodes.items() if isinstance(node, Input))
        outputs = tuple(
            (name, _origin(before, name)) for name, node in before.nodes.items() if isinstance(node, Output)
        )
        return Network(tuple(populations), tuple(projections), inputs, outputs, before.sha256)

    def ensures(self, after: Network, options: Options) -> None:
        known = {p.name for p in after.populations} | {name for name, _ in after.inputs}
        for projection in after.projections:
            if projection.source not in known:
                raise PassError(self.name, "lost a source", got=projection.source)

    def _check_synapse(self, graph: Graph, name: str) -> None:
        if not graph.targets(name):
            raise DeployError(name, "feeds nothing", do="remove it")
        for target in graph.targets(name):
            end = _through_flatten(graph, target)
            if not isinstance(graph.nodes[end], Membrane):
                kind = type(graph.nodes[end]).__name__
                raise DeployError(
                    name,
                    "target",
                    got=f"{end}, {kind}",
                    relation="is not a neuron",
                    do="put a neuron after every synapse",
                )
        if len(graph.sources(name)) != 1:
            got = ", ".join(graph.sources(name))
            raise DeployError(
                name, "sources", got=got, relation="are not", limit="one", do="give each source its own weights"
            )
        if not isinstance(graph.nodes[_origin(graph, name)], (Membrane, Input)):
            raise DeployError(name, "source", got=_origin(graph, name), relation="is not a neuron or an input")

    def _shape(self, graph: Graph, shapes: dict[str, Shape], name: str) -> Shape:
        """A convolution's own shape where the neuron stands behind a Flatten: the order is the same."""
        for synapse in synapses_before(graph, name):
            if isinstance(graph.nodes[synapse], Conv2d) and prod(shapes[synapse]) == prod(shapes[name]):
                return shapes[synapse]
        return shapes[name]


def _origin(graph: Graph, name: str) -> str:
    """The node that feeds `name`, looking through Flatten (row-major, so order is kept)."""
    while True:
        sources = graph.sources(name)
        if len(sources) != 1:
            raise DeployError(name, "sources", got=", ".join(sources) or "none", relation="are not", limit="one")
        name = sources[0]
        if not isinstance(graph.nodes[name], Flatten):
            return name


def _through_flatten(graph: Graph, name: str) -> str:
    while isinstance(graph.nodes[name], Flatten) and (targets := graph.targets(name)):
        name = targets[0]
    return name
