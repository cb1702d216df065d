"""What a core's neuron has no field for comes as spikes: a current's bias from a clock, first steps from a pulse.

The pulse fires once, at a sample's first step; its own spike holds it down until the next clearing. It sends what
enters in the first steps only: v that starts elsewhere than at 0, a bias that feedback brings one step late. It also
starts the clock, which then keeps itself going and fires at every step. A core adds its bias to v; what is to charge
the current u at every step, the clock sends. Without a current, u and v are charged alike, and the bias is the core's.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.maps.base import Dense
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.errors import PassError

CLOCK, PULSE = "spikeport.clock", "spikeport.pulse"


@dataclass(frozen=True)
class Sources(AbstractPass[Network, Network]):
    name: ClassVar[str] = "sources"

    def run(self, before: Network, options: Options) -> Network:
        charged = [p.name for p in before.populations if np.any(p.keep_u) and np.any(p.drive)]
        network = _pulsed(clocked(before, charged, options.reset_interval), options.reset_interval)
        populations = tuple(replace(p, bias=p.bias + p.drive, drive=np.zeros(p.shape)) for p in network.populations)
        return replace(network, populations=populations)

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if np.any(p.drive) or p.first]
        if left:
            raise PassError(self.name, "left what no core has a field for", got=left)


def clocked(network: Network, names: Collection[str], interval: int, with_bias: bool = False) -> Network:
    """The same; the clock sends the drive of these populations, and their bias if told so.

    A bias through the current is one that the pulse brings there and the clock keeps up: each step it adds what decays.

    Args:
        interval: Steps between two clearings.
    """
    if not names:
        return network
    populations: list[Population] = []
    projections = list(network.projections)
    for p in network.populations:
        if p.name in names:
            moved = p.bias if with_bias else np.zeros(p.shape)
            each, once = p.drive + (1 - p.keep_u) * moved, p.keep_u * moved
            projections.append(Projection(CLOCK, p.name, Dense(each.reshape(-1, 1))))
            if np.any(once):
                projections.append(Projection(PULSE, p.name, Dense(once.reshape(-1, 1))))
            p = replace(p, drive=np.zeros(p.shape), bias=p.bias - moved)
        populations.append(p)
    network = replace(network, populations=tuple(populations), projections=tuple(projections))
    return network if CLOCK in {p.name for p in populations} else _with_clock(network, interval)


def _with_clock(network: Network, interval: int) -> Network:
    network = _with_pulse(network, interval)
    start, again = Projection(PULSE, CLOCK, _weight(2.0)), Projection(CLOCK, CLOCK, _weight(2.0), lag=1)
    pulse, *others = network.populations
    clock = _neuron(CLOCK, keep_v=0.0, bias=0.0)
    return replace(network, populations=(pulse, clock, *others), projections=(*network.projections, start, again))


def _with_pulse(network: Network, interval: int) -> Network:
    if PULSE in {p.name for p in network.populations}:
        return network
    lags = [lag for lag in (1, 2) if lag < interval]  # a later one would meet the next sample's pulse
    down = tuple(Projection(PULSE, PULSE, _weight(-_hold(interval)), lag=lag) for lag in lags)
    pulse = _neuron(PULSE, keep_v=1.0, bias=65 / 64)
    return replace(network, populations=(pulse, *network.populations), projections=(*network.projections, *down))


def _hold(interval: int) -> float:
    """Twice of it, in thresholds of 1, outweighs a bias of 65/64 for so many steps.

    It is no larger than it must be, so that v is proven to keep within its word; and weight 1 is worth a power of two.
    """
    least = max(16.0, 0.625 * interval)
    exp = max(0, int(np.ceil(np.log2(least / 255))))
    return least if exp <= 3 else 255.0 * 2**exp


def _pulsed(network: Network, interval: int) -> Network:
    """The same; the pulse sends what enters in the first steps."""
    sent = [
        Projection(PULSE, p.name, Dense(x.reshape(-1, 1)), lag=k)
        for p in network.populations
        for k, x in enumerate(p.first)
        if np.any(x)
    ]
    if not sent:
        return network
    populations = tuple(replace(p, first=()) for p in network.populations)
    return _with_pulse(replace(network, populations=populations, projections=(*network.projections, *sent)), interval)


def _neuron(name: str, keep_v: float, bias: float) -> Population:
    zero = np.zeros(1)
    full = np.full(1, bias)
    return Population(name, (1,), np.full(1, keep_v), np.ones(1), keep_u=zero, bias=full, drive=zero, helper=True)


def _weight(value: float) -> Dense:
    return Dense(np.full((1, 1), value))
