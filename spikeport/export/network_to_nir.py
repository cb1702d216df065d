"""A `SpikingNetwork` as a NIR graph: synapse nodes between neurons, Flatten where a shape must be given up.

Delays are left to the compiler, which balances paths. A group's bias stands in the first synapse that can hold it:
one value per neuron in an Affine, one per channel in a Conv2d; a convolution's neurons with a bias each have it as
`v_leak`, and so have neurons with a current.
Neurons whose v is read are LI or CubaLI. NIR knows no soft reset: a note in the metadata says it, for spikeport alone.
Sparse synapses become an Affine with zeros, or a Scale where each neuron has one. Neurons that only dense synapses
feed are written flat.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.errors import MixedResets, NetworkUnwritten
from spikeport.export.units import V_UNIT, WEIGHT_UNIT, current_node, gain_of, lif_node, without_spikes
from spikeport.fixed import Ints
from spikeport.program import Shape
from spikeport.train.group import GroupIntegers, SpikingGroup
from spikeport.train.image_group import ImageGroup
from spikeport.train.network import CLOCK, AnyGroup, SpikingNetwork
from spikeport.train.synapses import AnySynapse, QuantConv2d, QuantSparse

Floats = NDArray[np.float32]
MATRIX_MOST = 1 << 26
"""Weights of a matrix; no reader of files takes more (`deploy/reader/guard.py`)."""


def network_to_nir(network: SpikingNetwork, dt_s: float) -> nir.NIRGraph:
    """Raises ExportError for what NIR or its readers cannot say, with the group's name."""
    ends = {output.source for output in network.outputs}
    heard = {source for group in network.ordered() for source in group.sources if source != group.name}
    for group in network.ordered():
        if group.name not in heard | ends:
            raise NetworkUnwritten(group.name, "feeds nothing", do="leave it out, or read it at an output")
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
        self.shapes |= _written(network.ordered())
        self.parts = network.parts
        self.groups = [group for group in network.ordered() if isinstance(group, SpikingGroup)]
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
        flat = self.shapes[group.name] != group.shape
        carrier, bias, leak = carried_bias(group, ints)
        weight_unit, bias_unit = _units(group, ints)
        for k, synapse in synapses.items():
            weight = ints.weights[k].cpu().numpy() * (weight_unit / d)
            own = bias * (bias_unit / d) if k == carrier else np.zeros(_bias_length(synapse))
            self._join(group, k, synapse, weight.astype(np.float32), own.astype(np.float32), flat)
        node: nir.NIRNode = lif_node(ints.dv, ints.vth, self.shapes[group.name], self.dt_s, leak)
        if isinstance(group, SpikingGroup):
            node = current_node(node, ints.du, self.dt_s) if group.current else node
            node = node if group.fires else without_spikes(node)
        self.nodes[group.name] = node

    def _join(self, group: AnyGroup, k: int, synapse: AnySynapse, weight: Floats, bias: Floats, flat: bool) -> None:
        """Source -> [Flatten] -> synapse -> [Flatten] -> [Delay] -> neurons."""
        source = group.sources[k]
        name = self.free(f"{source}_to_{group.name}")
        found = self.shapes[source]
        if isinstance(synapse, QuantConv2d):
            if len(found) != 3:
                what, do = f"neurons of {source}", "NIR reads back no shape that a dense synapse lost"
                raise NetworkUnwritten(group.name, what, got=found, relation="are not", limit="(c, h, w)", do=do)
            geometry = (synapse.stride, synapse.padding, synapse.dilation, synapse.groups)
            node: nir.NIRNode = nir.Conv2d(found[1:], weight, *geometry, bias)
            self._chain(source, name, node)
            if flat:
                name = self._flatten(name, group.shape)
        elif _is_scale(synapse):
            same = len(found) == len(self.shapes[group.name])
            start = source if same else self._flatten(source, found)
            self._chain(start, name, nir.Scale(weight.reshape(self.shapes[group.name])))
        else:
            start = self._flatten(source, found) if len(found) > 1 else source
            if (size := synapse.in_features * synapse.out_features) > MATRIX_MOST:
                do = "NIR lists no synapses: keep the Program's file, or the graph that it was compiled from"
                what = f"matrix from {source}"
                raise NetworkUnwritten(
                    group.name, what, got=f"{size:,} weights", relation="exceeds", limit=MATRIX_MOST, do=do
                )
            self._chain(start, name, nir.Affine(_dense(synapse, weight), bias))
        if isinstance(group, SpikingGroup) and (missing := group.into[k].lag - self._given(group, source)):
            late = self.free(f"{name}_late")
            self._chain(name, late, nir.Delay(np.full(self.shapes[group.name], missing * self.dt_s)))
            name = late
        self.edges.append((name, group.name))

    def _given(self, group: SpikingGroup, source: str) -> int:
        """Steps that readers give an edge: one to what leads back.

        A loop is entered at the node of the least name that something outside feeds, so in one whose groups all hear
        each other, names decide what leads back.
        """
        part = next(part for part in self.parts if group.name in part)
        if source not in part:
            return 0
        for name in part:
            own = next(g for g in self.groups if g.name == name)
            if not {*part} - {name} <= {*own.sources} or not any(
                a.source not in part and a.source != CLOCK for a in own.into
            ):
                do = "NIR does not say where it begins"
                raise NetworkUnwritten(
                    name, "loop through several groups", got=", ".join(part), relation="is open", do=do
                )
        return int(source >= group.name)

    def _chain(self, source: str, name: str, node: nir.NIRNode) -> None:
        self.nodes[name] = node
        self.edges.append((source, name))

    def _flatten(self, name: str, shape: Shape) -> str:
        flat = self.free(f"{name}_flat")
        self._chain(name, flat, nir.Flatten({"input": np.array(shape)}, 0, -1))
        return flat


