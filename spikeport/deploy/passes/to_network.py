"""Graph to Network: every neuron becomes a population, every path between two of them a projection."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import ClassVar

import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.maps.base import Conv, Identity, LinearMap, Sparse
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Network, Population, Projection, Readout
from spikeport.deploy.nodes import Floats, Input, Membrane, Output, Shape
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.constants import ByLag, constants_into
from spikeport.deploy.passes.names import free
from spikeport.deploy.passes.paths import Path, paths_into
from spikeport.errors import GraphBroken, PassError


@dataclass(frozen=True)
class ToNetwork(AbstractPass[Graph, Network]):
    name: ClassVar[str] = "to_network"

    def requires(self, before: Graph, options: Options) -> None:
        if not any(isinstance(node, Membrane) for node in before.nodes.values()):
            raise GraphBroken("graph", "has no neuron node", do="export a whole network")

    def run(self, before: Graph, options: Options) -> Network:
        shapes = before.shapes()
        paths = paths_into(before, shapes, options.dt_s)
        at_start = options.convention.feedback_bias_at_start
        constants = constants_into(before, shapes, options.dt_s, at_start)
        populations, projections = [], []
        outputs: list[Readout] = []
        for name, node in before.nodes.items():
            target = name
            if isinstance(node, Output):
                direct = _direct(before, name, paths[name], constants[name])
                if direct is not None:
                    outputs.append(direct)
                    continue
                target, node = free(f"{name}.v", before.nodes), _readout(shapes[name])
                outputs.append(Readout(name, target, "v"))
            if isinstance(node, Membrane):
                populations.append(_population(target, shapes[name], node, constants[name]))
                projections += [_projection(before, target, p) for p in paths[name]]
        inputs = tuple((name, node.shape) for name, node in before.nodes.items() if isinstance(node, Input))
        network = Network(tuple(populations), tuple(projections), inputs, tuple(outputs), before.sha256, before.remarks)
        return _in_shape(network)

    def ensures(self, after: Network, options: Options) -> None:
        sizes = {name: prod(shape) for name, shape in after.inputs} | {p.name: p.size for p in after.populations}
        for p in after.projections:
            if p.map.shape != (sizes[p.target], sizes[p.source]):
                raise PassError(self.name, "map of the wrong shape", got=f"{p.source} -> {p.target}")


def _direct(graph: Graph, name: str, paths: list[Path], constants: ByLag) -> Readout | None:
    """The readout of an Output behind neurons; None where weights stand between, and sums have to be read."""
    if len(paths) != 1 or not isinstance(paths[0].map, Identity) or constants:
        return None
    node = graph.nodes[paths[0].source]
    if not isinstance(node, Membrane):
        raise GraphBroken(
            name, "source", got=paths[0].source, relation="is not a neuron", do="end the network in neurons"
        )
    return Readout(name, paths[0].source, "s" if node.fires else "v", paths[0].lag)


def _readout(shape: Shape) -> Membrane:
    """A neuron that forgets at each step and never fires: v is what arrives."""
    zero = np.zeros(shape)
    return Membrane(zero, np.full(shape, np.inf), keep_u=zero, bias=zero, drive=zero, start=zero)


def _population(name: str, shape: Shape, node: Membrane, constants: ByLag) -> Population:
    drive = node.drive + sum((x.reshape(shape) for x in constants.values()), start=np.zeros(shape))
    return Population(
        name=name,
        shape=shape,
        keep_v=node.keep_v,
        threshold=node.threshold,
        keep_u=node.keep_u,
        bias=node.bias,
        drive=drive,
        first=_first(shape, node, constants),
        reset=node.reset,
        at_threshold=node.at_threshold,
        several=node.several,
    )


def _first(shape: Shape, node: Membrane, constants: ByLag) -> tuple[Floats, ...]:
    """Corrections of a sample's first steps: constants that are not there yet, and where v starts."""
    found = [np.zeros(shape) for _ in range(max([2 * bool(np.any(node.start)), *constants]))]
    for lag, values in constants.items():
        for k in range(lag):
            found[k] = found[k] - values.reshape(shape)
    if np.any(node.start):
        pushed = node.keep_v * node.start
        found[0] = found[0] + pushed
        found[1] = found[1] - node.keep_u * pushed  # the current keeps a part of the push, which is taken back
    while found and not np.any(found[-1]):
        found.pop()
    return tuple(found)


def _projection(graph: Graph, target: str, path: Path) -> Projection:
    source = graph.nodes[path.source]
    if isinstance(source, Membrane) and not source.fires:
        do = "let only an Output follow neurons that do not fire"
        raise GraphBroken(target, "source", got=path.source, relation="sends no spikes", do=do)
    return Projection(path.source, target, path.map, path.lag)


def _in_shape(network: Network) -> Network:
    """Populations in the shape of the convolutions into them, or else of those out of them; a convolution that does not
    fit becomes its synapses.

    Row-major order is the same in either shape. What is handed out keeps the shape that the graph gives it.
    """
    handed_out = {o.source for o in network.outputs}
    shapes: dict[str, Shape] = dict(network.inputs)
    for p in network.populations:
        maps = [q.map for q in network.into(p.name)]
        heard = [q.map for q in network.projections if q.source == p.name]
        shapes[p.name] = p.shape if p.name in handed_out else _common(maps, heard, p.shape)
    populations = tuple(_reshaped(p, shapes[p.name]) for p in network.populations)
    projections = tuple(
        replace(p, map=_fitting(p.map, shapes[p.source], shapes[p.target])) for p in network.projections
    )
    return replace(network, populations=populations, projections=projections)


def _common(into: Iterable[LinearMap], out: Iterable[LinearMap], shape: Shape) -> Shape:
    ends = [m.target for m in into if isinstance(m, Conv)] + [m.source for m in out if isinstance(m, Conv)]
    return next(iter(ends), shape)


def _reshaped(p: Population, shape: Shape) -> Population:
    if shape == p.shape:
        return p
    arrays = {n: getattr(p, n).reshape(shape) for n in ("keep_v", "threshold", "keep_u", "bias", "drive")}
    return replace(p, shape=shape, first=tuple(x.reshape(shape) for x in p.first), **arrays)


def _fitting(m: LinearMap, source: Shape, target: Shape) -> LinearMap:
    if isinstance(m, Conv) and (m.source != source or m.target != target):
        return Sparse(matrix(m))
    return m
