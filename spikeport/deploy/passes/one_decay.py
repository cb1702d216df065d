"""A core's neurons share their decays: a population with several becomes one part for each, to the chip's 12 bits."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport import fixed
from spikeport.deploy.network import Network, Population
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.split import Labels, split_network
from spikeport.errors import DeployError, PassError

MAX_PARTS = 128
"""Cores of a chip; a part takes one at least."""


@dataclass(frozen=True)
class OneDecay(AbstractPass[Network, Network]):
    name: ClassVar[str] = "one_decay"

    def run(self, before: Network, options: Options) -> Network:
        labels = {p.name: _labels(p) for p in before.populations if np.ptp(p.keep_v) or np.ptp(p.keep_u)}
        several = {name: label for name, label in labels.items() if label.max()}
        after = split_network(before, several)
        return replace(after, populations=tuple(_alike(p) for p in after.populations))

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if np.ptp(p.keep_v) or np.ptp(p.keep_u)]
        if left:
            raise PassError(self.name, "left decays that differ", got=left)


def _labels(p: Population) -> Labels:
    """Equal where both decays are equal on the chip."""
    on_chip = np.rint(np.stack([p.keep_v.reshape(-1), p.keep_u.reshape(-1)]) * fixed.DECAY_ONE)
    _, label = np.unique(on_chip, axis=1, return_inverse=True)
    label = label.reshape(-1)
    if label.max() >= MAX_PARTS:
        got, do = int(label.max()) + 1, "give the neurons of a layer one tau, or a few"
        raise DeployError(p.name, "different decays", got=got, relation="exceed", limit=MAX_PARTS, do=do)
    return label


def _alike(p: Population) -> Population:
    if not (np.ptp(p.keep_v) or np.ptp(p.keep_u)):
        return p
    return replace(p, keep_v=np.full(p.shape, p.keep_v.mean()), keep_u=np.full(p.shape, p.keep_u.mean()))
