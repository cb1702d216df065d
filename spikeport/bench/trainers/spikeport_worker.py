"""Times spikeport's own training; with the word `quantized` in the deployable form, else in float."""

from collections.abc import Collection

from torch import nn

import spikeport
from spikeport.bench.trainers.layers import LEVELS
from spikeport.bench.trainers.nets import NETS, Net
from spikeport.bench.trainers.session import serve
from spikeport.errors import UnknownName
from spikeport.train.layer import set_quantize
from spikeport.train.models import Source, build_model

MODELS: dict[str, tuple[str, dict[str, float]]] = {
    "alif_fashion": ("alif_net", {"dropout": 0.0}),
    "dalif_resnet20": ("resnet20", {}),
}


def build(net: Net, words: Collection[str]) -> nn.Module:
    (name,) = (name for name, known in NETS.items() if known == net)
    if name not in MODELS:
        raise UnknownName("spikeport", "net", got=name, relation="is not one of", limit=", ".join(MODELS))
    model, options = MODELS[name]
    source = Source(net.shape, high=LEVELS, scale=1 / LEVELS)
    made = build_model(model, source, net.classes, steps=net.steps, **options)
    set_quantize(made, "quantized" in words)
    return made


if __name__ == "__main__":
    serve(build, lambda: spikeport.__version__, note="learnable neurons, reset to zero")
