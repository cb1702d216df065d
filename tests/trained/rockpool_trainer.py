"""Trains networks in rockpool and exports them with `rockpool.nn.modules.torch.nir.to_nir`.

It has no convolutions to export. Neurons send several spikes a step, the threshold taken off for each; their biases
are not exported, so they are held at 0. dt is 1 ms.
"""

import warnings
from typing import Any

import nir
import torch
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import ExpSynTorch, LIFNeuronTorch, LIFTorch, LinearTorch
from rockpool.nn.modules.torch.lif_torch import PeriodicExponential
from rockpool.nn.modules.torch.nir import to_nir
from rockpool.parameters import Constant
from trainer import Framework, Net, serve

DT = 1e-3
TAU, TAU_SYN = 4e-3, 2e-3
FIXED = {"threshold": 1.0, "bias": 0.0}
GIVEN = {"dt": DT, "spike_generation_fn": PeriodicExponential}  # the default's gradient leaves classes silent for good
TAU_RATE = 3e-5  # of learning; taus are in seconds


def held(n: int, **values: float) -> dict[str, Any]:
    """Parameters that training leaves alone."""
    return {name: Constant(torch.full((n,), value)) for name, value in values.items()}


def cuba_lif(n: int) -> Any:
    given = held(n, tau_mem=TAU, **FIXED)
    return LIFTorch(n, **given, tau_syn=Constant(torch.full((n, 1), TAU_SYN)), **GIVEN)


def lif(n: int) -> Any:
    return LIFNeuronTorch(n, **held(n, tau_mem=TAU, **FIXED), **GIVEN)


def learned_lif(n: int) -> Any:
    given = {"tau_mem": torch.full((n,), TAU), "tau_syn": torch.full((n, 1), TAU_SYN)}
    return LIFTorch(n, **given, **held(n, **FIXED), **GIVEN)


def linear(n_in: int, n_out: int, gain: float = 1.0, **given: Any) -> Any:
    weight = torch.empty(n_in, n_out).uniform_(-1, 1) * gain / n_in**0.5
    return LinearTorch((n_in, n_out), weight=weight, **given)


def cuba() -> Any:
    """LinearTorch 64-64 without bias, LIFTorch, LinearTorch 64-10, LIFTorch: neurons with a current."""
    given = {"has_bias": False}
    return Sequential(linear(64, 64, **given), cuba_lif(64), linear(64, 10, **given), cuba_lif(10))


def dense() -> Any:
    """LinearTorch 64-64, LIFNeuronTorch, LinearTorch 64-10, LIFNeuronTorch."""
    return Sequential(linear(64, 64), lif(64), linear(64, 10), lif(10))


def readout() -> Any:
    """LinearTorch 64-64, LIFNeuronTorch, LinearTorch 64-10, ExpSynTorch: the output is a leaky integrator's state."""
    leaky = ExpSynTorch(10, tau=Constant(torch.full((10,), 2 * TAU)), dt=DT)
    return Sequential(linear(64, 64), lif(64), linear(64, 10), leaky)


def learned() -> Any:
    """As `cuba`, with both time constants of each neuron learned, as rockpool does by default."""
    given = {"has_bias": False}
    return Sequential(linear(64, 64, **given), learned_lif(64), linear(64, 10, **given), learned_lif(10))


def fashion() -> Any:
    """LinearTorch 784-128, LIFTorch, LinearTorch 128-10, LIFTorch."""
    return Sequential(linear(784, 128), cuba_lif(128), linear(128, 10), cuba_lif(10))


def run(module: Any, x: torch.Tensor) -> torch.Tensor:
    """All steps at once, `(B, T, n)`."""
    module.reset_state()
    out, _, _ = module(x.transpose(0, 1).contiguous())
    return out.transpose(0, 1)


def export(module: Any, shape: tuple[int, ...], steps: int) -> tuple[nir.NIRGraph, tuple[str, ...]]:
    module.reset_state()
    graph = to_nir(module)
    graph.nodes["input"] = nir.Input(torch.tensor(shape).numpy())
    return graph, ("Input is (1, n), with the axis of the batch in it: taken off",)


def parameters(module: Any) -> list[dict[str, Any]]:
    weights = module.parameters("weights").astorch()
    others = [part for family in ("biases", "bias") for part in module.parameters(family).astorch()]
    return [{"params": [*weights, *others]}, {"params": list(module.parameters("taus").astorch()), "lr": TAU_RATE}]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets = (
        Net("cuba", "digits", cuba, epochs=25),
        Net("dense", "digits", dense, epochs=25),
        Net("readout", "digits", readout, epochs=25, spikes=False),
        Net("learned", "digits", learned, epochs=25),
        Net("dense", "fashion", fashion, epochs=6),
    )
    serve(Framework("rockpool", ("rockpool",), run, export, parameters), nets)
