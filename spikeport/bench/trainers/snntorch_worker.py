"""Times snnTorch: `Leaky` steps in Python, inside each layer or, with the word `steps`, around the whole net."""

from collections.abc import Collection

import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

from spikeport.bench.trainers.layers import Kit, Model
from spikeport.bench.trainers.nets import Net
from spikeport.bench.trainers.session import serve


def leaky(*, hidden: bool) -> nn.Module:
    learn = {"learn_beta": True, "learn_threshold": True}
    gradient = surrogate.fast_sigmoid()
    made: nn.Module = snntorch.Leaky(
        0.25, 0.2, spike_grad=gradient, reset_mechanism="zero", init_hidden=hidden, **learn
    )
    return made


class Stepping(nn.Module):
    """All steps of one layer, `(T, B, ...)`."""

    def __init__(self) -> None:
        super().__init__()
        self.neuron = leaky(hidden=False)

    def forward(self, current: Tensor) -> Tensor:
        membrane = torch.zeros_like(current[0])
        spikes = []
        for x in current:
            spike, membrane = self.neuron(x, membrane)
            spikes.append(spike)
        return torch.stack(spikes)


class SnnTorch(Kit):
    def __init__(self, stepped: bool) -> None:
        self.stepped = stepped

    def neuron(self) -> nn.Module:
        return leaky(hidden=True) if self.stepped else Stepping()

    def begin(self, model: nn.Module) -> None:
        if self.stepped:
            for module in model.modules():
                if isinstance(module, snntorch.Leaky):
                    module.mem = torch.zeros(0, device=module.beta.device)


def build(net: Net, words: Collection[str]) -> nn.Module:
    return Model(net, SnnTorch("steps" in words))


if __name__ == "__main__":
    serve(build, lambda: str(snntorch.__version__), note="Leaky with learnable decay and threshold, reset to zero")
