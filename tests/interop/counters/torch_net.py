"""A network of the description in torch, its neurons those of the tool at hand."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from worker import Net


def build(net: Net, neuron: Callable[[float], nn.Module]) -> nn.Sequential:
    """The layers by their names; nothing is learned.

    Args:
        neuron: Makes a layer of integrate-and-fire neurons that are reset to 0, from the threshold.
    """
    built = nn.Sequential()
    for layer in net.layers:
        module = neuron(layer["threshold"]) if layer["kind"] == "if" else _module(net, layer)
        built.add_module(layer["name"], module)
    return built.requires_grad_(False).eval()


def _module(net: Net, layer: dict[str, Any]) -> nn.Module:
    kind, name = layer["kind"], layer["name"]
    if kind == "flatten":
        return nn.Flatten()
    if kind == "avgpool":
        return nn.AvgPool2d(layer["size"])
    weight = torch.from_numpy(net.values(f"w:{name}"))
    biased = f"b:{name}" in net.arrays
    if kind == "linear":
        module: Any = nn.Linear(weight.shape[1], weight.shape[0], bias=biased)
    else:
        groups = layer["groups"]
        given = {key: layer[key] for key in ("stride", "padding", "dilation")} | {"groups": groups, "bias": biased}
        if kind == "conv":
            module = nn.Conv2d(weight.shape[1] * groups, weight.shape[0], weight.shape[2:], **given)
        else:
            given["output_padding"] = layer["output_padding"]
            module = nn.ConvTranspose2d(weight.shape[0], weight.shape[1] * groups, weight.shape[2:], **given)
    module.weight.data = weight
    if biased:
        module.bias.data = torch.from_numpy(net.values(f"b:{name}"))
    return module


def watch(net: Net, built: nn.Sequential) -> dict[str, list[torch.Tensor]]:
    """Lists that fill with the spikes of each layer of neurons, step by step."""
    spikes: dict[str, list[torch.Tensor]] = {layer["name"]: [] for layer in net.layers if layer["kind"] == "if"}

    def keep(kept: list[torch.Tensor]) -> Callable[..., None]:
        return lambda _module, _given, out: kept.append((out[0] if isinstance(out, tuple) else out).clone())

    for name, kept in spikes.items():
        getattr(built, name).register_forward_hook(keep(kept))
    return spikes


def stacked(spikes: dict[str, list[torch.Tensor]]) -> dict[str, Any]:
    return {name: torch.stack(steps).numpy() for name, steps in spikes.items()}
