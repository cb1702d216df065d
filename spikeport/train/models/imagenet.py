"""DA-LIF's residual networks for ImageNet, on MPBN's backbones."""

from typing import Any

from torch import nn

from spikeport.train.models.parts import Convolutions, check_positive, initialised, neuron_maker
from spikeport.train.models.resnet import stages
from spikeport.train.models.source import Source
from spikeport.train.readout import Readout
from spikeport.train.synapses import QuantLinear

RESNETS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
"""Blocks of each stage; 11.69 and 21.80 M parameters."""


def imagenet_resnet(
    name: str,
    source: Source,
    classes: int,
    *,
    steps: int = 4,
    neuron: str = "dalif",
    width: int = 64,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """Conv7x7 stride 2 - BN - neuron - mean 3x3 stride 2 - four stages - mean over places - Linear.

    Args:
        name: Of `RESNETS`.
        width: Channels of the first stage.
    """
    check_positive(name, width=width)
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm)
    stem = layers.layer(source.shape[0], width, kernel=7, stride=2, image=source.image(steps))
    plan = [(width * 2**k, count) for k, count in enumerate(RESNETS[name])]
    body = stages(layers, width, plan, nn.AvgPool2d(3, 2, 1))
    return initialised(nn.Sequential(stem, *body, Readout(QuantLinear(8 * width, classes))))
