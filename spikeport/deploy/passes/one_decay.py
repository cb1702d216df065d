"""A core's neurons share their decays: a population with several becomes one part for each, to the chip's 12 bits.

Where there are more than the user allows, like ones are put together, each at their mean (k-means).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from scipy.cluster.vq import kmeans2

from spikeport import fixed
from spikeport.deploy.network import Network, Population
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.split import Labels, split_network
from spikeport.errors import PartsTooMany, PassError

MAX_PARTS = 128
"""Cores of a chip; a part takes one at least."""


@dataclass(frozen=True)
class OneDecay(AbstractPass[Network, Network]):
    name: ClassVar[str] = "one_decay"

    def run(self, before: Network, options: Options) -> Network:
        labels = {p.name: _labels(p, options) for p in before.populations if np.ptp(p.keep_v) or np.ptp(p.keep_u)}
        several = {name: label for name, label in labels.items() if np.ptp(label)}
        after = split_network(before, several)
        told = tuple(f"{n}: {len(np.unique(x))} parts, each of one decay" for n, x in several.items())
        populations = tuple(_alike(p) for p in after.populations)
        return replace(after, populations=populations, remarks=(*after.remarks, *told))

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if np.ptp(p.keep_v) or np.ptp(p.keep_u)]
        if left:
            raise PassError(self.name, "left decays that differ", got=left)


def _labels(p: Population, options: Options) -> Labels:
    """Equal where both decays are equal on the chip, or are put together."""
    keeps = np.stack([p.keep_v.reshape(-1), p.keep_u.reshape(-1)], axis=1)
    _, label = np.unique(np.rint(keeps * fixed.DECAY_ONE), axis=0, return_inverse=True)
    label = label.reshape(-1)
    count = int(label.max()) + 1
    if 0 < options.decays < count:
        return kmeans2(keeps, options.decays, minit="++", seed=0)[1].astype(np.int64)
    if count > MAX_PARTS:
        do = "give the neurons of a layer one tau, or a few; --decays N puts like ones together"
        raise PartsTooMany(p.name, "different decays", got=count, relation="exceed", limit=MAX_PARTS, do=do)
    return label


def _alike(p: Population) -> Population:
    if not (np.ptp(p.keep_v) or np.ptp(p.keep_u)):
        return p
    return replace(p, keep_v=np.full(p.shape, p.keep_v.mean()), keep_u=np.full(p.shape, p.keep_u.mean()))
