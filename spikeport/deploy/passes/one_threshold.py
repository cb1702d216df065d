"""A core's neurons share one threshold: those that differ are scaled, with all that enters them, until they agree.

Neurons with a reset to 0, or by the threshold, send the same spikes at any scale.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.maps.select import scaled_rows
from spikeport.deploy.network import Network, Population
from spikeport.deploy.nodes import Floats
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.errors import NeuronUnlowered, PassError


@dataclass(frozen=True)
class OneThreshold(AbstractPass[Network, Network]):
    name: ClassVar[str] = "one_threshold"

    def requires(self, before: Network, options: Options) -> None:
        for p in before.populations:
            if p.fires and np.ptp(p.threshold) and p.threshold.min() <= 0:
                got, do = float(p.threshold.min()), "raise it, no scale makes it one with the layer's others"
                raise NeuronUnlowered(p.name, "threshold", got=got, relation="is not above", limit=0, do=do)

    def run(self, before: Network, options: Options) -> Network:
        factors = {p.name: _factor(p) for p in before.populations if p.fires and np.ptp(p.threshold)}
        populations = tuple(_scaled(p, factors[p.name]) if p.name in factors else p for p in before.populations)
        projections = tuple(
            replace(q, map=scaled_rows(q.map, factors[q.target].reshape(-1))) if q.target in factors else q
            for q in before.projections
        )
        return replace(before, populations=populations, projections=projections)

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if p.fires and np.ptp(p.threshold)]
        if left:
            raise PassError(self.name, "left thresholds that differ", got=left)


def _factor(p: Population) -> Floats:
    return float(p.threshold.max()) / p.threshold


def _scaled(p: Population, factor: Floats) -> Population:
    return replace(
        p,
        threshold=np.full(p.shape, p.threshold.max()),
        bias=p.bias * factor,
        drive=p.drive * factor,
        first=tuple(x * factor for x in p.first),
    )
