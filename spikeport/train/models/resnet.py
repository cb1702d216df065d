"""DA-LIF's ResNet-20 and ResNet-19 for CIFAR, on MPBN's backbones without its norm of the membrane."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from spikeport.train.branch import Branch, Shortcut
from spikeport.train.models.parts import Convolutions, check_positive, halved, initialised, neuron_maker
from spikeport.train.models.source import Source
from spikeport.train.readout import Readout
from spikeport.train.residual import Residual
from spikeport.train.synapses import QuantLinear


def resnet20(
    source: Source,
    classes: int,
    *,
    steps: int = 4,
    neuron: str = "dalif",
    width: int = 64,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """3 x [Conv3x3 - BN - neuron] - mean 2x2 - 4 stages of 2 blocks - mean over places - Linear.

    MPBN's `resnet20_cifar_modified`: stages of width, 2, 4 and 8 times width; 11.294 M parameters at 100 classes. A
    block that halves the image goes past itself by a mean over 2 x 2 places and a convolution of one place.

    Args:
        width: Channels of the first stage.
    """
    check_positive("resnet20", classes=classes, width=width)
    halved("resnet20", source.shape[1:], 4)
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm)
    stem = [layers.layer(source.shape[0], width, image=source.image(steps))]
    stem += [layers.layer(width, width) for _ in range(2)]
    body = stages(layers, width, [(width * 2**k, 2) for k in range(4)], nn.AvgPool2d(2), averaged=True)
    return initialised(nn.Sequential(*stem, *body, Readout(QuantLinear(8 * width, classes))))


def resnet19(
    source: Source,
    classes: int,
    *,
    steps: int = 4,
    neuron: str = "dalif",
    width: int = 128,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """Conv3x3 - BN - neuron - stages of 3, 3 and 2 blocks - mean over places - Linear.

    MPBN's `resnet19_cifar`: stages of width, 2 and 4 times width; 12.57 M parameters at 10 classes, 12.62 at 100. A
    block that halves the image goes past itself by a convolution of one place with stride 2.
    """
    check_positive("resnet19", classes=classes, width=width)
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm)
    stem = layers.layer(source.shape[0], width, image=source.image(steps))
    body = stages(layers, width, [(width, 3), (2 * width, 3), (4 * width, 2)])
    return initialised(nn.Sequential(stem, *body, Readout(QuantLinear(4 * width, classes))))


def stages(
    layers: Convolutions,
    c_in: int,
    plan: Sequence[tuple[int, int]],
    pool: nn.AvgPool2d | None = None,
    averaged: bool = False,
) -> list[Residual]:
    """Residual blocks; each stage but the first halves the image.

    Args:
        plan: Channels and blocks of each stage.
        pool: What the first block takes means of.
        averaged: Whether the way past a halving block takes means; else every second place.
    """
    blocks = []
    for stage, (channels, count) in enumerate(plan):
        for number in range(count):
            stride = 2 if stage and not number else 1
            blocks.append(_block(layers, c_in, channels, stride, pool, averaged))
            c_in, pool = channels, None
    return blocks


def _block(
    layers: Convolutions, c_in: int, c_out: int, stride: int, pool: nn.AvgPool2d | None, averaged: bool
) -> Residual:
    """Conv3x3 - BN - neuron - Conv3x3 - BN, plus the way past it, and the neurons of both."""
    past: Branch | Shortcut
    if stride == 1 and c_in == c_out:
        past = Shortcut(pool)
    elif averaged:
        past = layers.branch(c_in, c_out, pool=nn.AvgPool2d(stride))
    else:
        past = layers.branch(c_in, c_out, stride, pool)
    body = nn.Sequential(layers.layer(c_in, c_out, stride=stride, pool=pool))
    return Residual(body, layers.layer(c_out, c_out, shortcut=past))
