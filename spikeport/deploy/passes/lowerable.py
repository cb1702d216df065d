"""What the passes can lower, before any of them looks at a node; nothing is skipped."""

from dataclasses import fields

import numpy as np

from spikeport.deploy.graph import Graph
from spikeport.deploy.nodes import Input, Output
from spikeport.errors import GraphBroken, NeuronUnlowered

LEAST = 1e-18
"""Of an array's largest value, unless it is 0; its inverse is the most."""


def check_lowerable(graph: Graph) -> None:
    """Raises DeployError for a graph without ends, nodes without a use, and numbers that nothing can be made of."""
    for kind in (Input, Output):
        if not any(isinstance(node, kind) for node in graph.nodes.values()):
            raise GraphBroken("graph", f"has no {kind.__name__} node", do="export a whole network")
    for name, node in graph.nodes.items():
        _check_magnitudes(graph, name)
        if not graph.targets(name) and not isinstance(node, Output):
            raise GraphBroken(name, "feeds nothing", do="remove it, or connect it to an Output")


def _check_magnitudes(graph: Graph, name: str) -> None:
    """Products and quotients of such numbers are finite in float64; nothing else can be made to integers."""
    for field in fields(graph.nodes[name]):
        values = getattr(graph.nodes[name], field.name)
        if not isinstance(values, np.ndarray):
            continue
        largest = float(np.abs(values).max())
        if largest and not LEAST <= largest <= 1 / LEAST:
            got, limit, do = f"{largest:g} at most", f"{LEAST:g} to {1 / LEAST:g}", "rescale the layer"
            raise NeuronUnlowered(name, field.name, got=got, relation="is beyond", limit=limit, do=do)
