"""Times SpikingJelly: its multi-step layers and `ParametricLIFNode`, which picks its own kernels on a GPU."""

import importlib.metadata
from collections.abc import Collection

from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import nn

from spikeport.bench.trainers import nets
from spikeport.bench.trainers.layers import Kit, Model
from spikeport.bench.trainers.session import serve


class SpikingJelly(Kit):
    def conv(self, of: nets.Conv) -> nn.Module:
        return layer.Conv2d(of.c_in, of.c_out, of.kernel, of.stride, of.padding, bias=False, step_mode="m")

    def norm(self, of: nets.Norm) -> nn.Module:
        return layer.BatchNorm2d(of.channels, step_mode="m")

    def max_pool(self, of: nets.MaxPool) -> nn.Module:
        return layer.MaxPool2d(of.size, step_mode="m")

    def mean_pool(self, of: nets.MeanPool) -> nn.Module:
        return layer.AvgPool2d(of.size, step_mode="m")

    def global_mean(self) -> nn.Module:
        return nn.Sequential(layer.AdaptiveAvgPool2d(1, step_mode="m"), layer.Flatten(step_mode="m"))

    def flatten(self) -> nn.Module:
        return layer.Flatten(step_mode="m")

    def linear(self, of: nets.Linear) -> nn.Module:
        return layer.Linear(of.n_in, of.n_out, of.bias, step_mode="m")

    def neuron(self) -> nn.Module:
        return neuron.ParametricLIFNode(
            4 / 3,
            decay_input=False,
            v_threshold=0.2,
            surrogate_function=surrogate.ATan(),
            detach_reset=True,
            step_mode="m",
        )

    def begin(self, model: nn.Module) -> None:
        functional.reset_net(model)


def build(net: nets.Net, words: Collection[str]) -> nn.Module:
    return Model(net, SpikingJelly())


if __name__ == "__main__":
    note = "multi-step ParametricLIFNode, learnable decay, reset to zero"
    serve(build, lambda: importlib.metadata.version("spikingjelly"), note=note)
