"""The nets that every framework trains, as plain descriptions without torch."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Conv:
    """Convolution without bias, as many rows as columns."""

    c_in: int
    c_out: int
    kernel: int = 3
    stride: int = 1

    @property
    def padding(self) -> int:
        return self.kernel // 2


@dataclass(frozen=True)
class Norm:
    """Batch norm with gain and offset, over time and batch."""

    channels: int


@dataclass(frozen=True)
class Neuron:
    """Spiking neurons; each framework has its own."""


@dataclass(frozen=True)
class MaxPool:
    size: int


@dataclass(frozen=True)
class MeanPool:
    size: int


@dataclass(frozen=True)
class GlobalMean:
    """`(c, h, w)` to `(c,)`."""


@dataclass(frozen=True)
class Flatten:
    """`(c, h, w)` to `(c h w,)`."""


@dataclass(frozen=True)
class Linear:
    n_in: int
    n_out: int
    bias: bool = False


@dataclass(frozen=True)
class Sum:
    """Both branches on the same input, added; an empty branch passes it on."""

    main: tuple["Layer", ...]
    shortcut: tuple["Layer", ...]


Layer: TypeAlias = Conv | Norm | Neuron | MaxPool | MeanPool | GlobalMean | Flatten | Linear | Sum


@dataclass(frozen=True)
class Net:
    """An image is shown for `steps` steps; the output is the mean over time and equal blocks.

    `head` sees the same in each step, so it is computed once; `body` is computed in each step.
    """

    shape: tuple[int, int, int]
    steps: int
    batch: int
    """That a machine of two cores trains in about a second."""
    head: tuple[Layer, ...]
    body: tuple[Layer, ...]
    classes: int
    block: int = 1
    """Outputs of a class."""


def parameters(layers: tuple[Layer, ...]) -> int:
    """Weights, biases, gains and offsets; the neurons have none here."""
    return sum(map(_parameters, layers))


def _parameters(layer: Layer) -> int:
    match layer:
        case Conv():
            return layer.c_in * layer.c_out * layer.kernel**2
        case Norm():
            return 2 * layer.channels
        case Linear():
            return layer.n_in * layer.n_out + layer.bias * layer.n_out
        case Sum():
            return parameters(layer.main) + parameters(layer.shortcut)
        case _:
            return 0


def _conv(c_in: int, c_out: int, stride: int = 1, kernel: int = 3) -> tuple[Layer, ...]:
    return (Conv(c_in, c_out, kernel, stride), Norm(c_out))


def _block(c_in: int, c_out: int, stride: int) -> tuple[Layer, ...]:
    """A basic block of MPBN's `resnet20_cifar_modified`, without its membrane batch norm."""
    main = (*_conv(c_in, c_out, stride), Neuron(), *_conv(c_out, c_out))
    pool: tuple[Layer, ...] = (MeanPool(stride),) if stride > 1 else ()
    shortcut = () if (c_in, stride) == (c_out, 1) else (*pool, *_conv(c_in, c_out, kernel=1))
    return (Sum(main, shortcut), Neuron())


def small(side: int = 8, channels: int = 4) -> Net:
    """Shows in a moment that a framework runs."""
    body = (Neuron(), MaxPool(2), *_block(channels, 2 * channels, 2), Flatten(),
            Linear(2 * channels * (side // 4) ** 2, 20), Neuron())  # fmt: skip
    return Net((1, side, side), 3, 2, _conv(1, channels), body, 10, block=2)


def alif_fashion(side: int = 28, channels: int = 128) -> Net:
    """ALIF's net for MNIST and Fashion-MNIST (its Table 8), without dropout: 13.199 M parameters."""
    flat = channels * (side // 4) ** 2
    body = (Neuron(), MaxPool(2), *_conv(channels, channels), Neuron(), MaxPool(2), Flatten(),
            Linear(flat, 2048), Neuron(), Linear(2048, 100), Neuron())  # fmt: skip
    return Net((1, side, side), 8, 16, _conv(1, channels), body, 10, block=10)


def dalif_resnet20(classes: int = 100) -> Net:
    """DA-LIF's ResNet-20 for CIFAR: 11.294 M parameters with 100 classes."""
    widths = (64, 64, 128, 256, 512)
    stem = (Neuron(), *_conv(64, 64), Neuron(), *_conv(64, 64), Neuron(), MeanPool(2))
    stages = [
        layer
        for stage, (c_in, c_out) in enumerate(zip(widths, widths[1:], strict=False))
        for layer in (*_block(c_in, c_out, 2 if stage else 1), *_block(c_out, c_out, 1))
    ]
    body = (*stem, *stages, GlobalMean(), Linear(512, classes, bias=True))
    return Net((3, 32, 32), 4, 8, _conv(3, 64), body, classes)


NETS = {"alif_fashion": alif_fashion(), "dalif_resnet20": dalif_resnet20(), "small": small()}
