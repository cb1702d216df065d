"""DA-LIF's ResNet-18 and ResNet-34 for ImageNet, on MPBN's backbones."""

from typing import Any

from torch import nn

from spikeport.train.models.parts import Convolutions, check_positive, initialised, neuron_maker
from spikeport.train.models.resnet import stages
from spikeport.train.models.source import Source
from spikeport.train.readout import Readout
from spikeport.train.synapses import QuantLinear


def resnet18(
    source: Source,
    classes: int,
    *,
    steps: int = 4,
    neuron: str = "dalif",
    width: int = 64,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """Conv7x7 stride 2 - BN - neuron - mean 3x3 stride 2 - stages of 2, 2, 2 and 2 blocks - mean - Linear: 11.69 M."""
    return _resnet("resnet18", (2, 2, 2, 2), source, classes, steps, neuron, width, norm, neuron_options)


def resnet34(
    source: Source,
    classes: int,
    *,
    steps: int = 4,
    neuron: str = "dalif",
    width: int = 64,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """As ResNet-18, with stages of 3, 4, 6 and 3 blocks: 21.80 M."""
    return _resnet("resnet34", (3, 4, 6, 3), source, classes, steps, neuron, width, norm, neuron_options)


def _resnet(
    name: str,
    blocks: tuple[int, ...],
    source: Source,
    classes: int,
    steps: int,
    neuron: str,
    width: int,
    norm: str,
    neuron_options: dict[str, Any],
) -> nn.Sequential:
    check_positive(name, classes=classes, width=width)
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm)
    stem = layers.layer(source.shape[0], width, kernel=7, stride=2, image=source.image(steps))
    plan = [(width * 2**k, count) for k, count in enumerate(blocks)]
    body = stages(layers, width, plan, nn.AvgPool2d(3, 2, 1))
    return initialised(nn.Sequential(stem, *body, Readout(QuantLinear(8 * width, classes))))
