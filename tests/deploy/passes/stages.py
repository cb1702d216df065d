"""A graph after every pass, and what each stage sends: the float graph's own run is the yardstick."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.convention import NIR, PRESETS, Convention
from spikeport.deploy.graph import Graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.network import Network
from spikeport.deploy.network_run import run_network
from spikeport.deploy.nodes import Floats, Input, Output, shape_of_neurons
from spikeport.deploy.options import Options
from spikeport.deploy.passes.membrane import FILE_NEURONS
from spikeport.deploy.pipeline import PIPELINE

V_ROUNDING = 1e-9  # relative: v is summed in another order where maps are composed
Inputs = dict[str, NDArray[Any]]

DT_S = 1e-3
HOWS: dict[str, Convention] = {
    name: replace(PRESETS[name], dt_s=DT_S) for name in ("nir", "norse", "snntorch", "spikingjelly", "spyx", "lava-dl")
}
HOWS["nir, subtract"] = replace(NIR, dt_s=DT_S, reset="subtract")
HOWS["nir, subtract_late"] = replace(NIR, dt_s=DT_S, reset="subtract_late")


def stages(graph: Graph, options: Options, until: str = "relays") -> Iterator[tuple[str, Any]]:
    """The name of each pass and what it gave, checked before and after."""
    stage: Any = graph
    for step in PIPELINE:
        step.requires(stage, options)
        stage = step.run(stage, options)
        step.ensures(stage, options)
        yield step.name, stage
        if step.name == until:
            return


def network_of(graph: Graph, options: Options, until: str = "relays") -> Network:
    found = dict(stages(graph, options, until))[until]
    assert isinstance(found, Network)
    return found


def spikes_for(graph: Graph, rng: np.random.Generator, steps: int = 25, batch: int = 3, rate: float = 0.4) -> Inputs:
    return {
        name: (rng.random((steps, batch, *node.shape)) < rate).astype(np.float64)
        for name, node in graph.nodes.items()
        if isinstance(node, Input)
    }


def neurons(graph: Graph) -> dict[str, int]:
    """Names and sizes of a file's neurons."""
    return {n: int(np.prod(shape_of_neurons(x))) for n, x in graph.nodes.items() if isinstance(x, FILE_NEURONS)}


def sent_by(stage: Graph | Network, inputs: Inputs, how: Convention, layers: dict[str, int]) -> dict[str, Floats]:
    """What the outputs and those `layers` that are still there give, `(T, B, n)`."""
    if isinstance(stage, Graph):
        late = {n: f"{n}.delay" if f"{n}.delay" in stage.nodes else n for n in layers if n in stage.nodes}
        found = interpret(stage, inputs, how, record=set(late.values()))
        outputs = {n: n for n, node in stage.nodes.items() if isinstance(node, Output)}
        return {n: flat(found[source]) for n, source in (outputs | late).items()}
    activity = run_network(stage, inputs)
    found = {o.name: later(activity[o.source], o.lag) for o in stage.outputs}
    there = {p.name: p.size for p in stage.populations}
    return found | {n: later(activity[n], how.layer_delay) for n, size in layers.items() if there.get(n) == size}


def flat(x: NDArray[Any]) -> Floats:
    return x.reshape(*x.shape[:2], -1).astype(np.float64)


def later(x: NDArray[Any], steps: int) -> Floats:
    """What comes `steps` later, zeros at first."""
    late = np.zeros(x.shape)
    late[steps:] = x[: len(x) - steps]
    return late


def check_same(found: Floats, want: Floats, where: str = "") -> None:
    """The same spikes, or the same v."""
    if np.all((want == 0) | (want == 1)):
        np.testing.assert_array_equal(found, want, where)
    else:
        np.testing.assert_allclose(found, want, rtol=V_ROUNDING, atol=V_ROUNDING, err_msg=where)
