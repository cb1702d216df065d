"""Times Norse: `LIFBoxCell`, lifted over time in each layer or, with the word `steps`, stepped with the whole net."""

import importlib.metadata
from collections.abc import Collection
from typing import Any

import norse.torch as norse
import torch
from torch import Tensor, nn

from spikeport.bench.trainers.layers import Kit, Model
from spikeport.bench.trainers.nets import Net
from spikeport.bench.trainers.session import serve

DT_S = 0.001


def cell() -> nn.Module:
    parameters = norse.LIFBoxParameters(tau_mem_inv=torch.tensor(0.75 / DT_S), v_th=torch.tensor(0.2))
    made: nn.Module = norse.LIFBoxCell(parameters, dt=DT_S)
    return made


class Lifted(nn.Module):
    """All steps of one layer, `(T, B, ...)`."""

    def __init__(self) -> None:
        super().__init__()
        self.lift = norse.Lift(cell())

    def forward(self, current: Tensor) -> Tensor:
        spikes: Tensor = self.lift(current)[0]
        return spikes


class Remembering(nn.Module):
    """One step, the state kept for the next."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = cell()
        self.state: Any = None

    def forward(self, current: Tensor) -> Tensor:
        spikes: Tensor
        spikes, self.state = self.cell(current, self.state)
        return spikes


class Norse(Kit):
    def __init__(self, stepped: bool) -> None:
        self.stepped = stepped

    def neuron(self) -> nn.Module:
        return Remembering() if self.stepped else Lifted()

    def begin(self, model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, Remembering):
                module.state = None


def build(net: Net, words: Collection[str]) -> nn.Module:
    return Model(net, Norse("steps" in words))


if __name__ == "__main__":
    serve(build, lambda: importlib.metadata.version("norse"), note="LIFBoxCell, decay and threshold fixed")
