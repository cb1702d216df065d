"""What a core's neuron has no field for comes as spikes: a current's bias from a clock, first steps from a pulse.

A core adds its bias to v. Where the bias is to charge the current u, one neuron that fires at every step sends it.
What enters in a sample's first steps only (v that starts elsewhere than at 0, a bias that feedback brings one step
late) is sent by one neuron that fires at a sample's first step: its own spike holds it down until the next clearing.
Without a current, u and v are charged alike, and the bias is the core's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.maps.base import Dense
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.errors import PassError


@dataclass(frozen=True)
class Sources(AbstractPass[Network, Network]):
    name: ClassVar[str] = "sources"

    def run(self, before: Network, options: Options) -> Network:
        taken = {p.name for p in before.populations} | {name for name, _ in before.inputs}
        clock, pulse = _free("clock", taken), _free("pulse", taken)
        populations = []
        projections = list(before.projections)
        for p in before.populations:
            if np.any(p.keep_u) and np.any(p.drive):
                projections.append(Projection(clock, p.name, Dense(p.drive.reshape(-1, 1))))
                p = replace(p, drive=np.zeros(p.shape))
            projections += [
                Projection(pulse, p.name, Dense(x.reshape(-1, 1)), lag=k) for k, x in enumerate(p.first) if np.any(x)
            ]
            populations.append(replace(p, bias=p.bias + p.drive, drive=np.zeros(p.shape), first=()))
        used = {q.source for q in projections}
        new = [_clock(clock)] * (clock in used) + [_pulse(pulse)] * (pulse in used)
        if pulse in used:
            projections.append(Projection(pulse, pulse, Dense(np.array([[-2.0]])), lag=1))
        return replace(before, populations=(*new, *populations), projections=tuple(projections))

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if np.any(p.drive) or p.first]
        if left:
            raise PassError(self.name, "left what no core has a field for", got=left)


def _clock(name: str) -> Population:
    return _one(name, keep_u=0.0)


def _pulse(name: str) -> Population:
    """With -2 from its own spike, which its current keeps."""
    return _one(name, keep_u=1.0)


def _one(name: str, keep_u: float) -> Population:
    zero = np.zeros(1)
    return Population(name, (1,), zero, np.full(1, 0.5), np.full(1, keep_u), bias=np.ones(1), drive=zero)


def _free(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name += "_"
    return name
