"""Runs networks in norse, exports them with `norse.torch.to_nir`, and reads NIR files with `norse.torch.from_nir`.

dt * tau_mem_inv is 1/4 or 1/2 here, so decays are exact; membranes are not after some steps, hence the clearance.
"""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import norse.torch as norse
import numpy as np
import torch
from worker import Layer, Run, bernoulli, serve, weights

DT = 1e-3  # norse's default, for its cells and its exporter
NORSE = {"preset": "norse", "dt_s": DT}
TAU_FAULT = "tau is dt / tau_mem_inv: 1 / tau_mem_inv is meant, so 0.004 s is written as 4e-06"


def linear(rng: np.random.Generator, n_in: int, n_out: int, low: float = -1.0, high: float = 2.5) -> torch.nn.Linear:
    module = torch.nn.Linear(n_in, n_out)
    module.weight.data = torch.from_numpy(weights(rng, (n_out, n_in), low, high))
    module.bias.data = torch.from_numpy(weights(rng, (n_out,), -0.25, 0.5))
    return module


def lif_box(shape: tuple[int, ...], tau_mem_inv: float, v_leak: float = 0.0, v_reset: float = 0.0) -> norse.LIFBoxCell:
    """Parameters per neuron, as NIR wants them."""
    given = {"tau_mem_inv": tau_mem_inv, "v_th": 1.0, "v_leak": v_leak, "v_reset": v_reset}
    return norse.LIFBoxCell(norse.LIFBoxParameters(**{name: torch.full(shape, x) for name, x in given.items()}))


def dense_modules(rng: np.random.Generator) -> list[Any]:
    return [linear(rng, 8, 10), lif_box((10,), 250.0), linear(rng, 10, 6), lif_box((6,), 500.0)]


def compared(cell: torch.nn.Module, x: torch.Tensor, state: Any) -> torch.Tensor:
    """The membrane that norse's cell compares, from what it was given."""
    p = cell.p
    if isinstance(cell, norse.LIFBoxCell):
        v = p.v_leak if state is None else state.v
        return v + DT * p.tau_mem_inv * (x + p.v_leak - v)
    if isinstance(cell, norse.IAFCell):
        return (p.v_reset if state is None else state.v) + x
    v, i = (p.v_leak, 0.0) if state is None else (state.v, state.i)
    return v + DT * p.tau_mem_inv * ((p.v_leak - v) + (i + x))


def run_steps(modules: list[Any], x: Any) -> dict[str, Layer]:
    """`SequentialState` step by step; layers are named as it names them."""
    net = norse.SequentialState(*modules)
    layers = {str(k): Layer(float(m.p.v_th.flatten()[0])) for k, m in enumerate(modules) if hasattr(m, "p")}

    def hook(name: str) -> Callable[..., None]:
        def keep(cell: Any, given: Any, out: Any) -> None:
            layers[name].v.append(compared(cell, given[0], given[1]).expand_as(out[0]).numpy().copy())
            layers[name].s.append(out[0].numpy().copy())

        return keep

    handles = [modules[int(name)].register_forward_hook(hook(name)) for name in layers]
    state = None
    with torch.no_grad():
        for step in torch.from_numpy(x):
            _, state = net(step, state)
    for handle in handles:
        handle.remove()
    return layers


def dense(rng: np.random.Generator) -> Run:
    """Two layers of LIFBoxCell behind Linear; exported with to_nir's defaults."""
    modules, x = dense_modules(rng), bernoulli(rng, (8,))
    graph = norse.to_nir(norse.SequentialState(*modules), torch.zeros(8))
    return Run(graph, x, run_steps(modules, x), NORSE, (TAU_FAULT,), {"1": {"tau": 0.004}, "3": {"tau": 0.002}})


def dense_dt_1(rng: np.random.Generator) -> Run:
    """As `dense`, exported with to_nir(dt=1), which writes the time constants in seconds."""
    modules, x = dense_modules(rng), bernoulli(rng, (8,))
    graph = norse.to_nir(norse.SequentialState(*modules), torch.zeros(8), dt=1)
    return Run(graph, x, run_steps(modules, x), NORSE)


