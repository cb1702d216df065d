"""A `SpikingNetwork` as a NIR graph: synapse nodes between neurons, Flatten where a shape must be given up.

Delays are left to the compiler, which balances paths. A group's bias stands in the first synapse that can hold it:
one value per neuron in an Affine, one per channel in a Conv2d; a convolution's neurons with a bias each have it as
`v_leak`.
Sparse synapses become an Affine with zeros. Neurons that only dense synapses feed are written flat.
"""

from math import prod
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

from spikeport.errors import ExportError
from spikeport.export.units import V_UNIT, WEIGHT_UNIT, gain_of, lif_node
from spikeport.fixed import Ints
from spikeport.program import Shape
from spikeport.train.group import GroupIntegers, SpikingGroup
from spikeport.train.image_group import ImageGroup
from spikeport.train.network import AnyGroup, SpikingNetwork
from spikeport.train.synapses import AnySynapse, QuantConv2d, QuantLinear, QuantSparse

Floats = NDArray[np.float32]


def network_to_nir(network: SpikingNetwork, dt_s: float) -> nir.NIRGraph:
    """Raises ExportError for what NIR or its readers cannot say, with the group's name."""
    graph = _Graph(network, dt_s)
    for group in network.ordered():
        graph.add(group)
    for output in network.outputs:
        name = graph.free(output.name)
        graph.nodes[name] = nir.Output({"output": np.array(graph.shapes[output.source])})
        graph.edges.append((output.source, name))
    return nir.NIRGraph(graph.nodes, graph.edges, type_check=False, metadata={"spikeport": _notes(network, dt_s)})


