"""Runs networks in sinabs and exports them with `sinabs.nir.to_nir`.

Its LIF keeps exp(-1 / tau) of v, which no float32 is equal to: hence the clearance.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import nir
import numpy as np
import sinabs.layers as sl
import sinabs.nir
import torch
from sinabs.activation import SingleSpike
from worker import BATCH, STEPS, Layer, Run, bernoulli, serve, weights

SINABS = {"preset": "sinabs"}
TAU, SHORT_TAU = 8.0, 3.0  # in steps
STEP_FAULT = "tau is 8 and 3, a number of steps; sinabs has no time step, so no file says how many seconds these are"
RESET_FAULT = (
    "nothing says that the threshold is subtracted, once per spike, and that a neuron spikes several times a step"
)
IF_FAULT = "r is 1 where 1 / dt is meant: IAF adds its whole input in a step"


class Watch:
    """A layer's reset function, which is handed every step's spikes and the membrane that they were made from."""

    def __init__(self, layer: Any) -> None:
        self.reset = layer.reset_fn
        self.kept = Layer(float(layer.spike_threshold.flatten()[0]))

    def __call__(self, spikes: torch.Tensor, state: dict[str, torch.Tensor], threshold: Any) -> dict[str, torch.Tensor]:
        self.kept.v.append(state["v_mem"].detach().numpy().copy())
        self.kept.s.append(spikes.detach().numpy().copy())
        return self.reset(spikes, state, threshold)


def linear(rng: np.random.Generator, n_in: int, n_out: int, low: float = -0.5, high: float = 0.75) -> torch.nn.Linear:
    module = torch.nn.Linear(n_in, n_out)
    module.weight.data = torch.from_numpy(weights(rng, (n_out, n_in), low, high))
    module.bias.data = torch.from_numpy(weights(rng, (n_out,), -0.0625, 0.125))
    return module


def lif(n: int, tau: float, kind: Any = sl.LIFSqueeze, **given: Any) -> Any:
    """Parameters per neuron, as NIR wants them: to_nir writes what it finds."""
    full = {"tau_mem": torch.full((n,), tau), "spike_threshold": torch.ones(n), "norm_input": False, **given}
    return kind(**full, batch_size=BATCH) if kind is sl.LIFSqueeze else kind(**full)


def record(
    modules: list[Any],
    x: Any,
    convention: Mapping[str, Any],
    faults: tuple[str, ...],
    meant: Mapping[str, Any] | None = None,
    ties: bool = False,
) -> Run:
    """The whole sequence at once: `(B * T, *shape)` where layers are squeezed, `(B, T, *shape)` where they are not."""
    net = torch.nn.Sequential(*modules)
    batch_first = torch.from_numpy(x).transpose(0, 1).contiguous()
    squeezed = not any(isinstance(module, sl.LIF) and not hasattr(module, "batch_size") for module in modules)
    watches = {}
    for index, module in enumerate(modules):
        if hasattr(module, "reset_fn"):
            watches[str(index)] = module.reset_fn = Watch(module)
    with torch.no_grad():
        net(batch_first.flatten(0, 1) if squeezed else batch_first)
    layers = {name: watch.kept for name, watch in watches.items()}
    for watch, name in zip(watches.values(), watches, strict=True):
        modules[int(name)].reset_fn = watch.reset
    sample = torch.zeros(BATCH * STEPS if squeezed else BATCH, *(() if squeezed else (STEPS,)), *x.shape[2:])
    graph = sinabs.nir.to_nir(net, sample)
    graph, repairs = repaired(graph, x.shape[2:])
    return Run(graph, x, layers, convention, faults, meant or {}, repairs, ties)


def repaired(graph: nir.NIRGraph, shape: tuple[int, ...]) -> tuple[nir.NIRGraph, tuple[str, ...]]:
    """Shapes that are None, on which nir.write raises TypeError, set."""
    found = []
    for name, node in graph.nodes.items():
        if isinstance(node, nir.Conv2d) and node.input_shape is None:
            node.input_shape = shape[1:]
            found.append(f"Conv2d.input_shape of {name} is None, which nir.write refuses: set to {shape[1:]}")
        if isinstance(node, nir.Flatten) and node.input_type["input"] is None:
            node.input_type = {"input": np.array([3, 2, 2])}
            found.append(f"Flatten.input_type of {name} is None, which nir.write refuses: set to (3, 2, 2)")
    return graph, tuple(found)


def dense(rng: np.random.Generator) -> Run:
    """Two layers of LIFSqueeze without norm_input."""
    modules = [linear(rng, 8, 10), lif(10, TAU), linear(rng, 10, 6), lif(6, SHORT_TAU)]
    return record(modules, bernoulli(rng, (8,)), SINABS, (STEP_FAULT, RESET_FAULT))


def dense_in_time(rng: np.random.Generator) -> Run:
    """As `dense`, of LIF, which takes `(B, T, n)` data."""
    modules = [linear(rng, 8, 10), lif(10, TAU, sl.LIF), linear(rng, 10, 6), lif(6, SHORT_TAU, sl.LIF)]
    shape = "Input is (60, 8) and Output (60, 6): the axis of time is in them"
    meant = {"input": {"shape": [8]}}
    return record(modules, bernoulli(rng, (8,)), SINABS, (STEP_FAULT, RESET_FAULT, shape), meant)


def dense_norm(rng: np.random.Generator) -> Run:
    """Two layers of LIFSqueeze with norm_input, sinabs's default, which scales the input by 1 - exp(-1 / tau)."""
    given = {"norm_input": True}
    modules = [linear(rng, 8, 10, -1.0, 4.0), lif(10, TAU, **given), linear(rng, 10, 6, -1.0, 4.0)]
    modules.append(lif(6, SHORT_TAU, **given))
    fault = "r is 1 with and without norm_input; without it 1 / (1 - exp(-1 / tau)), 8.5 and 3.5, would be meant"
    return record(modules, bernoulli(rng, (8,)), {**SINABS, "gain": "exact"}, (STEP_FAULT, RESET_FAULT, fault))


