"""`to_nir`: a trained module to a NIR graph that every framework reads alike.

Each layer becomes a synapse node and `LIF` with r = 1, v_leak = v_reset = 0 and hard reset: batch norm and
gain are folded into the weights, and so is 1/d with d = dv / 4096, because such a reader computes
v = (1 - d) v + d I. Membranes are in Lava's units: weight mantissa 1 is 1/64, one step of v is 1/4096.
The threshold lies half such a step above the grid, so `>` and `>=` agree.
The greatest of spikes is SumPool2d and Threshold(1/2).
"""

from functools import singledispatchmethod
from math import prod
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.atomic import replacing
from spikeport.errors import ExportError
from spikeport.export.extension import ConvTranspose2d, Unflatten
from spikeport.export.network_to_nir import network_to_nir
from spikeport.export.units import DT_S, V_UNIT, WEIGHT_UNIT, gain_of, lif_node
from spikeport.export.walk import Shape, flat_modules
from spikeport.train.image import Image
from spikeport.train.layer import SpikingLayer, Vote
from spikeport.train.network import SpikingNetwork
from spikeport.train.pools import MaxPool2d, Pair, divisor, pair
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import QuantConv2d, QuantConvTranspose2d, QuantLinear

OR_PLACES = fixed.WRAP_AT // (fixed.WEIGHT_MAX << fixed.ACT_SHIFT)
"""Spikes of the largest weight that a neuron's current holds."""


def to_nir(module: nn.Module, sample: Tensor | None = None, *, dt_s: float | None = None) -> nir.NIRGraph:
    """Exports the deployable form of a module.

    Args:
        sample: One input as the module takes it, `(B, *in)` images or `(T, B, *in)` spikes; only its shape is read.
            A `SpikingNetwork` knows its shapes and needs none.
        dt_s: Length of a step; sets the time constants. That of a `SpikingNetwork`, else 1e-4, if None.

    Raises:
        ExportError: a module without NIR form, or a parameter that no chip holds; names the layer.
    """
    if dt_s is None:
        dt_s = module.dt_s if isinstance(module, SpikingNetwork) else DT_S
    if not 1e-9 <= dt_s < 1e3:
        raise ExportError("to_nir", "dt_s", got=dt_s, relation="is not in", limit="[1e-9, 1000)")
    if isinstance(module, SpikingNetwork):
        return network_to_nir(module, dt_s)
    if sample is None:
        raise ExportError("to_nir", "sample", relation="is missing", do="give one input, for its shape")
    modules = list(flat_modules(module))
    spiking = [m for _, m in modules if isinstance(m, SpikingLayer)]
    if not spiking:
        raise ExportError("module", "holds no SpikingLayer")
    image = spiking[0].image
    shape = tuple(sample.shape[1:] if image is not None else sample.shape[2:])
    chain = _Chain(shape, dt_s, image)
    for path, child in modules:
        try:
            chain.add(child)
        except ExportError as error:
            raise error.inside(path) from error
    return chain.graph()


def write_nir(graph: nir.NIRGraph, path: Path) -> None:
    """Writes a temporary file and renames it: a failed write leaves nothing behind."""
    with replacing(path) as name:
        nir.write(name, graph, compression=None)


