"""Trains networks in SpikingJelly and exports them with `export_to_nir`. Neurons are reset to zero.

Training goes over all steps at once, layer by layer (step_mode "m"); what is kept is measured step by step.
"""

import warnings
from typing import Any

import nir
import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from spikingjelly.activation_based.nir_exchange import export_to_nir
from trainer import Framework, Net, serve


def lif(tau: float = 4.0, kind: Any = neuron.LIFNode, **given: Any) -> Any:
    return kind(tau, v_reset=0.0, surrogate_function=surrogate.ATan(), **given)


def scaled(module: Any, gain: float) -> Any:
    module.weight.data *= gain
    return module


def dense() -> torch.nn.Sequential:
    """Linear 64-64, LIFNode, Linear 64-10, LIFNode, with decay_input: r is 1."""
    return torch.nn.Sequential(scaled(layer.Linear(64, 64), 4.0), lif(), scaled(layer.Linear(64, 10), 4.0), lif())


def conv() -> torch.nn.Sequential:
    """Conv2d of 8 channels, 3x3, ParametricLIFNode, AvgPool2d 2, Flatten, Linear 128-10, ParametricLIFNode."""
    return torch.nn.Sequential(
        layer.Conv2d(1, 8, 3, padding=1),
        lif(kind=neuron.ParametricLIFNode, decay_input=False),
        layer.AvgPool2d(2),
        layer.Flatten(),
        layer.Linear(128, 10),
        lif(kind=neuron.ParametricLIFNode, decay_input=False),
    )


def cuba() -> torch.nn.Sequential:
    """Linear 64-64, CUBALIFNode, Linear 64-10, CUBALIFNode: neurons with a current."""
    given = {"c_decay": 0.5, "v_decay": 0.75, "v_threshold": 1.0, "v_reset": 0.0}
    first, second = (neuron.CUBALIFNode(**given, surrogate_function=surrogate.ATan()) for _ in range(2))
    return torch.nn.Sequential(layer.Linear(64, 64), first, layer.Linear(64, 10), second)


def integrate() -> torch.nn.Sequential:
    """Linear 64-64, IFNode, Linear 64-10, IFNode."""
    first, second = (neuron.IFNode(v_reset=0.0, surrogate_function=surrogate.ATan()) for _ in range(2))
    return torch.nn.Sequential(layer.Linear(64, 64), first, layer.Linear(64, 10), second)


def fashion() -> torch.nn.Sequential:
    """Conv2d of 8 channels, 5x5, stride 2, LIFNode, Conv2d of 16, 3x3, LIFNode, AvgPool2d 2, Linear 784-10, LIFNode."""
    return torch.nn.Sequential(
        layer.Conv2d(1, 8, 5, stride=2, padding=2),
        lif(decay_input=False),
        layer.Conv2d(8, 16, 3, padding=1),
        lif(decay_input=False),
        layer.AvgPool2d(2),
        layer.Flatten(),
        layer.Linear(784, 10),
        lif(decay_input=False),
    )


def run(module: torch.nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    functional.reset_net(module)
    functional.set_step_mode(module, "m" if torch.is_grad_enabled() else "s")
    return module(x) if torch.is_grad_enabled() else torch.stack([module(step) for step in x])


def export(module: torch.nn.Sequential, shape: tuple[int, ...], steps: int) -> tuple[nir.NIRGraph, tuple[str, ...]]:
    functional.reset_net(module)
    functional.set_step_mode(module, "s")
    return export_to_nir(module, torch.zeros(1, *shape)), ()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets = (
        Net("dense", "digits", dense, epochs=25, rate=4 * 3e-3),
        Net("conv", "digits", conv, epochs=25, flat=False),
        Net("cuba", "digits", cuba, epochs=25),
        Net("integrate", "digits", integrate, epochs=25),
        Net("conv", "fashion", fashion, epochs=5, flat=False),
    )
    serve(Framework("spikingjelly", ("spikingjelly",), run, export), nets)
