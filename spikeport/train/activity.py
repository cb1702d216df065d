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

from spikeport.train.branch import Branch, Shortcut
from spikeport.train.layer import SpikingLayer
from spikeport.train.pools import MaxPool2d, pair
from spikeport.train.readout import AbstractMembraneReadout
from spikeport.train.synapses import QuantConv2d, QuantLinear

Site = SpikingLayer | AbstractMembraneReadout | MaxPool2d
Way = Branch | Shortcut | MaxPool2d


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
    """Watches every layer of a model by forward hooks: `SpikingLayer`, and what else has synapses on the chip."""

    def __init__(self, model: nn.Module) -> None:
        self.sites = {
            name: module
            for name, module in model.named_modules()
            if isinstance(module, SpikingLayer | AbstractMembraneReadout | MaxPool2d)
        }
        self.layers = {name: site for name, site in self.sites.items() if isinstance(site, SpikingLayer)}
        self._fan_outs: dict[tuple[str, int], Tensor] = {}

    @contextmanager
    def watch(self) -> Iterator[Seen]:
        """Fills what it gives while the model runs, once; layers that run several times add up."""
        seen = Seen()
        hooks = [site.register_forward_hook(self._hook(name, seen)) for name, site in self.sites.items()]
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, name: str, seen: Seen) -> Any:
        def hook(site: Site, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(site, SpikingLayer):
                sent = output.detach().sum(0).flatten(1).double().sum(1)
                seen.spikes[name] = seen.spikes[name] + sent if name in seen.spikes else sent
                seen.slots[name] = seen.slots.get(name, 0) + output[:, 0].numel()
                if site.image is not None:
                    return
            for number, (way, x) in enumerate(zip(ways(site), inputs, strict=True)):
                arriving = x.sum(0).flatten(1).double() @ self._fan_out(name, number, way, x)
                seen.sops[name] = seen.sops[name] + arriving if name in seen.sops else arriving

        return hook

    def _fan_out(self, name: str, number: int, way: Way, x: Tensor) -> Tensor:
        """Float64 `(n,)`, on the device of what arrives."""
        key = name, number
        if key not in self._fan_outs:
            self._fan_outs[key] = fan_out(way, tuple(x.shape[2:])).flatten().double()
        self._fan_outs[key] = self._fan_outs[key].to(x.device)
        return self._fan_outs[key]


def ways(site: Site) -> tuple[Way, ...]:
    """By which each input enters."""
    if isinstance(site, SpikingLayer):
        return site.branches
    return (Branch(site.synapse),) if isinstance(site, AbstractMembraneReadout) else (site,)


def fan_out(way: Way, shape: tuple[int, ...]) -> Tensor:
    """Synapses behind each place of the input, int64 in its shape `(n,)` or `(c, h, w)`.

    Behind an average pool these are of the folded kernel: two windows that lead to the same neuron are one synapse.
    A fully connected layer has a synapse from every place.
    """
    if isinstance(way, Branch) and isinstance(way.synapse, QuantLinear):
        return torch.full(shape, way.synapse.out_features)
    if isinstance(way, Shortcut) and way.pool is None:
        return torch.ones(shape, dtype=torch.int64)
    per_channel = _outputs_per_input(way.synapse) if isinstance(way, Branch) else 1
    height, width = (_reach(way, axis, shape[1 + axis]) for axis in (0, 1))
    return (per_channel * height[:, None] * width).expand(shape).clone()


def _reach(way: Branch | Shortcut | MaxPool2d, axis: int, size: int) -> Tensor:
    """Outputs that each place of an axis leads to, int64 `(size,)`: kernels are products of their axes."""
    pool = way if isinstance(way, MaxPool2d) else way.pool
    through = torch.eye(size, dtype=torch.int64) if pool is None else _pooled(pool, axis, size)
    taps = _taps(way.synapse, axis, len(through)) if isinstance(way, Branch) else torch.eye(len(through)).long()
    return (taps @ through > 0).sum(0)


def _pooled(pool: nn.AvgPool2d | MaxPool2d, axis: int, size: int) -> Tensor:
    """1 where a window has a place, `(windows, size)`."""
    kernel, stride, padding = (pair(p)[axis] for p in (pool.kernel_size, pool.stride, pool.padding))
    dilation = pair(pool.dilation)[axis] if isinstance(pool, MaxPool2d) else 1
    count = None
    if pool.ceil_mode:
        count = -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1
        count -= (count - 1) * stride >= size + padding  # a window has to begin before the padding behind
    return _windows(size, kernel, stride, padding, dilation, count)


def _taps(synapse: Any, axis: int, size: int) -> Tensor:
    """1 where an output has an input, `(outputs, size)`."""
    kernel, stride, padding, dilation = _geometry(synapse, axis)
    if isinstance(synapse, QuantConv2d):
        return _windows(size, kernel, stride, padding, dilation, size if synapse.padding == "same" else None)
    outputs = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + synapse.output_padding[axis] + 1
    return _windows(outputs, kernel, stride, padding, dilation, size).T


def _outputs_per_input(synapse: Any) -> int:
    """Channels that an input channel leads to."""
    return int(synapse.out_channels // synapse.groups)


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