def dense_single(rng: np.random.Generator) -> Run:
    """Two layers of LIFSqueeze with SingleSpike: one spike a step, and one threshold off."""
    given = {"spike_fn": SingleSpike}
    modules = [linear(rng, 8, 10), lif(10, TAU, **given), linear(rng, 10, 6), lif(6, SHORT_TAU, **given)]
    fault = "the file is that of MultiSpike: nothing says that a neuron spikes once a step"
    return record(modules, bernoulli(rng, (8,)), {**SINABS, "several": False}, (STEP_FAULT, fault))


def synaptic(rng: np.random.Generator) -> Run:
    """LIFSqueeze with tau_syn, which to_nir leaves out: the file holds a LIF without current."""
    modules = [linear(rng, 8, 10), lif(10, TAU, tau_syn=torch.full((10,), SHORT_TAU))]
    fault = "tau_syn, 3 steps, is not exported: LIF where CubaLIF is meant"
    meant = {"1": {"type": "CubaLIF", "tau_mem": TAU, "tau_syn": SHORT_TAU, "w_in": 1.0}}
    convention = {**SINABS, "decays_new_current": True}
    return record(modules, bernoulli(rng, (8,)), convention, (STEP_FAULT, RESET_FAULT, fault), meant)


def conv(rng: np.random.Generator) -> Run:
    """Conv2d, IAFSqueeze, SumPool2d, Flatten, Linear, IAFSqueeze; membranes have no floor, sinabs's default."""
    convolution = torch.nn.Conv2d(1, 3, 3, bias=False)
    convolution.weight.data = torch.from_numpy(weights(rng, (3, 1, 3, 3), -1.0, 1.0))
    threshold = torch.tensor(2**0.5)  # no multiple is near the grid of the weights
    first, last = (sl.IAFSqueeze(batch_size=BATCH, spike_threshold=threshold) for _ in range(2))
    modules = [convolution, first, sl.SumPool2d(2), torch.nn.Flatten(), linear(rng, 12, 5, -1.0, 1.0), last]
    return record(modules, bernoulli(rng, (1, 6, 6)), {**SINABS, "floor": False}, (IF_FAULT, RESET_FAULT))


def integrate(rng: np.random.Generator) -> Run:
    """Two layers of IAFSqueeze that are held at -threshold, on a grid where membranes often equal the threshold."""

    def cell(threshold: float) -> Any:
        return sl.IAFSqueeze(batch_size=BATCH, spike_threshold=torch.tensor(threshold), min_v_mem=-threshold)

    modules = [linear(rng, 8, 10, -2.0, 2.5), cell(3.0), linear(rng, 10, 6, -2.0, 2.5), cell(2.0)]
    for module in (modules[0], modules[2]):
        module.weight.data = (module.weight.data * 2).round() / 2
        module.bias.data.zero_()
    fault = "min_v_mem, -3 and -2, is not exported; from_nir sets it to -v_threshold for every IF"
    return record(modules, bernoulli(rng, (8,)), SINABS, (IF_FAULT, RESET_FAULT, fault), ties=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    networks = (dense, dense_in_time, dense_norm, dense_single, synaptic, conv, integrate)
    serve("sinabs", networks, ("sinabs",))
