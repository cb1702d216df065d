"""A described net as a torch module, from the layers of one framework.

Tensors are time first, `(T, B, ...)`. A `Kit` says what the layers are; as it stands it is plain torch on `(T*B, ...)`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from spikeport.bench.trainers import nets

LEVELS = 255
"""Images are integers in [0, 255]; the nets see them in [0, 1]."""


class Merged(nn.Module):
    """A layer without time, applied to all steps at once."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x.flatten(0, 1))
        return y.reshape(*x.shape[:2], *y.shape[1:])


class Sum(nn.Module):
    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main = main
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.main(x) + self.shortcut(x)
        return y


class Kit:
    """The layers of a framework."""

    stepped = False
    """The loop over time is outermost: each step goes through all layers."""

    def conv(self, of: nets.Conv) -> nn.Module:
        return Merged(nn.Conv2d(of.c_in, of.c_out, of.kernel, of.stride, of.padding, bias=False))

    def norm(self, of: nets.Norm) -> nn.Module:
        return Merged(nn.BatchNorm2d(of.channels))

    def max_pool(self, of: nets.MaxPool) -> nn.Module:
        return Merged(nn.MaxPool2d(of.size))

    def mean_pool(self, of: nets.MeanPool) -> nn.Module:
        return Merged(nn.AvgPool2d(of.size))

    def global_mean(self) -> nn.Module:
        return Merged(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))

    def flatten(self) -> nn.Module:
        return Merged(nn.Flatten())

    def linear(self, of: nets.Linear) -> nn.Module:
        return Merged(nn.Linear(of.n_in, of.n_out, of.bias))

    def neuron(self) -> nn.Module:
        """None: the limit, which is a net without neurons."""
        return nn.Identity()

    def begin(self, model: nn.Module) -> None:
        """Clears the neurons' state before a batch."""

    def enter(self, image: Tensor) -> Tensor:
        """`(B, c, h, w)` as the layers take it, one step long."""
        return image[None]

    def repeat(self, x: Tensor, steps: int) -> Tensor:
        return x.expand(steps, *x.shape[1:])

    def leave(self, y: Tensor, block: int) -> Tensor:
        """Mean over time and blocks, `(B, classes)`."""
        return y.reshape(*y.shape[:-1], -1, block).mean((0, -1))


class Model(nn.Module):
    """`(B, c, h, w)` integers to `(B, classes)`."""

    def __init__(self, net: nets.Net, kit: Kit) -> None:
        super().__init__()
        self.net = net
        self.kit = kit
        self.head = sequence(net.head, kit)
        self.body = sequence(net.body, kit)

    def forward(self, image: Tensor) -> Tensor:
        self.kit.begin(self)
        x = self.head(self.kit.enter(image / LEVELS))
        if self.kit.stepped:
            y = torch.cat([self.body(x) for _ in range(self.net.steps)])
        else:
            y = self.body(self.kit.repeat(x, self.net.steps))
        return self.kit.leave(y, self.net.block)


def sequence(layers: tuple[nets.Layer, ...], kit: Kit) -> nn.Sequential:
    return nn.Sequential(*(_layer(layer, kit) for layer in layers))


def _layer(layer: nets.Layer, kit: Kit) -> nn.Module:
    build: dict[Any, Any] = {
        nets.Conv: kit.conv,
        nets.Norm: kit.norm,
        nets.MaxPool: kit.max_pool,
        nets.MeanPool: kit.mean_pool,
        nets.Linear: kit.linear,
        nets.Sum: lambda of: Sum(sequence(of.main, kit), sequence(of.shortcut, kit)),
        nets.GlobalMean: lambda of: kit.global_mean(),
        nets.Flatten: lambda of: kit.flatten(),
        nets.Neuron: lambda of: kit.neuron(),
    }
    made: nn.Module = build[type(layer)](layer)
    return made
