"""A scale for each range of weights: channels whose weights are alike share one, each range is a part of its own.

A part has its own threshold, so that it may have its own scale. Within a part the largest weights of two channels
differ by less than a factor of 2^(span / parts) where the whole population's differ by 2^span.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spikeport.deploy.maps.base import Conv, LinearMap
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Network, Population
from spikeport.deploy.nodes import Floats
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.split import Labels, split_network

WORTH = 1.5
"""Ratio of the largest weights of two channels from which a part of its own gains more than rounding."""


@dataclass(frozen=True)
class PerChannel(AbstractPass[Network, Network]):
    name: ClassVar[str] = "per_channel"

    def run(self, before: Network, options: Options) -> Network:
        if options.scales == 1:
            return before
        read = {o.source for o in before.outputs if o.reads == "v"}
        images = {name for name, _ in before.inputs} if options.input == "bias" else set()
        labels = {}
        for p in before.populations:
            hosted = any(q.source in images for q in before.into(p.name))
            if p.fires and p.name not in read and not hosted:
                labels[p.name] = _ranges(p, _largest(before, p), options.scales)
        return split_network(before, {name: label for name, label in labels.items() if np.ptp(label)})


def _largest(network: Network, p: Population) -> Floats:
    """`(n,)`: largest |weight| into each neuron, of the whole channel for a convolution's."""
    found = np.zeros(p.size)
    for q in network.into(p.name):
        found = np.maximum(found, _largest_of(q.map))
    if len(p.shape) == 3:
        found = np.repeat(found.reshape(p.shape[0], -1).max(1), p.size // p.shape[0])
    return found


def _largest_of(m: LinearMap) -> Floats:
    if isinstance(m, Conv):
        return np.abs(m.weight).reshape(len(m.weight), -1).max(1).repeat(m.target[1] * m.target[2])
    return np.asarray(abs(matrix(m)).max(axis=1).todense()).reshape(-1)


def _ranges(p: Population, largest: Floats, parts: int) -> Labels:
    """Equal ranges of the logarithm; one for all where there is nothing to gain."""
    used = largest[largest > 0]
    label = np.zeros(p.size, np.int64)
    if not used.size or used.max() < WORTH * used.min():
        return label
    edges = np.linspace(np.log2(used.min()), np.log2(used.max()), parts + 1)[1:-1]
    label[largest > 0] = np.digitize(np.log2(used), edges)
    return label