class _Chain:
    """NIR nodes so far, and the shape that the next module sees."""

    def __init__(self, shape: Shape, dt_s: float, image: Image | None) -> None:
        self.shape = shape
        self.dt_s = dt_s
        self.nodes: dict[str, nir.NIRNode] = {"input": nir.Input({"input": np.array(shape)})}
        self.count = 0
        self.pools = 0
        self.checkable = True
        self.notes: dict[str, Any] = {"dt_s": dt_s, "input": "spike"}
        if image is not None:
            self.notes |= {"input": "bias", "steps": image.steps, "low": image.low, "high": image.high}
            self.notes["scale"] = image.scale

    def graph(self) -> nir.NIRGraph:
        names = [*self.nodes, "output"]
        self.nodes["output"] = nir.Output({"output": np.array(self.shape)})
        edges = list(zip(names[:-1], names[1:], strict=True))
        # nir 1.0.8 infers wrong shapes for grouped convolutions and for kernels that are not square
        return nir.NIRGraph(self.nodes, edges, type_check=self.checkable, metadata={"spikeport": self.notes})

    @singledispatchmethod
    def add(self, module: nn.Module) -> None:
        raise ExportError(type(module).__name__, "has no NIR form")

    @add.register
    def _(self, module: nn.Flatten) -> None:
        start = 1 if self.notes["input"] == "bias" and not self.count else 2
        got = (module.start_dim, module.end_dim)
        if got != (start, -1):
            do = f"keep the batch, and time where there is one: nn.Flatten({start})"
            raise ExportError("Flatten", "axes", got=got, relation="are not", limit=(start, -1), do=do)
        if len(self.shape) == 1:
            return
        self._flatten(f"flatten{self.count}")

    @add.register
    def _(self, module: nn.Unflatten) -> None:
        size: Shape = tuple(int(n) for n in module.unflattened_size if type(n) is int)
        if module.dim != 2 or len(self.shape) != 1 or not self.count or len(size) != len(module.unflattened_size):
            got, limit = (module.dim, module.unflattened_size), "(2, shape) of flat spikes"
            raise ExportError("Unflatten", "axes", got=got, relation="are not", limit=limit)
        if prod(size) != self.shape[0] or min(size) < 1:
            relation = "does not hold as many values as its input"
            raise ExportError("Unflatten", "shape", got=size, relation=relation, limit=self.shape)
        self.nodes[f"unflatten{self.count}"] = Unflatten(np.array(size))
        self.shape = size
        self.checkable = False

    @add.register
    def _(self, module: Vote) -> None:
        if len(self.shape) != 1:
            do = "put nn.Flatten(2) before it"
            raise ExportError("Vote", "input shape", got=self.shape, relation="is not", limit="(n,)", do=do)
        if int(np.prod(self.shape)) % module.classes:
            raise ExportError(
                "Vote",
                "output neurons",
                got=int(np.prod(self.shape)),
                relation="do not divide by classes",
                limit=module.classes,
            )
        self.notes["classes"] = module.classes

    @add.register
    def _(self, module: MaxPool2d) -> None:
        self._check_open("MaxPool2d")
        if self.notes["input"] == "bias" and not self.count:
            do = "pool the images before they enter the network"
            raise ExportError("MaxPool2d", "input", got="an image", relation="is not", limit="spikes", do=do)
        kernel = self._pool_geometry(module)
        if prod(kernel) > OR_PLACES:
            got, do = prod(kernel), "pool twice"
            raise ExportError("MaxPool2d", "places in a window", got=got, relation="exceed", limit=OR_PLACES, do=do)
        self.pools += 1
        self._pooled(module, f"pool{self.pools}", nir.SumPool2d)
        self.nodes[f"or{self.pools}"] = nir.Threshold(np.full(self.shape, 0.5, np.float32))

    def _pool_geometry(self, module: MaxPool2d) -> Pair:
        if module.ceil_mode or module.return_indices or pair(module.dilation) != (1, 1):
            do = "NIR's pools have neither"
            raise ExportError("MaxPool2d", "ceil_mode, return_indices or dilation", relation="is set", do=do)
        return pair(module.kernel_size)

    def _pooled(self, module: MaxPool2d | nn.AvgPool2d, name: str, kind: type[nir.SumPool2d | nir.AvgPool2d]) -> None:
        """A node that adds up windows, or takes their mean."""
        if len(self.shape) != 3:
            raise ExportError(
                type(module).__name__, "input shape", got=self.shape, relation="is not", limit="(c, h, w)"
            )
        kernel, stride, padding = (pair(x) for x in (module.kernel_size, module.stride, module.padding))
        try:
            found = F.max_pool2d(torch.zeros(1, *self.shape), kernel, stride, padding)
        except RuntimeError as error:
            do = "pad less, or use a smaller window"
            raise ExportError(type(module).__name__, "window does not fit", got=self.shape, do=do) from error
        self.nodes[name] = kind(np.array(kernel), np.array(stride), np.array(padding))
        self.shape = tuple(found.shape[1:])
        self.checkable = False

    def _check_open(self, kind: str) -> None:
        if "classes" in self.notes:
            raise ExportError(kind, "stands after Vote", do="a Vote ends the network")

    @add.register
    def _(self, module: SpikingLayer) -> None:
        self._check_open("SpikingLayer")
        if module.image is not None and self.count:
            raise ExportError("SpikingLayer", "image", relation="is not allowed", limit="after the first layer")
        self.count += 1
        if module.pool is not None:
            self._average(module, module.pool)
        ints = module.integers()
        weight, bias = _float_synapse(module, ints)
        out = self._synapse(module, weight, bias)
        self.nodes[f"lif{self.count}"] = lif_node(ints.dv, ints.vth, out, self.dt_s)
        self.nodes[f"lif{self.count}"].metadata = {"spikeport": _exact(ints)}
        self.shape = out

    def _average(self, module: SpikingLayer, pool: nn.AvgPool2d) -> None:
        self._pooled(pool, f"average{self.count}", nir.SumPool2d if divisor(pool) == 1 else nir.AvgPool2d)
        if isinstance(module.synapse, QuantLinear):
            self._flatten(f"average_flat{self.count}")

    def _flatten(self, name: str) -> None:
        self.nodes[name] = nir.Flatten({"input": np.array(self.shape)}, 0, -1)
        self.shape = (prod(self.shape),)

    def _synapse(self, module: SpikingLayer, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> Shape:
        synapse = module.synapse
        if isinstance(synapse, QuantLinear):
            if self.shape != (synapse.in_features,):
                raise ExportError(
                    "QuantLinear", "input shape", got=self.shape, relation="is not", limit=(synapse.in_features,)
                )
            self.nodes[f"linear{self.count}"] = nir.Affine(weight, bias)
            return (synapse.out_features,)
        if isinstance(synapse, QuantConvTranspose2d):
            return self._conv_transpose(synapse, weight, bias)
        return self._conv(synapse, weight, bias)

    def _conv(self, conv: QuantConv2d, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> Shape:
        if isinstance(conv.padding, str):
            raise ExportError("QuantConv2d", "padding", got=conv.padding, relation="is not", limit="a number")
        out = self._shape_after(conv, "kernel exceeds the padded input", "pad the input or use a smaller kernel")
        h, w = self.shape[1:]
        self.nodes[f"conv{self.count}"] = nir.Conv2d(
            (h, w), weight, conv.stride, conv.padding, conv.dilation, conv.groups, bias
        )
        self.checkable &= conv.groups == 1 and conv.kernel_size[0] == conv.kernel_size[1]
        return out

    def _conv_transpose(
        self, conv: QuantConvTranspose2d, weight: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> Shape:
        out = self._shape_after(conv, "padding leaves nothing of the output", "pad less")
        steps = ((x[0], x[1]) for x in (conv.stride, conv.padding, conv.output_padding, conv.dilation))
        self.nodes[f"conv{self.count}"] = ConvTranspose2d(weight, bias, *steps, conv.groups)
        self.checkable = False
        return out

    def _shape_after(self, conv: QuantConv2d | QuantConvTranspose2d, what: str, do: str) -> Shape:
        """What the convolution makes of the shape; `what` is wrong where it makes nothing."""
        kind = type(conv).__name__
        if len(self.shape) != 3 or self.shape[0] != conv.in_channels:
            limit = f"({conv.in_channels}, h, w)"
            raise ExportError(kind, "input shape", got=self.shape, relation="is not", limit=limit)
        try:
            with torch.no_grad():
                found = conv.apply_weight(conv.weight.new_zeros(1, *self.shape), conv.weight, None)
        except RuntimeError as error:
            raise ExportError(kind, what, got=self.shape, do=do) from error
        return tuple(found.shape[1:])


def _float_synapse(module: SpikingLayer, ints: LayerIntegers) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias such that d * (w x + b) is the integer layer's current, in float units."""
    d = gain_of(ints.dv)
    weight_unit, bias_unit = WEIGHT_UNIT * divisor(module.pool), V_UNIT
    if module.image is not None:
        sum_unit = WEIGHT_UNIT * 2.0 ** -(ints.encoder_shift or 0)
        weight_unit, bias_unit = sum_unit / module.image.scale, sum_unit
    weight = ints.weight.cpu().numpy() * (weight_unit / d)
    bias = ints.bias.cpu().numpy() * (bias_unit / d)
    return weight.astype(np.float32), bias.astype(np.float32)


def _exact(ints: LayerIntegers) -> dict[str, Any]:
    """The integers themselves, for readers that know spikeport; no reader needs them."""
    exact: dict[str, Any] = {
        "weight": ints.weight.cpu().numpy().astype(np.int16),
        "bias": ints.bias.cpu().numpy().astype(np.int32),
        "bias_exp": ints.bias_exp,
        "dv": ints.dv,
        "vth": ints.vth,
        "unit": ints.unit,
    }
    return exact if ints.encoder_shift is None else exact | {"encoder_shift": ints.encoder_shift}
