"""NIR nodes of a module's layers, one after the other, with ways past some of them."""

from collections.abc import Sequence
from functools import singledispatchmethod
from math import prod
from typing import Any

import nir
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.errors import ExportError, MixedResets, ModuleOrder, ModuleSetting, ModuleShape
from spikeport.export.extension import ConvTranspose2d, Unflatten
from spikeport.export.synapse_nodes import Floats, exact, float_bias, float_weight, synapse_floats
from spikeport.export.units import WEIGHT_UNIT, lif_node, without_spikes
from spikeport.export.walk import Shape, flat_modules
from spikeport.export.writers import is_registered, written
from spikeport.train.autoencoders.integrator import Integrator
from spikeport.train.branch import Branch, Shortcut
from spikeport.train.layer import SpikingLayer
from spikeport.train.pools import MaxPool2d, divisor, pair
from spikeport.train.quant import LayerIntegers
from spikeport.train.readout import Readout, Vote
from spikeport.train.residual import Residual
from spikeport.train.synapses import QuantConv2d, QuantConvTranspose2d, QuantLinear, Synapse

OR_PLACES = fixed.WRAP_AT // (fixed.WEIGHT_MAX << fixed.ACT_SHIFT)
"""Spikes of the largest weight that a neuron's current holds."""


class Chain:
    """Nodes and edges so far; the last node, and the shape that what follows it sees."""

    def __init__(self, shape: Shape, dt_s: float, layers: Sequence[SpikingLayer], still: bool) -> None:
        self.shape = shape
        self.head = "input"
        self.dt_s = dt_s
        self.still = still
        self.nodes: dict[str, nir.NIRNode] = {"input": nir.Input({"input": np.array(shape)})}
        self.edges: list[tuple[str, str]] = []
        self.count = 0
        self.pools = 0
        self.brought = 0
        self.checkable = True
        self.ended = False
        self.notes: dict[str, Any] = {"dt_s": dt_s, "input": "spike"}
        if (image := layers[0].image) is not None:
            self.notes |= {"input": "bias", "steps": image.steps, "low": image.low, "high": image.high}
            self.notes["scale"] = image.scale
        resets = {layer.neuron.dynamics.reset for layer in layers}
        if len(resets) > 1:
            do = "let all take the threshold off, or none"
            raise MixedResets("module", "resets", got="zero and subtract", relation="differ", do=do)
        if "subtract" in resets:
            self.notes["reset"] = "subtract"

    def graph(self) -> nir.NIRGraph:
        self._put("output", nir.Output({"output": np.array(self.shape)}), self.shape)
        # nir 1.0.8 infers wrong shapes for grouped convolutions and for kernels that are not square
        return nir.NIRGraph(self.nodes, self.edges, type_check=self.checkable, metadata={"spikeport": self.notes})

    def _put(self, name: str, node: nir.NIRNode, shape: Shape) -> None:
        self.nodes[name] = node
        self.edges.append((self.head, name))
        self.head, self.shape = name, shape

    @singledispatchmethod
    def add(self, module: nn.Module) -> None:
        if not is_registered(module):
            raise ExportError(type(module).__name__, "has no NIR form")
        self._check_spikes(type(module).__name__)
        with torch.no_grad():
            found = tuple(module(torch.zeros(1, 1, *self.shape)).shape)
        if found[:2] != (1, 1) or len(found) < 3:
            limit = "(T, B, ...), with T and B as they came in"
            raise ModuleShape(type(module).__name__, "output shape", got=found, relation="is not", limit=limit)
        self.brought += 1
        node = written(module, self.shape, found[2:])
        self._put(f"{type(module).__name__.lower()}{self.brought}", node, found[2:])
        self.checkable = False

    # ------------------------------------------------------------ shapes

    @add.register
    def _(self, module: nn.Flatten) -> None:
        start = 1 if self.still and not self.count else 2
        got = (module.start_dim, module.end_dim)
        if got != (start, -1):
            do = f"keep the batch, and time where there is one: nn.Flatten({start})"
            raise ModuleSetting("Flatten", "axes", got=got, relation="are not", limit=(start, -1), do=do)
        if len(self.shape) > 1:
            self._flatten(f"flatten{self.count}")

    def _flatten(self, name: str) -> None:
        self._put(name, nir.Flatten({"input": np.array(self.shape)}, 0, -1), (prod(self.shape),))

    @add.register
    def _(self, module: nn.Unflatten) -> None:
        size: Shape = tuple(int(n) for n in module.unflattened_size if type(n) is int)
        if module.dim != 2 or len(self.shape) != 1 or not self.count or len(size) != len(module.unflattened_size):
            got, limit = (module.dim, module.unflattened_size), "(2, shape) of flat spikes"
            raise ModuleSetting("Unflatten", "axes", got=got, relation="are not", limit=limit)
        if prod(size) != self.shape[0] or min(size) < 1:
            relation = "does not hold as many values as its input"
            raise ModuleShape("Unflatten", "shape", got=size, relation=relation, limit=self.shape)
        self._put(f"unflatten{self.count}", Unflatten(np.array(size)), size)
        self.checkable = False

    # ------------------------------------------------------------ ends

    @add.register
    def _(self, module: Vote) -> None:
        if len(self.shape) != 1:
            do = "put nn.Flatten(2) before it"
            raise ModuleShape("Vote", "input shape", got=self.shape, relation="is not", limit="(n,)", do=do)
        if self.shape[0] % module.classes:
            got, relation = self.shape[0], "do not divide by classes"
            raise ModuleShape("Vote", "output neurons", got=got, relation=relation, limit=module.classes)
        self.notes["classes"] = module.classes
        self.ended = True

    @add.register
    def _(self, module: Readout) -> None:
        self._check_spikes("Readout")
        synapse, ints = module.synapse, module.integers()
        if self.shape[0] != synapse.in_features or len(self.shape) not in (1, 3):
            limit = f"({synapse.in_features},) or ({synapse.in_features}, h, w)"
            raise ModuleShape("Readout", "input shape", got=self.shape, relation="is not", limit=limit)
        weight, bias = float_weight(ints.weight, ints.dv), float_bias(ints)
        shape = (synapse.out_features, *self.shape[1:])
        if len(shape) == 1:
            self._put("readout", nir.Affine(weight, bias), shape)
        else:
            everywhere = weight[:, :, None, None]
            self._put("readout", nir.Conv2d(shape[1:], everywhere, (1, 1), (0, 0), (1, 1), 1, bias), shape)
        self._read("logits", ints)
        self.notes["classes"] = synapse.out_features

    @add.register
    def _(self, module: Integrator) -> None:
        self._check_spikes("Integrator")
        ints = module.integers()
        self.count += 1
        self._synapse(module.synapse, float_weight(ints.weight, ints.dv), float_bias(ints), "")
        self._read("membrane", ints)

    def _read(self, name: str, ints: LayerIntegers) -> None:
        """Neurons whose v is read; one step of it is 1/4096 in the file, and unit / 64 in the float model."""
        self._put(name, without_spikes(lif_node(ints.dv, ints.vth, self.shape, self.dt_s)), self.shape)
        self.notes["v_scale"] = ints.unit / WEIGHT_UNIT
        self.ended = True

    def _check_spikes(self, kind: str) -> None:
        self._check_open(kind)
        if self.notes["input"] == "bias" and not self.count:
            do = f"begin with a SpikingLayer; a {kind} takes spikes"
            raise ModuleOrder(kind, "input", got="an image", relation="is not", limit="spikes", do=do)

    def _check_open(self, kind: str) -> None:
        if self.ended:
            raise ModuleOrder(kind, "stands after Vote, Readout or Integrator", do="these end the network")

    # ------------------------------------------------------------ pools

    @add.register
    def _(self, module: MaxPool2d) -> None:
        self._check_spikes("MaxPool2d")
        if module.ceil_mode or module.return_indices or pair(module.dilation) != (1, 1):
            do = "NIR's pools have neither"
            raise ModuleSetting("MaxPool2d", "ceil_mode, return_indices or dilation", relation="is set", do=do)
        if (places := prod(pair(module.kernel_size))) > OR_PLACES:
            do = "pool twice"
            raise ModuleSetting(
                "MaxPool2d", "places in a window", got=places, relation="exceed", limit=OR_PLACES, do=do
            )
        self.pools += 1
        self._pooled(module, f"pool{self.pools}", nir.SumPool2d)
        self._put(f"or{self.pools}", nir.Threshold(np.full(self.shape, 0.5, np.float32)), self.shape)

    def _average(self, pool: nn.AvgPool2d | None, name: str) -> None:
        if pool is not None:
            self._pooled(pool, name, nir.SumPool2d if divisor(pool) == 1 else nir.AvgPool2d)

    def _pooled(self, module: MaxPool2d | nn.AvgPool2d, name: str, kind: type[nir.SumPool2d | nir.AvgPool2d]) -> None:
        """A node that adds up windows, or takes their mean."""
        what = type(module).__name__
        if len(self.shape) != 3:
            raise ModuleShape(what, "input shape", got=self.shape, relation="is not", limit="(c, h, w)")
        kernel, stride, padding = (pair(x) for x in (module.kernel_size, module.stride, module.padding))
        try:
            found = F.max_pool2d(torch.zeros(1, *self.shape), kernel, stride, padding)
        except RuntimeError as error:
            do = "pad less, or use a smaller window"
            raise ModuleShape(what, "window does not fit", got=self.shape, do=do) from error
        self._put(name, kind(np.array(kernel), np.array(stride), np.array(padding)), tuple(found.shape[1:]))
        self.checkable = False

    # ------------------------------------------------------------ layers

    @add.register
    def _(self, module: Residual) -> None:
        self._check_spikes("Residual")
        start, neurons = (self.head, self.shape), self.count + self.pools
        for path, child in flat_modules(module.body, "body"):
            try:
                self.add(child)
            except ExportError as error:
                raise error.inside(path) from error
        if self.count + self.pools == neurons:  # both ways would be one synapse, whose weights no mantissa may hold
            raise ModuleOrder("Residual", "body", relation="has no", limit="neurons", do="leave the shortcut out")
        self._layer(module.join, start)

    @add.register
    def _(self, module: SpikingLayer) -> None:
        if module.shortcut is not None:
            do = "put it into a Residual, which says what goes past it"
            raise ModuleOrder("SpikingLayer", "shortcut", relation="leads from nowhere", do=do)
        self._layer(module, None)

    def _layer(self, module: SpikingLayer, start: tuple[str, Shape] | None) -> None:
        """
        Args:
            start: The node from which the shortcut leads, and its shape.
        """
        self._check_open("SpikingLayer")
        if module.image is not None and self.count:
            raise ModuleOrder("SpikingLayer", "image", relation="is not allowed", limit="after the first layer")
        self.count += 1
        self._average(module.main.pool, f"average{self.count}")
        if module.main.pool is not None and isinstance(module.synapse, QuantLinear):
            self._flatten(f"average_flat{self.count}")
        ints = module.integers()
        self._synapse(module.synapse, *synapse_floats(module, ints), "")
        neurons, ends = f"lif{self.count}", [(self.head, f"lif{self.count}")]
        if start is not None:
            out = self.shape
            self.head, self.shape = start
            self._past(module.shortcut, ints)
            if self.shape != out:
                raise ModuleShape("shortcut", "shape", got=self.shape, relation="is not that of the layer,", limit=out)
            ends.append((self.head, neurons))
        self.nodes[neurons] = lif_node(ints.dv, ints.vth, self.shape, self.dt_s)
        self.nodes[neurons].metadata = {"spikeport": exact(ints)}
        self.edges += ends
        self.head = neurons

    def _past(self, way: Branch | Shortcut | None, ints: LayerIntegers) -> None:
        assert way is not None and ints.past is not None
        self._average(way.pool, f"past_average{self.count}")
        weight = float_weight(ints.past, ints.dv, way.divisor)
        if isinstance(way, Branch):
            self._synapse(way.synapse, weight, np.zeros(ints.bias.shape, np.float32), "past_")
        else:
            self._put(f"past{self.count}", nir.Scale(np.full(self.shape, weight, np.float32)), self.shape)

    def _synapse(self, synapse: Synapse, weight: Floats, bias: Floats, prefix: str) -> None:
        if isinstance(synapse, QuantLinear):
            if self.shape != (synapse.in_features,):
                limit = (synapse.in_features,)
                raise ModuleShape("QuantLinear", "input shape", got=self.shape, relation="is not", limit=limit)
            self._put(f"{prefix}linear{self.count}", nir.Affine(weight, bias), (synapse.out_features,))
        elif isinstance(synapse, QuantConvTranspose2d):
            out = self._shape_after(synapse, "padding leaves nothing of the output", "pad less")
            steps = ((x[0], x[1]) for x in (synapse.stride, synapse.padding, synapse.output_padding, synapse.dilation))
            self._put(f"{prefix}conv{self.count}", ConvTranspose2d(weight, bias, *steps, synapse.groups), out)
            self.checkable = False
        else:
            self._conv(synapse, weight, bias, f"{prefix}conv{self.count}")

    def _conv(self, conv: QuantConv2d, weight: Floats, bias: Floats, name: str) -> None:
        if isinstance(conv.padding, str):
            raise ModuleSetting("QuantConv2d", "padding", got=conv.padding, relation="is not", limit="a number")
        out = self._shape_after(conv, "kernel exceeds the padded input", "pad the input or use a smaller kernel")
        node = nir.Conv2d(self.shape[1:], weight, conv.stride, conv.padding, conv.dilation, conv.groups, bias)
        self._put(name, node, out)
        self.checkable &= conv.groups == 1 and conv.kernel_size[0] == conv.kernel_size[1]

    def _shape_after(self, conv: QuantConv2d | QuantConvTranspose2d, what: str, do: str) -> Shape:
        """What the convolution makes of the shape; `what` is wrong where it makes nothing."""
        kind = type(conv).__name__
        if len(self.shape) != 3 or self.shape[0] != conv.in_channels:
            limit = f"({conv.in_channels}, h, w)"
            raise ModuleShape(kind, "input shape", got=self.shape, relation="is not", limit=limit)
        try:
            with torch.no_grad():
                found = conv.apply_weight(conv.weight.new_zeros(1, *self.shape), conv.weight, None)
        except RuntimeError as error:
            raise ModuleShape(kind, what, got=self.shape, do=do) from error
        return tuple(found.shape[1:])
