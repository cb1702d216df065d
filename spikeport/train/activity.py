"""What a forward pass costs on the chip: spikes of each layer, and its synaptic operations (SOPs).

A spike into a layer costs as many SOPs as its place has synapses there: its fan-out. The map of fan-outs follows from
the layer's geometry alone and is made once. SOPs of all steps are the dot product of a place's spikes with it, and so
they are differentiable, and exact up to 2^53. `spikeport.sim.count_operations` counts the same of a compiled Program.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from spikeport.train.layer import SpikingLayer
from spikeport.train.pools import pair
from spikeport.train.synapses import QuantConv2d, QuantLinear


@dataclass(eq=False)
class Seen:
    """One forward pass; by layer, in the model's order."""

    spikes: dict[str, Tensor] = field(default_factory=dict)
    """Sent by a layer, float64 `(B,)`: per sample, over all steps."""
    slots: dict[str, int] = field(default_factory=dict)
    """Neurons times steps of a layer: what its spikes are a share of."""
    sops: dict[str, Tensor] = field(default_factory=dict)
    """Into a layer, float64 `(B,)`, differentiable; none for an image layer, which the host computes."""

    def total_sops(self) -> Tensor:
        """`(B,)`, of all layers."""
        return torch.stack(list(self.sops.values())).sum(0) if self.sops else torch.zeros(())


class Activity:
    """Watches every `SpikingLayer` of a model by forward hooks."""

    def __init__(self, model: nn.Module) -> None:
        self.layers = {name: m for name, m in model.named_modules() if isinstance(m, SpikingLayer)}
        self._fan_outs: dict[str, Tensor] = {}

    @contextmanager
    def watch(self) -> Iterator[Seen]:
        """Fills what it gives while the model runs, once; layers that run several times add up."""
        seen = Seen()
        hooks = [layer.register_forward_hook(self._hook(name, seen)) for name, layer in self.layers.items()]
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, name: str, seen: Seen) -> Any:
        def hook(layer: SpikingLayer, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            sent = output.detach().sum(0).flatten(1).double().sum(1)
            seen.spikes[name] = seen.spikes[name] + sent if name in seen.spikes else sent
            seen.slots[name] = seen.slots.get(name, 0) + output[:, 0].numel()
            if layer.image is None:
                arriving = inputs[0].sum(0).flatten(1).double() @ self._fan_out(name, layer, inputs[0])
                seen.sops[name] = seen.sops[name] + arriving if name in seen.sops else arriving

        return hook

    def _fan_out(self, name: str, layer: SpikingLayer, x: Tensor) -> Tensor:
        """Float64 `(n,)`, on the device of what arrives."""
        if name not in self._fan_outs:
            self._fan_outs[name] = fan_out(layer, tuple(x.shape[2:])).flatten().double()
        self._fan_outs[name] = self._fan_outs[name].to(x.device)
        return self._fan_outs[name]


def fan_out(layer: SpikingLayer, shape: tuple[int, ...]) -> Tensor:
    """Synapses behind each place of the input, int64 in its shape `(n,)` or `(c, h, w)`.

    Behind an average pool these are of the folded kernel: two windows that lead to the same neuron are one synapse.
    A fully connected layer has a synapse from every place.
    """
    synapse, pool = layer.synapse, layer.pool
    if isinstance(synapse, QuantLinear):
        return torch.full(shape, synapse.out_features)
    height, width = (_reach(synapse, pool, axis, shape[1 + axis]) for axis in (0, 1))
    per_place = synapse.out_channels // synapse.groups * height[:, None] * width
    return per_place.expand(shape).clone()


def _reach(synapse: Any, pool: nn.AvgPool2d | None, axis: int, size: int) -> Tensor:
    """Outputs that each place of an axis leads to, int64 `(size,)`: kernels are products of their axes."""
    through = torch.eye(size, dtype=torch.int64)
    if pool is not None:
        kernel, stride, padding = (pair(p)[axis] for p in (pool.kernel_size, pool.stride, pool.padding))
        through = _windows(size, kernel, stride, padding, 1)
    kernel, stride, padding, dilation = _geometry(synapse, axis)
    if isinstance(synapse, QuantConv2d):
        same = len(through) if synapse.padding == "same" else None
        taps = _windows(len(through), kernel, stride, padding, dilation, same)
    else:
        extra = synapse.output_padding[axis]
        outputs = (len(through) - 1) * stride - 2 * padding + dilation * (kernel - 1) + extra + 1
        taps = _windows(outputs, kernel, stride, padding, dilation, len(through)).T
    return (taps @ through > 0).sum(0)


def _geometry(synapse: Any, axis: int) -> tuple[int, int, int, int]:
    kernel, stride, dilation = synapse.kernel_size[axis], synapse.stride[axis], synapse.dilation[axis]
    if isinstance(synapse.padding, str):  # of a stride of 1; an even kernel has its odd place behind
        padding = dilation * (kernel - 1) // 2 if synapse.padding == "same" else 0
        return kernel, stride, padding, dilation
    return kernel, stride, synapse.padding[axis], dilation


def _windows(size: int, kernel: int, stride: int, padding: int, dilation: int, count: int | None = None) -> Tensor:
    """1 where a window has a place, int64 `(windows, size)`."""
    if count is None:
        count = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    first = torch.arange(count) * stride - padding
    place = first[:, None] + torch.arange(kernel) * dilation
    inside = (place >= 0) & (place < size)
    found = torch.zeros(count, size, dtype=torch.int64)
    window = torch.arange(count)[:, None].expand_as(place)
    found[window[inside], place[inside]] = 1
    return found
