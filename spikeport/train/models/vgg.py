"""DA-LIF's VGG-16 and VGG-11: configurations D and A, with means for the pooling, and batch norm."""

from typing import Any

from torch import nn

from spikeport.train.models.parts import Convolutions, check_positive, halved, initialised, neuron_maker
from spikeport.train.models.source import Source
from spikeport.train.readout import Readout
from spikeport.train.synapses import QuantLinear

STAGES = (1, 2, 4, 8, 8)
"""Channels of each stage, in widths; a mean over 2 x 2 places follows each."""


def vgg16(
    source: Source,
    classes: int,
    *,
    steps: int = 4,
    neuron: str = "dalif",
    width: int = 64,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """Stages of 2, 2, 3, 3 and 3 convolutions, mean over places, Linear: 14.73 M parameters at 10 classes."""
    return _vgg("vgg16", (2, 2, 3, 3, 3), source, classes, steps, neuron, width, norm, neuron_options)


def vgg11(
    source: Source,
    classes: int,
    *,
    steps: int = 16,
    neuron: str = "dalif",
    width: int = 64,
    norm: str = "bn",
    **neuron_options: Any,
) -> nn.Sequential:
    """Stages of 1, 1, 2, 2 and 2 convolutions, mean over places, Linear: 9.23 M parameters.

    DA-LIF's network for DVS128 Gesture; which configuration it is the paper does not say.
    """
    return _vgg("vgg11", (1, 1, 2, 2, 2), source, classes, steps, neuron, width, norm, neuron_options)


def _vgg(
    name: str,
    convs: tuple[int, ...],
    source: Source,
    classes: int,
    steps: int,
    neuron: str,
    width: int,
    norm: str,
    neuron_options: dict[str, Any],
) -> nn.Sequential:
    check_positive(name, classes=classes, width=width)
    halved(name, source.shape[1:], len(convs))
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm, bias=True)
    modules: list[nn.Module] = []
    c_in = source.shape[0]
    for stage, (count, widths) in enumerate(zip(convs, STAGES, strict=True)):
        for number in range(count):
            image = None if modules else source.image(steps)
            pool = nn.AvgPool2d(2) if stage and not number else None
            modules.append(layers.layer(c_in, widths * width, image=image, pool=pool))
            c_in = widths * width
    # the mean after the last stage is part of that over all places
    return initialised(nn.Sequential(*modules, Readout(QuantLinear(c_in, classes))))
