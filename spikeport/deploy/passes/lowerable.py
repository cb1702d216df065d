"""What the passes can lower, before any of them looks at a node; nothing is skipped."""

from dataclasses import fields

import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import LIF, Conv2d, Flatten, Input, Linear, Membrane, Output
from spikeport.errors import DeployError, UnsupportedNode

LEAST = 1e-18
"""Of an array's largest value, unless it is 0; its inverse is the most."""
_LOWERED = (Input, Output, Flatten, Linear, Conv2d, LIF, Membrane)
_NAMES = "Input, Output, Flatten, Linear, Affine, Conv2d, LIF"
_DO = {
    "Conv1d": "write it as a Conv2d of height 1",
    "Scale": "multiply it into the weights behind it",
    "SumPool2d": "use a Conv2d with a stride and neurons behind it",
    "AvgPool2d": "use a Conv2d with a stride and neurons behind it",
    "Delay": "remove it, or take its steps from the input",
    "Threshold": "use LIF with a tau of one step",
    "IF": "use LIF with a long tau",
    "CubaLIF": "use LIF",
    "I": "end the network in LIF",
    "LI": "end the network in LIF",
    "CubaLI": "end the network in LIF",
}


def check_lowerable(graph: Graph) -> None:
    """Raises UnsupportedNode for a node that no pass lowers, DeployError for loops and for sums within Flatten."""
    for name, node in graph.nodes.items():
        if not isinstance(node, _LOWERED):
            kind = type(node).__name__
            relation, do = "is read, but not lowered; lowered are", _DO.get(kind, "replace the node")
            raise UnsupportedNode(name, "node type", got=kind, relation=relation, limit=_NAMES, do=do)
    if graph.feedback:
        got = ", ".join(f"{a} -> {b}" for a, b in sorted(graph.feedback)[:8])
        do = "unroll it or remove the loop"
        raise DeployError("graph", "recurrent loop", got=got, relation="is not supported", do=do)
    for name in graph.nodes:
        _check_magnitudes(graph, name)
        _check_flattens(graph, name)


def _check_magnitudes(graph: Graph, name: str) -> None:
    """Products and quotients of such numbers are finite in float64; nothing else can be made to integers."""
    for field in fields(graph.nodes[name]):
        values = getattr(graph.nodes[name], field.name)
        if not isinstance(values, np.ndarray):
            continue
        largest = float(np.abs(values).max())
        if largest and not LEAST <= largest <= 1 / LEAST:
            got, limit, do = f"{largest:g} at most", f"{LEAST:g} to {1 / LEAST:g}", "rescale the layer"
            raise DeployError(name, field.name, got=got, relation="is beyond", limit=limit, do=do)


def _check_flattens(graph: Graph, name: str) -> None:
    """What enters a node through one Flatten and another is one sum of the same twice, and has no projection."""
    seen: set[str] = set()
    ahead = graph.sources(name)
    while ahead:
        source = ahead.pop()
        if source in seen:
            do = "connect it once, and double the weights"
            raise DeployError(name, "is fed twice through Flatten", got=source, do=do)
        seen.add(source)
        if isinstance(graph.nodes[source], Flatten):
            ahead += graph.sources(source)