def _written(groups: Sequence[AnyGroup]) -> dict[str, Shape]:
    """Neurons are written flat that any synapse feeds but convolutions, and factors of neurons in their own shape."""
    shapes = {group.name: group.shape for group in groups}
    into = {group.name: [(group.sources[k], synapse) for k, synapse in synapses_of(group).items()] for group in groups}
    while True:
        flat = [
            group.name
            for group in groups
            if len(shapes[group.name]) > 1
            and not all(
                isinstance(synapse, QuantConv2d) or (_is_scale(synapse) and shapes.get(source) == group.shape)
                for source, synapse in into[group.name]
            )
        ]
        if not flat:
            return shapes
        shapes |= {name: (prod(shapes[name]),) for name in flat}


def _is_scale(synapse: AnySynapse) -> bool:
    """Whether it is one factor for each neuron, NIR's Scale."""
    if not isinstance(synapse, QuantSparse) or synapse.in_features != synapse.out_features:
        return False
    every = torch.arange(synapse.in_features)
    return len(synapse.weight) == len(every) and bool((synapse.index.cpu() == every).all())


def synapses_of(group: AnyGroup) -> dict[int, AnySynapse]:
    """By their place among the group's sources; those of the clock are no node, but a bias."""
    if isinstance(group, ImageGroup):
        return {0: group.synapse}
    return {k: a.synapse for k, a in enumerate(group.into) if a.source != CLOCK}


def carried_bias(group: AnyGroup, ints: GroupIntegers) -> tuple[int | None, Ints, Ints | None]:
    """Which synapse carries a bias, None if none can, in which form, and what stands in v_leak; in steps of v.

    What the clock sends into a current is the bias of a synapse, the neurons' own bias is in v_leak beside it.
    """
    if isinstance(group, ImageGroup):
        return 0, ints.bias.cpu().numpy(), None
    bias: Ints = np.broadcast_to(ints.bias.cpu().numpy(), group.shape)
    clocked: Ints = np.zeros(group.shape, np.int64)
    for a, weight in zip(group.into, ints.weights, strict=True):
        if a.source == CLOCK:
            clocked = clocked + _dense(a.synapse, weight.cpu().numpy()).reshape(group.shape).astype(np.int64)
    drive = clocked << fixed.ACT_SHIFT
    through = drive if group.current else bias + drive
    carrier, form = _carrier(group, through)
    if group.current:
        if carrier is None and np.any(drive):
            do = "give a whole channel one"
            raise NetworkUnwritten(group.name, "bias of its current", relation="is not one for each channel", do=do)
        return carrier, form, bias
    return carrier, form, form if carrier is None else None


def _carrier(group: SpikingGroup, bias: Ints) -> tuple[int | None, Ints]:
    """A synapse that can hold the bias, and brings it from the first step on."""
    rows = bias.reshape(len(bias), -1)
    for k, a in enumerate(group.into):
        if a.lag or a.source == CLOCK or _is_scale(a.synapse):
            continue
        if not isinstance(a.synapse, QuantConv2d):
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


def _dense(synapse: AnySynapse, weight: NDArray[Any]) -> NDArray[Any]:
    if not isinstance(synapse, QuantSparse):
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
        raise NetworkUnwritten("network", "inputs", got=got, relation="differ in kind or range", do=do)
    kind, low, high = kinds.pop()
    notes["input"] = kind
    if images:
        notes |= {"low": low, "high": high, "scale": images[0].scale}
    if network.steps:
        if network.steps & (network.steps - 1):
            steps, do = network.steps, "a Loihi 2 clears its state every 2^k steps"
            raise NetworkUnwritten("network", "steps between resets", got=steps, relation="are not", limit="2^k", do=do)
        notes["steps"] = network.steps
    resets = {group.reset for group in network.ordered() if isinstance(group, SpikingGroup) and group.fires}
    if len(resets) > 1 or (images and "subtract" in resets):
        do = "let all take the threshold off, or none"
        raise MixedResets("network", "resets", got="zero and subtract", relation="differ", do=do)
    if "subtract" in resets:
        notes["reset"] = "subtract"
    classes = {output.classes for output in network.outputs}
    if len(classes) > 1:
        do, what = "export one at a time", "classes of its outputs"
        raise NetworkUnwritten("network", what, got=sorted(classes), relation="differ", do=do)
    if votes := classes.pop():
        notes["classes"] = votes
    return notes
