"""Neurons that count on a grid and fire at their threshold, not above it: v starts half a step up, and ties are gone.

A core compares with >, and what a spike takes off is the threshold that it compares with. A threshold one unit lower
lets ties fire, but takes a unit too little off at each spike. Where v keeps all and everything that enters it is a
multiple of one step, v >= threshold is v + step / 2 > threshold, and half a step stays what it is.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.maps.weights import weights_of
from spikeport.deploy.network import Network, Population
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.quantize.on_grid import common_step


@dataclass(frozen=True)
class Ties(AbstractPass[Network, Network]):
    name: ClassVar[str] = "ties"

    def run(self, before: Network, options: Options) -> Network:
        images = {name for name, _ in before.inputs} if options.input == "bias" else set()
        hosted = {q.target for q in before.projections if q.source in images}
        populations = tuple(p if p.name in hosted else _lifted(before, p) for p in before.populations)
        return replace(before, populations=populations)


def _lifted(network: Network, p: Population) -> Population:
    """The same neurons with > for >=, where that can be."""
    counts = p.fires and p.at_threshold and p.reset == "subtract" and np.all(p.keep_v == 1) and not np.any(p.keep_u)
    into = network.into(p.name)
    if not counts or not into:
        return p
    entering = [weights_of(q.map) for q in into] + [p.threshold, p.bias + p.drive, *p.first]
    step = common_step(np.concatenate([x.reshape(-1) for x in entering]))
    if step is None:
        return p
    first = [*p.first] or [np.zeros(p.shape)]
    return replace(p, at_threshold=False, first=(first[0] + step / 2, *first[1:]))
