"""Random networks with pools for tests, as `tests.nets` makes them without."""

from math import prod

import torch
from torch import Tensor, nn

from spikeport.train import Image, MaxPool2d, QuantConv2d, QuantLinear, SpikingLayer
from tests.nets import Rng, Shape, chance, pick, random_neuron


def random_pooled_net(seed: int, *, maxima: bool = True) -> tuple[nn.Sequential, Tensor]:
    """Two or three layers of spikes or an image, with pools between and before them.

    Args:
        maxima: Whether there may be pools of spikes; else there are none but means.
    """
    rng = Rng().manual_seed(seed)
    steps, batch = pick(rng, 4, 9), 2
    shape: Shape = (pick(rng, 1, 2, 3), pick(rng, 7, 8, 9), pick(rng, 7, 10))
    image = chance(rng, 0.3)
    size = (batch, *shape) if image else (steps, batch, *shape)
    x = torch.randint(0, 256, size, generator=rng) if image else (torch.rand(size, generator=rng) < 0.4).long()
    modules: list[nn.Module] = []
    for number in range(pick(rng, 2, 3)):
        first = image and not number
        if not first and fits(shape) and chance(rng, 0.5) and maxima:
            modules.append(random_max_pool(rng))
            shape = shape_after(modules[-1], shape)
        pool = random_average(rng) if not first and fits(shape) and chance(rng, 0.7) else None
        pooled = shape if pool is None else tuple(pool(torch.zeros(1, *shape)).shape[1:])
        flat = len(shape) == 3 and (min(pooled[1:]) < 3 or chance(rng, 0.3)) and not first
        if flat and pool is None:
            modules.append(nn.Flatten(2))
        if flat:
            pooled = (prod(pooled),)
        layer = random_layer(rng, pooled, Image(steps) if first else None, pool)
        modules.append(layer)
        shape = tuple(layer.synapse(torch.zeros(1, *pooled)).shape[1:])
    return nn.Sequential(*modules).eval(), x


def fits(shape: Shape) -> bool:
    return len(shape) == 3 and min(shape[1:]) >= 4


def shape_after(module: nn.Module, shape: Shape) -> Shape:
    return tuple(module(torch.zeros(1, 1, *shape)).shape[2:])


def random_max_pool(rng: Rng) -> MaxPool2d:
    kernel = (pick(rng, 1, 2, 3), pick(rng, 2, 3))
    padding = (pick(rng, 0, kernel[0] // 2), pick(rng, 0, 1))
    return MaxPool2d(kernel, stride=(pick(rng, 1, 2), pick(rng, 1, 2, 3)), padding=padding)


def random_average(rng: Rng) -> nn.AvgPool2d:
    kernel = (pick(rng, 1, 2, 3), pick(rng, 2, 3))
    stride = kernel if chance(rng, 0.5) else (pick(rng, 1, 2), pick(rng, 1, 2))
    padding = (pick(rng, 0, kernel[0] // 2), pick(rng, 0, 1))
    return nn.AvgPool2d(kernel, stride, padding, divisor_override=1 if chance(rng, 0.3) else None)


def random_layer(rng: Rng, shape: Shape, image: Image | None, pool: nn.AvgPool2d | None) -> SpikingLayer:
    synapse: QuantLinear | QuantConv2d = QuantLinear(shape[0], 6)
    if len(shape) == 3:
        groups = shape[0] if chance(rng, 0.3) else 1
        synapse = QuantConv2d(shape[0], 2 * groups, 3, stride=pick(rng, 1, 2), padding=pick(rng, 0, 1), groups=groups)
    channels = len(synapse.weight)
    norm = (nn.BatchNorm2d(channels) if len(shape) == 3 else nn.BatchNorm1d(channels)) if chance(rng, 0.5) else None
    layer = SpikingLayer(synapse, random_neuron(rng, False), norm, image=image, pool=pool)
    with torch.no_grad():
        fan_in = synapse.weight[0].numel()
        synapse.weight.normal_(0.5 / fan_in**0.5, 2 / fan_in**0.5, generator=rng)
        synapse.bias.normal_(0.05, 0.2, generator=rng)
        if norm is not None:
            norm.weight.normal_(1.0, 0.5, generator=rng)
    return layer
