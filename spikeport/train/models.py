"""Networks by name. Each takes the shape of an image and the number of classes."""

from collections.abc import Callable

from torch import nn

from spikeport.errors import InputError
from spikeport.train.image import Image
from spikeport.train.layer import SpikingLayer, Vote
from spikeport.train.neurons import ALIF, DALIF, AbstractNeuron
from spikeport.train.synapses import QuantConv2d, QuantLinear

NEURONS: dict[str, Callable[..., AbstractNeuron]] = {"alif": ALIF, "dalif": DALIF}


def small_conv(
    image_shape: tuple[int, int, int],
    classes: int,
    *,
    steps: int,
    neuron: str,
    channels: tuple[int, int],
    votes: int,
    **neuron_options: float,
) -> nn.Sequential:
    """Conv3x3 - neuron - Conv3x3 stride 2 - neuron - Linear - neuron - vote; the first convolution on the host.

    The ALIF network for MNIST (its Table 8) made small: strides for its pooling,
    one linear layer (with batch norm) for its two.

    Args:
        votes: Output neurons per class.
    """
    make = _neuron(neuron)
    for option, value in (("channels", min(channels)), ("votes", votes)):
        if value < 1:
            raise InputError("model small_conv", option, got=value, relation="is not above", limit=0)
    c, h, w = image_shape
    first, second = channels
    half = ((h + 1) // 2, (w + 1) // 2)
    return nn.Sequential(
        SpikingLayer(
            QuantConv2d(c, first, 3, padding=1, bias=False),
            make(**neuron_options),
            nn.BatchNorm2d(first),
            image=Image(steps),
        ),
        SpikingLayer(
            QuantConv2d(first, second, 3, stride=2, padding=1, bias=False),
            make(**neuron_options),
            nn.BatchNorm2d(second),
        ),
        nn.Flatten(2),
        SpikingLayer(
            QuantLinear(second * half[0] * half[1], classes * votes, bias=False),
            make(**neuron_options),
            nn.BatchNorm1d(classes * votes),
        ),
        Vote(classes),
    )


MODELS: dict[str, Callable[..., nn.Sequential]] = {"small_conv": small_conv}


def build_model(name: str, image_shape: tuple[int, int, int], classes: int, **options: object) -> nn.Sequential:
    """Raises InputError if the name or an option is unknown."""
    if name not in MODELS:
        raise InputError("model", "name", got=name, relation="is not one of", limit=", ".join(MODELS))
    try:
        return MODELS[name](image_shape, classes, **options)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:  # what Python and torch say of odd options
        raise InputError(f"model {name}", "options", got=error) from error


def _neuron(name: str) -> Callable[..., AbstractNeuron]:
    if name not in NEURONS:
        raise InputError("model", "neuron", got=name, relation="is not one of", limit=", ".join(NEURONS))
    return NEURONS[name]
