"""Times lava-dl's SLAYER: its synapses and CUBA neurons without current decay, on tensors with time last."""

import importlib.metadata
import sys
from collections.abc import Collection
from types import ModuleType

import torch
from torch import Tensor, nn

from spikeport.bench.trainers import nets
from spikeport.bench.trainers.layers import Kit, Model
from spikeport.bench.trainers.session import serve

# SLAYER imports its object detection, which wants torchvision and OpenCV; no neuron needs it.
sys.modules["lava.lib.dl.slayer.object_detection"] = ModuleType("object_detection")
from lava.lib.dl import slayer  # noqa: E402


class Slayer(Kit):
    """`(B, c, h, w, T)`, and `(B, n, T)` behind flattening."""

    def conv(self, of: nets.Conv) -> nn.Module:
        made: nn.Module = slayer.synapse.Conv(of.c_in, of.c_out, of.kernel, of.stride, of.padding)
        return made

    def norm(self, of: nets.Norm) -> nn.Module:
        return nn.BatchNorm3d(of.channels)

    def max_pool(self, of: nets.MaxPool) -> nn.Module:
        return nn.MaxPool3d((of.size, of.size, 1))

    def mean_pool(self, of: nets.MeanPool) -> nn.Module:
        return nn.AvgPool3d((of.size, of.size, 1))

    def global_mean(self) -> nn.Module:
        return nn.Sequential(nn.AdaptiveAvgPool3d((1, 1, None)), nn.Flatten(1, 3))

    def flatten(self) -> nn.Module:
        return nn.Flatten(1, 3)

    def linear(self, of: nets.Linear) -> nn.Module:
        made: nn.Module = slayer.synapse.Dense(of.n_in, of.n_out)
        if of.bias:
            made.bias = nn.Parameter(torch.zeros(of.n_out))
        return made

    def neuron(self) -> nn.Module:
        made: nn.Module = slayer.neuron.cuba.Neuron(0.2, current_decay=1.0, voltage_decay=0.75, requires_grad=True)
        return made

    def enter(self, image: Tensor) -> Tensor:
        return image[..., None]

    def repeat(self, x: Tensor, steps: int) -> Tensor:
        return x.expand(*x.shape[:-1], steps)

    def leave(self, y: Tensor, block: int) -> Tensor:
        return y.mean(-1).reshape(len(y), -1, block).mean(-1)


def build(net: nets.Net, words: Collection[str]) -> nn.Module:
    return Model(net, Slayer())


if __name__ == "__main__":
    note = "CUBA without current decay, learnable decays, states in integers"
    serve(build, lambda: importlib.metadata.version("lava-dl"), note=note)
