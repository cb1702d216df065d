"""The networks of ALIF's Table 8, which are PLIF's."""

from typing import Any

from torch import nn

from spikeport.errors import UnknownName
from spikeport.train.dropout import SpikeDropout
from spikeport.train.models.parts import Convolutions, check_positive, halved, neuron_maker
from spikeport.train.models.source import Source
from spikeport.train.pools import MaxPool2d
from spikeport.train.readout import Vote

BLOCKS = 2


def alif_net(
    source: Source,
    classes: int,
    *,
    steps: int = 8,
    neuron: str = "alif",
    channels: int = 128,
    convs: int = 1,
    hidden: int = 2048,
    votes: int = 10,
    dropout: float = 0.5,
    pool: str = "max",
    norm: str = "bn",
    linear_norm: bool = False,
    **neuron_options: Any,
) -> nn.Sequential:
    """{{Conv3x3 - BN - neuron} x convs - pool 2x2} x 2 - dropout - Linear - neuron - dropout - Linear - neuron - vote.

    MNIST: 128 channels, 1 convolution a block (13.2 M parameters); CIFAR-10: 256 channels, 3 convolutions. The first
    convolution sees a constant image and runs once. Batch norm is that of all steps together.

    Args:
        hidden: Neurons of the first linear layer.
        votes: Output neurons per class.
        dropout: Probability; one mask for all steps of a sample.
        linear_norm: Whether batch norm follows the linear layers, too; in the paper it does not.
        pool: "max", as in the paper, or "average", which is folded into the next layer and needs no neurons.
    """
    check_positive("alif_net", classes=classes, channels=channels, convs=convs, hidden=hidden, votes=votes)
    if pool not in ("max", "average"):
        raise UnknownName("model alif_net", "pool", got=pool, relation="is not one of", limit="max, average")
    layers = Convolutions(neuron_maker(neuron, **neuron_options), norm)
    c_in, h, w = source.shape
    h, w = halved("alif_net", (h, w), BLOCKS)
    modules: list[nn.Module] = []
    mean: nn.AvgPool2d | None = None
    for block in range(BLOCKS):
        for conv in range(convs):
            first = source.image(steps) if block == conv == 0 else None
            modules.append(layers.layer(c_in, channels, image=first, pool=mean if conv == 0 else None))
            c_in = channels
        if pool == "max":
            modules.append(MaxPool2d(2))
        else:
            mean = nn.AvgPool2d(2)
    modules += [] if mean is not None else [nn.Flatten(2)]
    modules += [SpikeDropout(dropout)] if dropout else []
    modules.append(layers.linear(channels * h * w, hidden, linear_norm, mean))
    modules += [SpikeDropout(dropout)] if dropout else []
    modules.append(layers.linear(hidden, classes * votes, linear_norm))
    return nn.Sequential(*modules, Vote(classes))
