"""Bring a neuron and a layer of your own, from torch to the chip's integers, without a change in spikeport.

    python examples/custom_neuron.py           # a quarter of a minute on one core

train    a neuron is three scalars, however they come about; its integers follow from them
export   a layer that maps spikes to spikes is written as a NIR node, here of a kind that NIR does not have
deploy   such a node is lowered to known ones, which the passes fuse into the synapses behind it
sim      has nothing to add: what is left are a chip's neurons (README.md here says why no script brings new ones)"""

import sys
from dataclasses import dataclass

import nir
import numpy as np
import torch
from torch import Tensor, nn

from spikeport import train
from spikeport.deploy import compile_graph, register_node
from spikeport.export import register_layer, to_nir
from spikeport.sim import decide, simulate


class ExactLIF(train.AbstractNeuron):
    """tau dv/dt = x - v, solved exactly over a step of 1 ms; tau learns, and a spike takes the threshold off."""

    def __init__(self, tau_ms: float) -> None:
        super().__init__(train.Dynamics(reset="subtract"))
        self.log_tau = nn.Parameter(torch.tensor(tau_ms).log())

    def keep(self) -> Tensor:
        return torch.exp(-1 / self.log_tau.exp())

    def gain(self) -> Tensor:
        return 1 - self.keep()

    def threshold(self) -> Tensor:
        return torch.full_like(self.log_tau, 0.2)


class Shuffle(nn.Module):
    """Mixes the channels of a grouped convolution for the next one (ShuffleNet, arXiv:1707.01083)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (4, -1)).transpose(2, 3).flatten(2, 3)


@dataclass(eq=False)
class ChannelOrder(nir.NIRNode):  # type: ignore[misc]
    order: np.ndarray  # output channel k is input channel order[k]


def write(layer: Shuffle, shape: tuple[int, ...]) -> ChannelOrder:
    return ChannelOrder(layer(torch.arange(shape[0])[None, None]).flatten().numpy())


def lower(fields: dict[str, np.ndarray]) -> nir.Conv2d:
    weight = np.eye(len(fields["order"]))[fields["order"]][:, :, None, None]
    return nir.Conv2d(None, weight, (1, 1), (0, 0), (1, 1), 1, np.zeros(len(weight)))


def main() -> int:
    torch.manual_seed(0)
    register_layer(Shuffle, write)
    register_node("ChannelOrder", lower)
    first = train.SpikingLayer(train.QuantConv2d(1, 16, 3), ExactLIF(2.0), nn.BatchNorm2d(16), image=train.Image(8))
    second = train.SpikingLayer(train.QuantConv2d(16, 32, 3, groups=4), ExactLIF(2.0), nn.BatchNorm2d(32))
    last = train.SpikingLayer(train.QuantLinear(512, 100), ExactLIF(4.0))
    net, data = nn.Sequential(first, Shuffle(), second, nn.Flatten(2), last, train.Vote(10)), train.load_data("digits")
    train.fit(net, data, train.load_recipe("digits", [f"train.epochs={1 if '--quick' in sys.argv else 8}"]))
    images = torch.from_numpy(data.test.images[:])
    result = simulate(compile_graph(to_nir(net.eval(), images)), np.broadcast_to(images.numpy(), (8, *images.shape)))
    differing = int((net[:-1](images).numpy() != result.spikes).sum())
    accuracy = np.mean(decide(result.spikes, 10) == data.test.labels)
    print(f"accuracy {accuracy:.2%}; torch and simulator: {differing} of {result.spikes.size:,} output spikes differ")
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
