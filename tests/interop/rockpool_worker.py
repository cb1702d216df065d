"""Runs networks in rockpool and exports them with `rockpool.nn.modules.torch.nir.to_nir`.

Its LIF keeps exp(-dt / tau) of v, which no float32 is equal to: hence the clearance.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFNeuronTorch, LIFTorch, LinearTorch
from rockpool.nn.modules.torch.nir import to_nir
from worker import Layer, Run, bernoulli, serve, weights

DT, TAU, TAU_SYN = 1e-3, 4e-3, 2e-3
ROCKPOOL = {"preset": "rockpool", "dt_s": DT, "compare": ">=", "several": True, "decays_new_current": True}
BATCH_FAULT = "Input is (1, 8) and Output (1, 1, n): axes of batch and time are in them"
R_FAULT = (
    "r is tau exp(-dt / tau) / dt = 3.115, which holds the time step; tau / dt = 4 is what adds all of x in a step"
)
RESET_FAULT = (
    "nothing says that the threshold is subtracted, once per spike, and that a neuron spikes several times a step"
)
SYN_FAULT = (
    "nothing says that the current decays in the step of its input: exp(-dt / tau_syn) = 0.607 of it counts at once"
)
FLAT_INPUT = {"input": {"shape": [8]}}


def linear(rng: np.random.Generator, n_in: int, n_out: int, low: float, high: float) -> Any:
    weight = torch.from_numpy(weights(rng, (n_in, n_out), low, high))
    return LinearTorch((n_in, n_out), weight=weight, has_bias=False)


def lif(n: int, **given: Any) -> Any:
    return LIFTorch(n, tau_mem=TAU, tau_syn=TAU_SYN, dt=DT, **given)


def watch(module: Any) -> Layer:
    """Keeps what a layer's spike function is handed and gives, step by step."""
    kept, spikes_of = Layer(float(module.threshold.flatten()[0])), module.spike_generation_fn

    def fire(v: torch.Tensor, *rest: Any) -> torch.Tensor:
        spikes = spikes_of(v, *rest)
        kept.v.append(v.detach().numpy().copy())
        kept.s.append(spikes.detach().numpy().copy())
        return spikes

    module.spike_generation_fn = fire
    return kept


def record(
    modules: list[Any],
    x: Any,
    convention: Mapping[str, Any],
    faults: tuple[str, ...],
    meant: Mapping[str, Any] | None = None,
) -> Run:
    """The whole sequence at once, `(B, T, n)`; a NIR file has the Sequential's names, such as 1_LIFTorch."""
    net = Sequential(*modules)
    graph = to_nir(net)
    net.reset_state()
    spiking = {f"{k}_{type(m).__name__}": m for k, m in enumerate(modules) if hasattr(m, "threshold")}
    layers = {name: watch(module) for name, module in spiking.items()}
    with torch.no_grad():
        net(torch.from_numpy(x).transpose(0, 1).contiguous())
    every = (BATCH_FAULT, R_FAULT, RESET_FAULT, *faults)
    return Run(graph, x, layers, convention, every, {**FLAT_INPUT, **(meant or {})})


def dense(rng: np.random.Generator) -> Run:
    """Two layers of LIFNeuronTorch, which have no current."""
    first, second = (LIFNeuronTorch(n, tau_mem=TAU, dt=DT) for n in (10, 6))
    modules = [linear(rng, 8, 10, -0.5, 1.0), first, linear(rng, 10, 6, -0.5, 1.0), second]
    return record(modules, bernoulli(rng, (8,)), ROCKPOOL, ())


def cuba(rng: np.random.Generator) -> Run:
    """Two layers of LIFTorch, whose current decays in the step in which its input arrives."""
    modules = [linear(rng, 8, 10, -0.5, 0.75), lif(10), linear(rng, 10, 6, -0.5, 0.625), lif(6)]
    return record(modules, bernoulli(rng, (8,)), ROCKPOOL, (SYN_FAULT,))


def cuba_bias(rng: np.random.Generator) -> Run:
    """As `cuba`, with a bias on the first layer's membranes, which to_nir leaves out."""
    modules = [linear(rng, 8, 10, -0.5, 0.75), lif(10, bias=torch.full((10,), 0.25)), linear(rng, 10, 6, -0.5, 0.625)]
    modules.append(lif(6))
    leak = 0.25 / (1 - math.exp(-DT / TAU))
    fault = (
        "v_leak is 0: the bias of 0.25 a step, for which v_leak = 0.25 / (1 - exp(-dt / tau)) = 1.13 stands, is lost"
    )
    meant = {"1_LIFTorch": {"v_leak": leak}}
    return record(modules, bernoulli(rng, (8,)), ROCKPOOL, (SYN_FAULT, fault), meant)


def recurrent(rng: np.random.Generator) -> Run:
    """LIFTorch with has_rec, whose recurrent weights to_nir leaves out without a word."""
    rec = torch.from_numpy(weights(rng, (10, 10), -0.5, 0.25))
    modules = [linear(rng, 8, 10, -0.25, 1.0), lif(10, has_rec=True, w_rec=rec)]
    fault = "w_rec is not exported: the file is that of a layer without recurrence"
    beyond = (
        "the spikes of the step before come back through w_rec, which is not in the file, as input of node 1_LIFTorch"
    )
    return record(modules, bernoulli(rng, (8,)), {**ROCKPOOL, "beyond": beyond}, (SYN_FAULT, fault))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    serve("rockpool", (dense, cuba, cuba_bias, recurrent), ("rockpool",))
