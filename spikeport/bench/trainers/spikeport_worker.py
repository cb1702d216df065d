"""Times spikeport's own training; with the word `quantized` in the deployable form, else in float."""

from collections.abc import Callable, Collection

from torch import nn

import spikeport
from spikeport.bench.trainers.layers import LEVELS
from spikeport.bench.trainers.nets import NETS, Net
from spikeport.bench.trainers.session import serve
from spikeport.errors import InputError
from spikeport.train.image import Image
from spikeport.train.layer import SpikingLayer, Vote, set_quantize
from spikeport.train.neurons import ALIF
from spikeport.train.pools import MaxPool2d
from spikeport.train.synapses import QuantConv2d, QuantLinear


def alif_fashion(net: Net) -> nn.Sequential:
    channels, flat = 128, 6272
    image = Image(net.steps, high=LEVELS, scale=1 / LEVELS)

    def conv(c_in: int, image: Image | None = None) -> SpikingLayer:
        synapse = QuantConv2d(c_in, channels, 3, padding=1, bias=False)
        return SpikingLayer(synapse, ALIF(), nn.BatchNorm2d(channels), image=image)

    return nn.Sequential(
        conv(1, image),
        MaxPool2d(2),
        conv(channels),
        MaxPool2d(2),
        nn.Flatten(2),
        SpikingLayer(QuantLinear(flat, 2048, bias=False), ALIF()),
        SpikingLayer(QuantLinear(2048, 100, bias=False), ALIF()),
        Vote(net.classes),
    )


MODELS: dict[str, Callable[[Net], nn.Sequential]] = {"alif_fashion": alif_fashion}


def build(net: Net, words: Collection[str]) -> nn.Module:
    (name,) = (name for name, known in NETS.items() if known == net)
    if name not in MODELS:
        raise InputError("spikeport", "net", got=name, relation="is not one of", limit=", ".join(MODELS))
    model = MODELS[name](net)
    set_quantize(model, "quantized" in words)
    return model


if __name__ == "__main__":
    serve(build, lambda: spikeport.__version__, note="learnable neurons, reset to zero")
