"""Every neuron to a Membrane, whatever the convention: time constants become decays, gains a Scale before it.

With d = dt / tau, Euler's rule v += d (v_leak - v + r I) is v = (1 - d) v + d v_leak + d r I: what a step keeps, a
bias, and a gain on what arrives; other conventions keep exp(-d), or add another part of it (`convention.py`). A reset
to v_reset is one to 0 of v - v_reset. A synaptic current is u; its filter is linear, so the membrane's gain stands
before it as well.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.convention import Convention
from spikeport.deploy.graph import Edge, Graph
from spikeport.deploy.nodes import IF, Delay, Floats, Membrane, Node, Scale
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.lowerable import check_lowerable
from spikeport.deploy.passes.membrane import FILE_NEURONS, check_neuron, membrane_of
from spikeport.deploy.passes.names import free
from spikeport.errors import PassError


@dataclass(frozen=True)
class FoldNeurons(AbstractPass[Graph, Graph]):
    name: ClassVar[str] = "fold_neurons"

    def requires(self, before: Graph, options: Options) -> None:
        check_lowerable(before)
        for name, node in before.nodes.items():
            if isinstance(node, FILE_NEURONS):
                check_neuron(name, node, options.convention)

    def run(self, before: Graph, options: Options) -> Graph:
        build = _Builder(before)
        for name, node in before.nodes.items():
            if isinstance(node, FILE_NEURONS):
                membrane, gain = membrane_of(node, options.convention)
                build.add_neuron(name, membrane, gain, options.convention)
            else:
                build.nodes[name] = node
        remarks = (*before.remarks, *_remarks(before, options.convention))
        return replace(before, nodes=build.nodes, edges=build.edges(before), remarks=remarks)

    def ensures(self, after: Graph, options: Options) -> None:
        left = [name for name, node in after.nodes.items() if isinstance(node, FILE_NEURONS)]
        if left:
            raise PassError(self.name, "left neurons", got=left)


class _Builder:
    """Nodes in their old order, new ones beside those that they belong to, so that feedback stays what it was."""

    def __init__(self, graph: Graph) -> None:
        self.taken = set(graph.nodes)
        self.nodes: dict[str, Node] = {}
        self.enter: dict[str, str] = {}
        self.leave: dict[str, str] = {}
        self.new: list[Edge] = []

    def add_neuron(self, name: str, membrane: Membrane, gain: Floats, how: Convention) -> None:
        if np.any(gain != 1):
            self.enter[name] = self._node(f"{name}.gain", Scale(gain))
            self.new.append((self.enter[name], name))
        self.nodes[name] = membrane
        late = how.reset == "subtract_late" and not how.several and bool(np.any(membrane.keep_v != 1))
        if membrane.fires and late:  # a threshold that leaves a step late does not decay first
            rest = self._node(f"{name}.late", Scale(-membrane.threshold * (1 - membrane.keep_v)))
            self.new += [(name, rest), (rest, name)]
        if how.layer_delay:
            delay = np.full(membrane.keep_v.shape, how.layer_delay * how.dt_s)
            self.leave[name] = self._node(f"{name}.delay", Delay(delay))
            self.new.append((name, self.leave[name]))

    def edges(self, graph: Graph) -> tuple[Edge, ...]:
        moved = ((self.leave.get(a, a), self.enter.get(b, b)) for a, b in graph.edges)
        return (*moved, *self.new)

    def _node(self, name: str, node: Node) -> str:
        name = free(name, self.taken)
        self.taken.add(name)
        self.nodes[name] = node
        return name


def _remarks(graph: Graph, how: Convention) -> list[str]:
    """Where a chip's neuron is not the framework's: `compile` measures what it costs."""
    held = [name for name, node in graph.nodes.items() if isinstance(node, IF)]
    if not held or not how.floor:
        return []
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    return [f"{held[0]}{more}: {how.name} holds v at minus its threshold and above, a core's neuron does not"]
