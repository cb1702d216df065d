"""SP3..: torch modules that become NIR, and Programs that become modules."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from spikeport.commands.autoencoders.compile import deployed
from spikeport.export import from_program, to_nir
from spikeport.train import ALIF, Dynamics, MaxPool2d, QuantConv2d, QuantLinear, SpikingLayer, Vote
from tests.bundles import random_model
from tests.export.small import one, residual

Patch = pytest.MonkeyPatch
SPIKES, MAPS = torch.zeros(3, 1, 4), torch.zeros(3, 1, 1, 6, 6)


def linear(n_in: int, n_out: int, **neuron: Any) -> SpikingLayer:
    return SpikingLayer(QuantLinear(n_in, n_out), ALIF(**neuron))


def sp300(patch: Patch) -> None:
    to_nir(nn.Sequential(linear(4, 4), nn.ReLU()), SPIKES)


def sp301(patch: Patch) -> None:
    to_nir(linear(4, 2), SPIKES, dt_s=0)


def sp302(patch: Patch) -> None:
    to_nir(nn.Sequential(linear(4, 4), Vote(2), linear(2, 2)), SPIKES)


def sp303(patch: Patch) -> None:
    to_nir(nn.Sequential(SpikingLayer(QuantConv2d(1, 2, 3), ALIF()), linear(4, 2)), MAPS)


def sp304(patch: Patch) -> None:
    to_nir(nn.Sequential(linear(4, 4), linear(4, 2, dynamics=Dynamics(reset="subtract"))), SPIKES)


def sp305(patch: Patch) -> None:
    layer = linear(4, 2)
    with torch.no_grad():
        layer.synapse.weight[0, 0] = float("nan")
    to_nir(layer, SPIKES)


def sp306(patch: Patch) -> None:
    to_nir(nn.Sequential(SpikingLayer(QuantConv2d(1, 2, 3), ALIF()), MaxPool2d(3, ceil_mode=True)), MAPS)


def sp307(patch: Patch) -> None:
    deployed(random_model("fsvae"))


def sp308(patch: Patch) -> None:
    from_program(one([[2, 4]], refractory_steps=2))


def sp309(patch: Patch) -> None:
    program = residual()
    groups = (*program.groups[:2], replace(program.groups[2], reset_interval=64))
    from_program(replace(program, groups=groups))


def sp310(patch: Patch) -> None:
    network = from_program(one([[2, 4]]))
    network.steps = 12
    to_nir(network)
