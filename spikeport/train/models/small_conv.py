"""A network that a laptop trains in seconds."""

from typing import Any

from torch import nn

from spikeport.train.layer import SpikingLayer
from spikeport.train.models.parts import check_positive, neuron_maker
from spikeport.train.models.source import Source
from spikeport.train.readout import Vote
from spikeport.train.synapses import QuantConv2d, QuantLinear


def small_conv(
    source: Source,
    classes: int,
    *,
    steps: int,
    neuron: str,
    channels: tuple[int, int],
    votes: int,
    **neuron_options: Any,
) -> nn.Sequential:
    """Conv3x3 - neuron - Conv3x3 stride 2 - neuron - Linear - neuron - vote; the first convolution on the host.

    The ALIF network for MNIST (its Table 8) made small: strides for its pooling,
    one linear layer (with batch norm) for its two.

    Args:
        votes: Output neurons per class.
    """
    make = neuron_maker(neuron, **neuron_options)
    check_positive("small_conv", classes=classes, channels=min(channels), votes=votes)
    c, h, w = source.shape
    first, second = channels
    half = ((h + 1) // 2, (w + 1) // 2)
    return nn.Sequential(
        SpikingLayer(
            QuantConv2d(c, first, 3, padding=1, bias=False),
            make(),
            nn.BatchNorm2d(first),
            image=source.image(steps),
        ),
        SpikingLayer(
            QuantConv2d(first, second, 3, stride=2, padding=1, bias=False),
            make(),
            nn.BatchNorm2d(second),
        ),
        nn.Flatten(2),
        SpikingLayer(
            QuantLinear(second * half[0] * half[1], classes * votes, bias=False),
            make(),
            nn.BatchNorm1d(classes * votes),
        ),
        Vote(classes),
    )
