"""A network of the papers the whole way, every layer beside torch's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from spikeport.program import Program
from spikeport.sim import Result
from spikeport.train import MaxPool2d, Readout, SpikingLayer, Vote
from spikeport.train.models import Source, build_model


@dataclass(frozen=True)
class Layer:
    """One layer in torch and in the simulator."""

    name: str
    values: int
    """Spikes and silences, or sums of the readout."""
    differ: int
    mean: float
    """In torch."""


def with_statistics(model: str, source: Source, classes: int, seed: int = 0, **options: object) -> nn.Sequential:
    """The model with the running statistics of random images, and beta around 0.3, so that all layers fire."""
    torch.manual_seed(seed)
    net = build_model(model, source, classes, **options)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
            nn.init.normal_(module.bias, 0.3, 0.3)
    for _ in range(2):
        with torch.no_grad():
            net.train()(images(source, 2))
    return net.eval()


def images(source: Source, count: int) -> Tensor:
    return torch.randint(0, 256, (count, *source.shape))


def steps_of(net: nn.Sequential) -> int:
    return next(m.image.steps for m in net.modules() if isinstance(m, SpikingLayer) and m.image is not None)


def shown(net: nn.Sequential, x: Tensor) -> np.ndarray:
    """Images as the simulator takes them, `(T, B, *in)`."""
    return np.broadcast_to(x.numpy(), (steps_of(net), *x.shape))


def run_torch(net: nn.Sequential, x: Tensor) -> tuple[list[np.ndarray], np.ndarray]:
    """What each layer and each pool of spikes sends, `(T, B, *shape)`, and the net's output `(B, classes)`."""
    with torch.no_grad(), _listening(net) as sent:
        y = net(x)
    return [s.numpy() for s in sent], y.numpy()


@contextmanager
def _listening(net: nn.Sequential) -> Iterator[list[Tensor]]:
    sent: list[Tensor] = []
    heard = [m for m in net.modules() if isinstance(m, SpikingLayer | MaxPool2d)]
    hooks = [m.register_forward_hook(lambda _module, _args, spikes: sent.append(spikes.to(torch.int8))) for m in heard]
    try:
        yield sent
    finally:
        for hook in hooks:
            hook.remove()


def compared(net: nn.Sequential, program: Program, run: Result, sent: list[np.ndarray], y: np.ndarray) -> list[Layer]:
    """Every layer, neuron, step and sample, and the output. The run has recorded all groups that fire."""
    firing = [group for group in program.groups if group.name in run.traces]
    layers = []
    for group, spikes in zip(firing, sent, strict=True):
        first = group.reset_offset - 1  # the hardware step at which the layer's first input arrives, from 0
        found = run.traces[group.name].s[first : first + len(spikes)].reshape(spikes.shape)
        layers.append(_layer(group.name, found, spikes))
    return [*layers, _layer("output", _output(net, run, y.shape), y)]


def firing(program: Program) -> list[str]:
    return [group.name for group in program.groups if group.name not in program.integrators]


def _layer(name: str, found: np.ndarray, wanted: np.ndarray) -> Layer:
    return Layer(name, wanted.size, int(np.sum(found != wanted)), float(wanted.mean()))


def _output(net: nn.Sequential, run: Result, shape: tuple[int, ...]) -> np.ndarray:
    """What the host makes of the chip's output, `(B, classes)`."""
    end, (found,) = net[-1], run.outputs.values()
    assert isinstance(end, Readout | Vote)
    if isinstance(end, Vote):
        votes = found.reshape(len(found), *shape, -1)
        return np.asarray(votes.sum((0, 3)).astype(np.float32) * shape[1] / votes[:, 0].size)
    places = found.reshape(len(found), *shape, -1)
    total = places.sum((0, 3)).astype(np.int64)
    return np.asarray(total * (end.integers().unit / 64 / (len(found) * places.shape[3])))
