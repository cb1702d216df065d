"""Runs networks in snnTorch, exports them with `export_to_nir`, and reads NIR files with `import_from_nir`.

beta and alpha are 1/2 and 3/4, so decays are exact; membranes are not after some steps, hence the clearance.
"""

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir
from snntorch.import_nir import import_from_nir
from worker import Layer, Run, bernoulli, serve, weights

SNNTORCH = {"preset": "snntorch", "dt_s": 1e-4}  # the step that its exporter takes for granted
THRESHOLD = 4 / 3  # off every grid of the weights
PER_NEURON = {"beta", "threshold", "alpha"}  # what the exporter wants as vectors


def linear(rng: np.random.Generator, n_in: int, n_out: int, low: float = -0.25, high: float = 1.0) -> torch.nn.Linear:
    module = torch.nn.Linear(n_in, n_out)
    module.weight.data = torch.from_numpy(weights(rng, (n_out, n_in), low, high))
    module.bias.data = torch.from_numpy(weights(rng, (n_out,), -0.0625, 0.125))
    return module


def neuron(kind: Any, shape: tuple[int, ...], **given: Any) -> Any:
    """A neuron with its state inside and its parameters per neuron: export_to_nir refuses scalars."""
    full = {"threshold": THRESHOLD, **given}
    full = {name: torch.full(shape, value) if name in PER_NEURON else value for name, value in full.items()}
    return kind(init_hidden=True, **full)


def run_steps(net: torch.nn.Sequential, x: Any, names: dict[int, str]) -> dict[str, Layer]:
    """The Sequential step by step; `names` are those that the NIR file has for its layers of neurons."""
    layers = {}

    def watch(cell: Any, layer: Layer) -> None:
        fire: Callable[[torch.Tensor], torch.Tensor] = cell.fire

        def keep(mem: torch.Tensor) -> torch.Tensor:
            spikes = fire(mem)
            layer.v.append(mem.detach().numpy().copy())
            layer.s.append(spikes.detach().numpy().copy())
            return spikes

        cell.fire = keep

    for index, name in names.items():
        layers[name] = Layer(float(net[index].threshold.flatten()[0]))
        watch(net[index], layers[name])
    with torch.no_grad():
        for step in torch.from_numpy(x):
            net(step)
    return layers


def exported(net: torch.nn.Sequential, shape: tuple[int, ...]) -> nir.NIRGraph:
    """`ignore_dims` takes the batch axis off the Input, without which the exporter refuses its own graph."""
    return export_to_nir(net, torch.zeros(1, *shape), ignore_dims=[0])


def chain(rng: np.random.Generator, **given: Any) -> torch.nn.Sequential:
    first, second = neuron(snn.Leaky, (10,), beta=0.75, **given), neuron(snn.Leaky, (6,), beta=0.5, **given)
    return torch.nn.Sequential(linear(rng, 8, 10), first, linear(rng, 10, 6), second)


def dense_run(rng: np.random.Generator, convention: dict[str, Any], fault: str, **given: Any) -> Run:
    net, x = chain(rng, **given), bernoulli(rng, (8,))
    graph = exported(net, (8,))
    return Run(graph, x, run_steps(net, x, {1: "1", 3: "3"}), convention, (fault,) if fault else ())


def dense(rng: np.random.Generator) -> Run:
    """Two layers of Leaky behind Linear, reset to zero."""
    return dense_run(rng, SNNTORCH, "", reset_mechanism="zero")


def dense_subtract(rng: np.random.Generator) -> Run:
    """As `dense`, with snnTorch's default: the threshold comes off one step later, and is not decayed with v."""
    fault = "v_reset is 0 where the run subtracts the threshold one step later, snnTorch's default"
    return dense_run(rng, {**SNNTORCH, "reset": "subtract_late"}, fault)


def dense_subtract_at_once(rng: np.random.Generator) -> Run:
    """As `dense`, with reset_delay=False and the threshold subtracted."""
    fault = "v_reset is 0 where the run subtracts the threshold"
    return dense_run(rng, {**SNNTORCH, "reset": "subtract_once"}, fault, reset_delay=False)