def conv(rng: np.random.Generator) -> Run:
    """Conv2d, LIFBoxCell, Flatten, Linear, LIFBoxCell. norse exports no pooling."""
    convolution = torch.nn.Conv2d(1, 3, 3, stride=2, padding=1)
    convolution.weight.data = torch.from_numpy(weights(rng, (3, 1, 3, 3), -1.0, 2.5))
    convolution.bias.data = torch.from_numpy(weights(rng, (3,), -0.25, 0.5))
    modules = [convolution, lif_box((3, 3, 3), 250.0), torch.nn.Flatten(1), linear(rng, 27, 5, -0.75, 1.0)]
    modules.append(lif_box((5,), 500.0))
    x = bernoulli(rng, (1, 6, 6))
    graph = norse.to_nir(norse.SequentialState(*modules), torch.zeros(1, 1, 6, 6), dt=1)
    graph.nodes["0"].input_shape = (6, 6)
    flatten = nir.Flatten({"input": np.array([3, 3, 3])}, 0, -1)
    ends = {"input": nir.Input(np.array([1, 6, 6])), "output": nir.Output(np.array([5]))}
    graph = nir.NIRGraph({**graph.nodes, **ends, "2": flatten}, graph.edges, type_check=False)
    repairs = (
        "Conv2d.input_shape is None, which nir.write refuses: set to (6, 6)",
        "Flatten is exported as None, on which nir.write raises AttributeError: nir.Flatten put in",
        "Input and Output carry the batch axis of the sample, (1, 1, 6, 6) and (1, 5): taken off",
    )
    return Run(graph, x, run_steps(modules, x), NORSE, repairs=repairs)


def reset_value(rng: np.random.Generator) -> Run:
    """LIFBoxCell that leaks to, and starts at, 1/8, and is reset to -1/4."""
    modules = [linear(rng, 8, 10), lif_box((10,), 250.0, 0.125, -0.25), linear(rng, 10, 6)]
    modules.append(lif_box((6,), 500.0, 0.125, -0.25))
    x = bernoulli(rng, (8,))
    graph = norse.to_nir(norse.SequentialState(*modules), torch.zeros(8), dt=1)
    fault = "v_reset is 0 where -0.25 is meant: to_nir leaves it out"
    meant = {"1": {"v_reset": -0.25}, "3": {"v_reset": -0.25}}
    return Run(graph, x, run_steps(modules, x), {**NORSE, "reset": "value"}, (fault,), meant)


def cuba(rng: np.random.Generator) -> Run:
    """Two layers of LIFCell, whose current jumps by the whole input; exported as CubaLIF with dt=1."""

    def cell(n: int) -> norse.LIFCell:
        full = torch.full((n,), 1.0)
        p = norse.LIFParameters(tau_syn_inv=500 * full, tau_mem_inv=250 * full, v_leak=0 * full, v_th=full)
        return norse.LIFCell(p)

    modules = [linear(rng, 8, 10, -1.0, 1.5), cell(10), linear(rng, 10, 6, -1.0, 1.5), cell(6)]
    x = bernoulli(rng, (8,))
    graph = norse.to_nir(norse.SequentialState(*modules), torch.zeros(8), dt=1)
    fault = (
        "w_in is left at 1 where tau_syn / dt = 2 is meant: the current of LIFCell jumps by x, not by x dt / tau_syn"
    )
    return Run(graph, x, run_steps(modules, x), NORSE, (fault,), {"1": {"w_in": 2.0}, "3": {"w_in": 2.0}})


def integrate(rng: np.random.Generator) -> Run:
    """Two layers of IAFCell on a grid where membranes often equal the threshold: they do not fire then."""

    def cell(n: int, v_th: float) -> norse.IAFCell:
        return norse.IAFCell(norse.IAFParameters(v_th=torch.full((n,), v_th), v_reset=torch.zeros(n)))

    modules = [linear(rng, 8, 10), cell(10, 3.0), linear(rng, 10, 6), cell(6, 2.0)]
    for module in (modules[0], modules[2]):
        module.weight.data = (module.weight.data * 2).round() / 2
        module.bias.data.zero_()
    x = bernoulli(rng, (8,))
    graph = norse.to_nir(norse.SequentialState(*modules), torch.zeros(8))
    fault = "r is 1 where 1 / dt = 1000 is meant: IAFCell adds its whole input in a step"
    meant = {"1": {"r": 1 / DT}, "3": {"r": 1 / DT}}
    return Run(graph, x, run_steps(modules, x), NORSE, (fault,), meant, ties=True)


def read(path: Path, x: Any) -> Any:
    """Step by step and sample by sample, because from_nir does not shift Flatten's axes for a batch."""
    out = []
    for b in range(x.shape[1]):
        net = norse.from_nir(nir.read(path, type_check=False), dt=1e-4)
        state, steps = None, []
        with torch.no_grad():
            for step in torch.from_numpy(x[:, b]):
                spikes, state = net(step, state)
                steps.append(spikes.numpy().copy())
        out.append(np.stack(steps))
    return np.stack(out, axis=1)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    serve("norse", (dense, dense_dt_1, conv, reset_value, cuba, integrate), ("norse",), read)
