"""Small layers and their spikes."""

from typing import Any

import torch
from torch import Tensor, nn

from spikeport.train import ALIF, DALIF, Image, QuantConv2d, QuantLinear, SpikingLayer

IMAGE = Image(steps=5)


def linear(n_in: int = 4, n_out: int = 3, *, image: Image | None = None, seed: int = 0, **options: Any) -> SpikingLayer:
    torch.manual_seed(seed)
    return SpikingLayer(QuantLinear(n_in, n_out), DALIF(threshold=0.3), nn.BatchNorm1d(n_out), image=image, **options)


def conv(image: Image | None = None, **options: Any) -> SpikingLayer:
    torch.manual_seed(0)
    synapse = QuantConv2d(2, 4, 3, stride=2, padding=1, bias=False)
    return SpikingLayer(synapse, ALIF(), nn.BatchNorm2d(4), image=image, **options)


def without_norm() -> SpikingLayer:
    torch.manual_seed(0)
    return SpikingLayer(QuantLinear(4, 3), DALIF(threshold=0.3))


def weighted(weight: list[list[float]], neuron: nn.Module | None = None, **options: Any) -> SpikingLayer:
    """A linear layer of the given weights, without bias and norm, in eval mode."""
    synapse = QuantLinear(len(weight[0]), len(weight), bias=False)
    synapse.weight.data = torch.tensor(weight)
    return SpikingLayer(synapse, neuron or ALIF(), **options).eval()


def spikes(*shape: int) -> Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(1)) < 0.5).float()


def decay(v: int, keep: int) -> int:
    """Toward zero, in plain integers."""
    return (abs(v) * keep // 4096) * (1 if v >= 0 else -1)
