"""Trains networks in sinabs and exports them with `sinabs.nir.to_nir`.

Its natural neurons: several spikes a step, the threshold taken off for each. IAF is held at -threshold and above,
as its own importer does; LIF has no norm_input, which no file tells.
"""

import warnings
from typing import Any

import nir
import numpy as np
import sinabs
import sinabs.layers as sl
import sinabs.nir
import torch
from sinabs.activation import PeriodicExponential
from trainer import Framework, Net, serve

TAU_RATE = 0.05  # of learning; taus are in steps


def lif(steps: int, *shape: int, tau: float = 4.0) -> Any:
    """Parameters per neuron, as NIR wants them. Time constants are in steps, and are learned."""
    given = {"tau_mem": torch.full(shape, tau), "spike_threshold": torch.ones(shape), "norm_input": False}
    return sl.LIFSqueeze(**given, surrogate_grad_fn=PeriodicExponential(), num_timesteps=steps)


def iaf(steps: int) -> Any:
    return sl.IAFSqueeze(min_v_mem=-1.0, surrogate_grad_fn=PeriodicExponential(), num_timesteps=steps)


def fixed(module: torch.nn.Sequential) -> torch.nn.Sequential:
    """With time constants that stay as they are."""
    for part in module:
        if isinstance(part, sl.LIFSqueeze | sl.ExpLeakSqueeze):
            part.tau_mem.requires_grad_(False)
    return module


def dense() -> torch.nn.Sequential:
    """Linear 64-64, LIFSqueeze, Linear 64-10, LIFSqueeze; tau is 4 steps."""
    return fixed(torch.nn.Sequential(torch.nn.Linear(64, 64), lif(20, 64), torch.nn.Linear(64, 10), lif(20, 10)))


def learned() -> torch.nn.Sequential:
    """As `dense`, with the time constant of each neuron learned, as sinabs does by default."""
    return torch.nn.Sequential(torch.nn.Linear(64, 64), lif(20, 64), torch.nn.Linear(64, 10), lif(20, 10))


def readout() -> torch.nn.Sequential:
    """Linear 64-64, LIFSqueeze, Linear 64-10, ExpLeakSqueeze: the output is a leaky integrator's membrane."""
    leaky = sl.ExpLeakSqueeze(tau_mem=torch.full((10,), 8.0), num_timesteps=20)
    return fixed(torch.nn.Sequential(torch.nn.Linear(64, 64), lif(20, 64), torch.nn.Linear(64, 10), leaky))


def conv() -> torch.nn.Sequential:
    """Conv2d of 8 channels, 3x3, IAFSqueeze, SumPool2d 2, Flatten, Linear 128-10, IAFSqueeze."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        iaf(20),
        sl.SumPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(128, 10),
        iaf(20),
    )


def fashion() -> torch.nn.Sequential:
    """Conv2d of 8, 5x5, stride 2, IAFSqueeze, SumPool2d 2, Conv2d of 16, 3x3, IAFSqueeze, Linear 784-10, IAFSqueeze."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 5, stride=2, padding=2),
        iaf(12),
        sl.SumPool2d(2),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        iaf(12),
        torch.nn.Flatten(),
        torch.nn.Linear(784, 10),
        iaf(12),
    )


def run(module: torch.nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    """All steps at once, `(B T, *shape)`."""
    sinabs.reset_states(module)
    sinabs.zero_grad(module)
    out = module(x.transpose(0, 1).flatten(0, 1))
    return out.unflatten(0, (x.shape[1], x.shape[0])).transpose(0, 1)


def export(module: torch.nn.Sequential, shape: tuple[int, ...], steps: int) -> tuple[nir.NIRGraph, tuple[str, ...]]:
    """`to_nir`, with the shapes that are None, on which nir.write raises TypeError, put in."""
    sinabs.reset_states(module)
    graph = sinabs.nir.to_nir(module, torch.zeros(steps, *shape))
    x, repairs = torch.zeros(steps, *shape), []
    for index, part in enumerate(module):
        node = graph.nodes[str(index)]
        if isinstance(node, nir.Conv2d):
            node.input_shape = tuple(x.shape[2:])
            repairs.append(f"Conv2d.input_shape of {index} is None: set to {node.input_shape}")
        if isinstance(node, nir.Flatten):
            node.input_type = {"input": np.array(x.shape[1:])}
            repairs.append(f"Flatten.input_type of {index} is None: set to {tuple(x.shape[1:])}")
        with torch.no_grad():
            x = part(x)
    return graph, tuple(repairs)


def parameters(module: torch.nn.Sequential) -> list[dict[str, Any]]:
    named = list(module.named_parameters())
    taus = [value for name, value in named if name.endswith("tau_mem")]
    return [
        {"params": [value for name, value in named if not name.endswith("tau_mem")]},
        {"params": taus, "lr": TAU_RATE},
    ]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets = (
        Net("dense", "digits", dense, epochs=25),
        Net("conv", "digits", conv, epochs=25, flat=False),
        Net("readout", "digits", readout, epochs=25, spikes=False),
        Net("learned", "digits", learned, epochs=25),
        Net("conv", "fashion", fashion, epochs=5, flat=False),
    )
    serve(Framework("sinabs", ("sinabs",), run, export, parameters), nets)
