"""Threshold to Membrane: a neuron without memory; with windows of ones before it, max-pooling of spikes."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import Membrane, Node, Threshold
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.errors import NeuronUnlowered, PassError


@dataclass(frozen=True)
class ThresholdsToNeurons(AbstractPass[Graph, Graph]):
    name: ClassVar[str] = "thresholds"

    def requires(self, before: Graph, options: Options) -> None:
        for name, node in before.nodes.items():
            if isinstance(node, Threshold) and np.any(node.threshold < 0):
                got, do = float(node.threshold.min()), "raise it, a core's neuron rests below its threshold"
                raise NeuronUnlowered(name, "threshold", got=got, relation="is below", limit=0, do=do)

    def run(self, before: Graph, options: Options) -> Graph:
        nodes: dict[str, Node] = dict(before.nodes)
        for name, node in before.nodes.items():
            if isinstance(node, Threshold):
                zero = np.zeros_like(node.threshold)
                nodes[name] = Membrane(zero, node.threshold, keep_u=zero, bias=zero, drive=zero, start=zero)
        return replace(before, nodes=nodes)

    def ensures(self, after: Graph, options: Options) -> None:
        left = [name for name, node in after.nodes.items() if isinstance(node, Threshold)]
        if left:
            raise PassError(self.name, "left Threshold nodes", got=left)
