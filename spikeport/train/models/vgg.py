"""DA-LIF's VGG networks, with means for the pooling, and batch norm."""

from typing import Any

from torch import nn

from spikeport.train.models.parts import Convolutions, check_positive, halved, initialised, neuron_maker
from spikeport.train.models.source import Source
from spikeport.train.readout import Readout
from spikeport.train.synapses import QuantLinear

STAGES = (1, 2, 4, 8, 8)
"""Channels of each stage, in widths; a mean over 2 x 2 places follows each."""
VGGS = {"vgg11": (1, 1, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3)}
"""Convolutions of each stage. vgg16 is configuration D, 14.73 M parameters at 10 classes; vgg11 is A, 9.23 M: DA-LIF's
network for DVS128 Gesture, of which the paper does not say more."""


def vgg(
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
    """Stages of Conv3x3 - BN - neuron, mean over places, Linear.

    Args:
        name: Of `VGGS`.
        width: Channels of the first stage.
    """
    check_positive(name, width=width)
    halved(name, source.shape[1:], len(STAGES))
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm, bias=True)
    modules: list[nn.Module] = []
    c_in = source.shape[0]
    for stage, (count, widths) in enumerate(zip(VGGS[name], STAGES, strict=True)):
        for number in range(count):
            image = None if modules else source.image(steps)
            pool = nn.AvgPool2d(2) if stage and not number else None
            modules.append(layers.layer(c_in, widths * width, image=image, pool=pool))
            c_in = widths * width
    # the mean after the last stage is part of that over all places
    return initialised(nn.Sequential(*modules, Readout(QuantLinear(c_in, classes))))