def conv(rng: np.random.Generator) -> Run:
    """Conv2d, Leaky, AvgPool2d, Flatten, Linear, Leaky."""
    convolution = torch.nn.Conv2d(1, 3, 3)
    convolution.weight.data = torch.from_numpy(weights(rng, (3, 1, 3, 3), -0.25, 1.0))
    convolution.bias.data = torch.from_numpy(weights(rng, (3,), -0.0625, 0.125))
    zero = {"reset_mechanism": "zero"}
    net = torch.nn.Sequential(
        convolution,
        neuron(snn.Leaky, (3, 4, 4), beta=0.75, **zero),
        torch.nn.AvgPool2d(2),
        torch.nn.Flatten(),
        linear(rng, 12, 5, -0.5, 1.0),
        neuron(snn.Leaky, (5,), beta=0.5, **zero),
    )
    x = bernoulli(rng, (1, 6, 6))
    graph = exported(net, (1, 6, 6))
    fault = (
        "AvgPool2d.kernel_size and stride are numbers, 2, where NIR has pairs; snnTorch's own importer fails on them"
    )
    return Run(graph, x, run_steps(net, x, {1: "1", 5: "5"}), SNNTORCH, (fault,))


def recurrent(rng: np.random.Generator) -> Run:
    """RLeaky, whose recurrent Linear has a bias that counts from the first step on."""
    zero = {"reset_mechanism": "zero", "reset_delay": False}
    cell = neuron(snn.RLeaky, (10,), beta=0.75, linear_features=10, **zero)
    cell.recurrent.weight.data = torch.from_numpy(weights(rng, (10, 10), -0.5, 0.25))
    cell.recurrent.bias.data = torch.from_numpy(weights(rng, (10,), -0.0625, 0.25))
    net = torch.nn.Sequential(linear(rng, 8, 10), cell, linear(rng, 10, 6), neuron(snn.Leaky, (6,), beta=0.5, **zero))
    x = bernoulli(rng, (8,))
    graph = exported(net, (8,))
    return Run(graph, x, run_steps(net, x, {1: "1.lif", 3: "3"}), SNNTORCH)


def cuba(rng: np.random.Generator) -> Run:
    """Two layers of Synaptic, reset to zero within the step."""
    given = {"alpha": 0.5, "beta": 0.75, "reset_mechanism": "zero", "reset_delay": False}
    first, second = neuron(snn.Synaptic, (10,), **given), neuron(snn.Synaptic, (6,), **given)
    net = torch.nn.Sequential(linear(rng, 8, 10, -0.25, 0.375), first, linear(rng, 10, 6, -0.25, 0.375), second)
    x = bernoulli(rng, (8,))
    graph = exported(net, (8,))
    return Run(graph, x, run_steps(net, x, {1: "1", 3: "3"}), SNNTORCH)


def integrate(rng: np.random.Generator) -> Run:
    """Leaky with beta 1, which is snnTorch's integrate-and-fire neuron."""
    given = {"beta": 1.0, "reset_mechanism": "zero"}
    first, second = neuron(snn.Leaky, (10,), **given), neuron(snn.Leaky, (6,), **given)
    net = torch.nn.Sequential(linear(rng, 8, 10), first, linear(rng, 10, 6), second)
    x = bernoulli(rng, (8,))
    graph = exported(net, (8,))
    fault = "tau = dt / (1 - beta) and r = tau / dt are both inf: IF with r = 1 / dt is meant"
    meant = {node: {"type": "IF", "r": 1e4} for node in ("1", "3")}
    return Run(graph, x, run_steps(net, x, {1: "1", 3: "3"}), SNNTORCH, (fault,), meant)


def read(path: Path, x: Any) -> Any:
    """Step by step and sample by sample, because import_from_nir does not shift Flatten's axes for a batch."""
    out = []
    for b in range(x.shape[1]):
        with contextlib.redirect_stdout(io.StringIO()):  # its remarks on scaled thresholds
            net = import_from_nir(nir.read(path, type_check=False))
        state, steps = None, []
        with torch.no_grad():
            for step in torch.from_numpy(x[:, b]):
                spikes, state = net(step, state)
                steps.append(spikes.numpy().copy())
        out.append(np.stack(steps))
    return np.stack(out, axis=1)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    networks = (
        dense,
        dense_subtract,
        dense_subtract_at_once,
        conv,
        recurrent,
        cuba,
        integrate,
    )
    serve("snntorch", networks, ("snntorch",), read)