class _Graph:
    """Nodes and edges so far, and the shape that each input and group is written in."""

    def __init__(self, network: SpikingNetwork, dt_s: float) -> None:
        self.dt_s = dt_s
        self.nodes: dict[str, nir.NIRNode] = {e.name: nir.Input({"input": np.array(e.shape)}) for e in network.inputs}
        self.edges: list[tuple[str, str]] = []
        self.shapes: dict[str, Shape] = {entry.name: entry.shape for entry in network.inputs}
        self.taken = {*self.nodes, *(group.name for group in network.ordered())}

    def free(self, name: str) -> str:
        """The name, or one like it that no node has."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def add(self, group: AnyGroup) -> None:
        ints, synapses = group.integers(), synapses_of(group)
        d = gain_of(ints.dv)
        flat = not all(isinstance(synapse, QuantConv2d) for synapse in synapses)
        self.shapes[group.name] = (prod(group.shape),) if flat else group.shape
        carrier, bias = carried_bias(group, ints)
        weight_unit, bias_unit = _units(group, ints)
        for k, (source, synapse) in enumerate(zip(group.sources, synapses, strict=True)):
            weight = ints.weights[k].cpu().numpy() * (weight_unit / d)
            own = bias * (bias_unit / d) if k == carrier else np.zeros(_bias_length(synapse))
            self._join(group, source, synapse, weight.astype(np.float32), own.astype(np.float32), flat)
        leak = bias if carrier is None else None
        self.nodes[group.name] = lif_node(ints.dv, ints.vth, self.shapes[group.name], self.dt_s, leak)

    def _join(
        self, group: AnyGroup, source: str, synapse: AnySynapse, weight: Floats, bias: Floats, flat: bool
    ) -> None:
        """Source -> [Flatten] -> synapse -> [Flatten] -> neurons."""
        if source == group.name and isinstance(group, SpikingGroup) and group.lag:
            do = "compile it without, or leave the group as it is"
            raise ExportError(group.name, "delay of its loop", got=group.lag, relation="is not", limit=0, do=do)
        name = self.free(f"{source}_to_{group.name}")
        found = self.shapes[source]
        if isinstance(synapse, QuantConv2d):
            if len(found) != 3:
                what, do = f"neurons of {source}", "NIR reads back no shape that a dense synapse lost"
                raise ExportError(group.name, what, got=found, relation="are not", limit="(c, h, w)", do=do)
            geometry = (synapse.stride, synapse.padding, synapse.dilation, synapse.groups)
            node: nir.NIRNode = nir.Conv2d(found[1:], weight, *geometry, bias)
            self._chain(source, name, node)
            if flat:
                name = self._flatten(name, group.shape)
        else:
            start = self._flatten(source, found) if len(found) > 1 else source
            self._chain(start, name, nir.Affine(_dense(synapse, weight), bias))
        self.edges.append((name, group.name))

    def _chain(self, source: str, name: str, node: nir.NIRNode) -> None:
        self.nodes[name] = node
        self.edges.append((source, name))

    def _flatten(self, name: str, shape: Shape) -> str:
        flat = self.free(f"{name}_flat")
        self._chain(name, flat, nir.Flatten({"input": np.array(shape)}, 0, -1))
        return flat


def synapses_of(group: AnyGroup) -> list[AnySynapse]:
    return [group.synapse] if isinstance(group, ImageGroup) else list(group.synapses)  # type: ignore[arg-type]


def carried_bias(group: AnyGroup, ints: GroupIntegers) -> tuple[int | None, Ints]:
    """Which synapse carries the bias, None if none can, and the bias in the form in which it is carried."""
    if isinstance(group, ImageGroup):
        return 0, ints.bias.cpu().numpy()
    bias: Ints = np.broadcast_to(ints.bias.cpu().numpy(), group.shape)
    rows = bias.reshape(len(bias), -1)
    for k, synapse in enumerate(synapses_of(group)):
        if not isinstance(synapse, QuantConv2d):
            return k, bias.reshape(-1)
        if np.array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape)):
            return k, rows[:, 0]
    return None, bias


def _units(group: AnyGroup, ints: GroupIntegers) -> tuple[float, float]:
    """What weight 1 and bias 1 are worth in the graph."""
    if not isinstance(group, ImageGroup):
        return WEIGHT_UNIT, V_UNIT
    sum_unit = WEIGHT_UNIT * 2.0 ** -(ints.encoder_shift or 0)
    return sum_unit / group.scale, sum_unit


def _bias_length(synapse: AnySynapse) -> int:
    return synapse.out_channels if isinstance(synapse, QuantConv2d) else synapse.out_features


def _dense(synapse: QuantLinear | QuantSparse, weight: Floats) -> Floats:
    if isinstance(synapse, QuantLinear):
        return weight
    matrix = np.zeros((synapse.out_features, synapse.in_features), np.float32)
    row, col = synapse.index.cpu().numpy()
    matrix[row, col] = weight
    return matrix


def _notes(network: SpikingNetwork, dt_s: float) -> dict[str, Any]:
    """What the compiler must know beside the graph."""
    notes: dict[str, Any] = {"dt_s": dt_s}
    images = [group for group in network.ordered() if isinstance(group, ImageGroup)]
    kinds = {(entry.kind, entry.low, entry.high) for entry in network.inputs}
    if len(kinds) > 1:
        got, do = ", ".join(entry.name for entry in network.inputs), "give them one kind and one range"
        raise ExportError("network", "inputs", got=got, relation="differ in kind or range", do=do)
    kind, low, high = kinds.pop()
    notes["input"] = kind
    if images:
        notes |= {"low": low, "high": high, "scale": images[0].scale}
    if network.steps:
        if network.steps & (network.steps - 1):
            steps, do = network.steps, "a Loihi 2 clears its state every 2^k steps"
            raise ExportError("network", "steps between resets", got=steps, relation="are not", limit="2^k", do=do)
        notes["steps"] = network.steps
    classes = {output.classes for output in network.outputs}
    if len(classes) > 1:
        do, what = "export one at a time", "classes of its outputs"
        raise ExportError("network", what, got=sorted(classes), relation="differ", do=do)
    if votes := classes.pop():
        notes["classes"] = votes
    return notes
