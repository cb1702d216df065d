"""LIF to Membrane: time constants become decays, gains move into the weights before the neuron.

With d = dt / tau, by Euler's rule v += d (v_leak - v + r I), so keep = 1 - d and every weight and bias into the neuron
is multiplied by d * r; other conventions keep exp(-d), or add another part of what arrives (`convention.py`).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.convention import Convention, kept_and_gained
from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import LIF, Conv2d, Flatten, Floats, Linear, Membrane, Node
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.lowerable import check_lowerable
from spikeport.errors import DeployError, PassError


@dataclass(frozen=True)
class FoldNeurons(AbstractPass[Graph, Graph]):
    name: ClassVar[str] = "fold_neurons"

    def requires(self, before: Graph, options: Options) -> None:
        check_lowerable(before)
        for name, node in before.nodes.items():
            if isinstance(node, LIF):
                _check_convention(name, options.convention)
                _check(name, node, options)
                for synapse in synapses_before(before, name):
                    _check_synapse(before, name, synapse)

    def run(self, before: Graph, options: Options) -> Graph:
        nodes: dict[str, Node] = dict(before.nodes)
        for name, node in before.nodes.items():
            if isinstance(node, LIF):
                keep, gain = kept_and_gained(node.tau, options.convention)
                gain = gain * node.r if options.convention.uses_r else gain
                nodes[name] = Membrane(keep, _strictly_above(node.v_threshold, options.convention))
                for synapse in synapses_before(before, name):
                    nodes[synapse] = _scaled(nodes[synapse], float(gain.flat[0]))
        return replace(before, nodes=nodes)

    def ensures(self, after: Graph, options: Options) -> None:
        left = [name for name, node in after.nodes.items() if isinstance(node, LIF)]
        if left:
            raise PassError(self.name, "left LIF nodes", got=left)


def synapses_before(graph: Graph, name: str) -> list[str]:
    """The nodes that feed `name`, looking through Flatten."""
    found: list[str] = []
    ahead = graph.sources(name)[::-1]
    while ahead:
        source = ahead.pop()
        if isinstance(graph.nodes[source], Flatten):
            ahead += graph.sources(source)[::-1]
        else:
            found.append(source)
    return found


def _strictly_above(threshold: Floats, convention: Convention) -> Floats:
    """The threshold for `>`: v >= threshold is v > the number before it."""
    return np.nextafter(threshold, -np.inf) if convention.compare == ">=" else threshold


def _check_convention(name: str, convention: Convention) -> None:
    """What a chip's neuron does not do is not lowered in silence."""
    do = "name another with --convention, or train with a reset to zero"
    if convention.reset not in ("zero", "value"):
        what, limit = f"reset of {convention.name}", "zero or v_reset"
        raise DeployError(name, what, got=convention.reset, relation="is not", limit=limit, do=do)
    if convention.several:
        raise DeployError(name, f"spikes a step of {convention.name}", got="several", relation="exceed", limit=1, do=do)


def _check(name: str, node: LIF, options: Options) -> None:
    dt_s = options.dt_s
    resets = (("v_reset", node.v_reset),) if options.convention.reset == "value" else ()
    for what, values in (("v_leak", node.v_leak), *resets):
        if np.any(values != 0):
            raise DeployError(
                name,
                what,
                got=_first(values[values != 0]),
                relation="is not",
                limit=0,
                do="shift the membrane so that it is 0",
            )
    for what, values in (("tau", node.tau), ("r", node.r), ("v_threshold", node.v_threshold)):
        if np.ptp(values):
            got = f"{values.min():g}..{values.max():g}"
            raise DeployError(name, what, got=got, relation="differs within the layer", do="give the layer one value")
    if (
        options.convention.decay == "euler"
        and not options.convention.tau_in_steps
        and node.tau.flat[0] < dt_s * (1 - 1e-6)
    ):
        do = f"name the step that the time constants are for; it is at most {node.tau.flat[0]:g}"
        raise DeployError(name, "tau", got=node.tau.flat[0], relation="is below the step dt_s", limit=dt_s, do=do)
    if node.v_threshold.flat[0] <= 0:
        raise DeployError(name, "v_threshold", got=node.v_threshold.flat[0], relation="is not above", limit=0)


def _check_synapse(graph: Graph, name: str, source: str) -> None:
    kind = type(graph.nodes[source]).__name__
    if not isinstance(graph.nodes[source], (Linear, Conv2d)):
        do = "put Linear, Affine or Conv2d before the neuron"
        raise DeployError(name, "source", got=f"{source}, {kind}", relation="is not a synapse", do=do)
    if len(graph.targets(source)) > 1:
        raise DeployError(
            source,
            "targets",
            got=", ".join(graph.targets(source)),
            relation="exceed",
            limit=1,
            do="give each its own weights",
        )


def _scaled(node: Node, gain: float) -> Node:
    assert isinstance(node, (Linear, Conv2d))
    return replace(node, weight=node.weight * gain, bias=node.bias * gain)


def _first(values: Floats) -> float:
    return float(values.flat[0])
