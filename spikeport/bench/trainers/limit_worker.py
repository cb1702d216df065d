"""Times the net without its neurons in torch alone: what no training of the net with neurons can beat by much."""

from collections.abc import Collection

import torch
from torch import nn

from spikeport.bench.trainers.layers import Kit, Model
from spikeport.bench.trainers.nets import Net
from spikeport.bench.trainers.session import serve


def build(net: Net, words: Collection[str]) -> nn.Module:
    return Model(net, Kit())


if __name__ == "__main__":
    serve(build, lambda: str(torch.__version__), note="no neurons")
