"""Runs networks in SpikingJelly, exports them with `export_to_nir`, and reads NIR files with `import_from_nir`.

tau is 2 or 4 and decays are 1/2 and 3/4, so they are exact; membranes are not after some steps, hence the clearance.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir, import_from_nir
from worker import Layer, Run, bernoulli, serve, weights

SPIKINGJELLY = {"preset": "spikingjelly", "dt_s": 1e-4}  # the default of its exporter
THRESHOLD = 4 / 3  # off every grid of the weights


def linear(rng: np.random.Generator, n_in: int, n_out: int, low: float, high: float) -> layer.Linear:
    module = layer.Linear(n_in, n_out)
    module.weight.data = torch.from_numpy(weights(rng, (n_out, n_in), low, high))
    module.bias.data = torch.from_numpy(weights(rng, (n_out,), -0.0625, 0.125))
    return module


class Watch(torch.nn.Module):
    """Stands before a neuron's surrogate function, which is handed v - v_threshold."""

    def __init__(self, fire: torch.nn.Module, kept: Layer) -> None:
        super().__init__()
        self.fire, self.kept = fire, kept

    def forward(self, above: torch.Tensor) -> torch.Tensor:
        spikes = self.fire(above)
        self.kept.v.append(above.detach().numpy() + np.float32(self.kept.threshold))
        self.kept.s.append(spikes.detach().numpy().copy())
        return spikes


def run_steps(net: torch.nn.Sequential, x: Any) -> dict[str, Layer]:
    """The Sequential step by step; in a NIR file its modules are `_0`, `_1` and so on."""
    layers = {}
    for index, module in enumerate(net):
        if hasattr(module, "v_threshold"):
            layers[f"_{index}"] = Layer(module.v_threshold)
            module.surrogate_function = Watch(module.surrogate_function, layers[f"_{index}"])
    functional.reset_net(net)
    with torch.no_grad():
        for step in torch.from_numpy(x):
            net(step)
    return layers


def record(net: torch.nn.Sequential, x: Any, ties: bool = False) -> Run:
    graph = export_to_nir(net, torch.zeros(1, *x.shape[2:]))
    return Run(graph, x, run_steps(net, x), SPIKINGJELLY, ties=ties)


def dense(rng: np.random.Generator) -> Run:
    """Two layers of LIFNode with decay_input, which NIR has as r = 1."""
    first, second = (neuron.LIFNode(tau, v_reset=0.0, v_threshold=THRESHOLD) for tau in (4.0, 2.0))
    net = torch.nn.Sequential(linear(rng, 8, 10, -1.0, 3.0), first, linear(rng, 10, 6, -1.0, 2.0), second)
    return record(net, bernoulli(rng, (8,)))


def dense_undecayed(rng: np.random.Generator) -> Run:
    """Two layers of LIFNode without decay_input, which NIR has as r = tau / dt."""
    given = {"v_reset": 0.0, "v_threshold": THRESHOLD, "decay_input": False}
    first, second = (neuron.LIFNode(tau, **given) for tau in (4.0, 2.0))
    net = torch.nn.Sequential(linear(rng, 8, 10, -0.25, 0.75), first, linear(rng, 10, 6, -0.25, 0.75), second)
    return record(net, bernoulli(rng, (8,)))


def conv(rng: np.random.Generator) -> Run:
    """Conv2d, LIFNode, AvgPool2d, Flatten, Linear, IFNode."""
    convolution = layer.Conv2d(1, 3, 3, bias=False)
    convolution.weight.data = torch.from_numpy(weights(rng, (3, 1, 3, 3), -1.0, 3.0))
    lif = neuron.LIFNode(4.0, v_reset=0.0, v_threshold=THRESHOLD)
    pool, flat = layer.AvgPool2d(2), layer.Flatten()
    last = neuron.IFNode(THRESHOLD, v_reset=0.0)
    net = torch.nn.Sequential(convolution, lif, pool, flat, linear(rng, 12, 5, -0.5, 0.5), last)
    return record(net, bernoulli(rng, (1, 6, 6)))


def reset_value(rng: np.random.Generator) -> Run:
    """LIFNode that is reset to, leaks to and starts at -1/4."""
    first, second = (neuron.LIFNode(tau, v_reset=-0.25, v_threshold=THRESHOLD) for tau in (4.0, 2.0))
    net = torch.nn.Sequential(linear(rng, 8, 10, -1.0, 4.0), first, linear(rng, 10, 6, -1.0, 3.0), second)
    return record(net, bernoulli(rng, (8,)))


def cuba(rng: np.random.Generator) -> Run:
    """Two layers of CUBALIFNode."""
    given = {"c_decay": 0.5, "v_decay": 0.75, "v_threshold": THRESHOLD, "v_reset": 0.0}
    first, second = neuron.CUBALIFNode(**given), neuron.CUBALIFNode(**given)
    net = torch.nn.Sequential(linear(rng, 8, 10, -0.25, 0.5), first, linear(rng, 10, 6, -0.25, 0.5), second)
    return record(net, bernoulli(rng, (8,)))


def integrate(rng: np.random.Generator) -> Run:
    """Two layers of IFNode on a grid where membranes often equal the threshold: they fire then."""
    net = torch.nn.Sequential(linear(rng, 8, 10, -1.0, 2.5), neuron.IFNode(3.0, v_reset=0.0))
    net.extend([linear(rng, 10, 6, -1.0, 2.5), neuron.IFNode(2.0, v_reset=0.0)])
    for module in (net[0], net[2]):
        module.weight.data = (module.weight.data * 2).round() / 2
        module.bias.data.zero_()
    return record(net, bernoulli(rng, (8,)), ties=True)


def read(path: Path, x: Any) -> Any:
    net = import_from_nir(path, dt=1e-4)
    state, out = None, []
    with torch.no_grad():
        for step in torch.from_numpy(x):
            spikes, state = net(step, state)
            out.append(spikes.numpy().copy())
    return np.stack(out)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    networks = (dense, dense_undecayed, conv, reset_value, cuba, integrate)
    serve("spikingjelly", networks, ("spikingjelly",), read)
