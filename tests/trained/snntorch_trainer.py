"""Trains networks in snnTorch and exports them with `export_to_nir`. Neurons are reset to zero."""

import contextlib
import io
import warnings
from typing import Any

import nir
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir
from trainer import Framework, Net, serve

PER_NEURON = {"beta", "threshold", "alpha"}  # what the exporter wants as vectors
NEURONS = (snn.Leaky, snn.RLeaky, snn.Synaptic)


def neuron(kind: Any, *shape: int, **given: Any) -> Any:
    full = {"threshold": 1.0, "reset_mechanism": "zero", **given}
    full = {name: torch.full(shape, value) if name in PER_NEURON else value for name, value in full.items()}
    return kind(init_hidden=True, **full)


def dense() -> torch.nn.Sequential:
    """Linear 64-64, Leaky, Linear 64-10, Leaky."""
    first, second = neuron(snn.Leaky, 64, beta=0.75), neuron(snn.Leaky, 10, beta=0.9)
    return torch.nn.Sequential(torch.nn.Linear(64, 64), first, torch.nn.Linear(64, 10), second)


def conv() -> torch.nn.Sequential:
    """Conv2d of 8 channels, 3x3, Leaky, AvgPool2d 2, Flatten, Linear 128-10, Leaky."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1),
        neuron(snn.Leaky, 8, 8, 8, beta=0.75),
        torch.nn.AvgPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(128, 10),
        neuron(snn.Leaky, 10, beta=0.9),
    )


def cuba() -> torch.nn.Sequential:
    """Linear 64-64, Synaptic, Linear 64-10, Synaptic: neurons with a current, reset within the step."""
    given = {"alpha": 0.5, "beta": 0.75, "reset_delay": False}
    first, second = neuron(snn.Synaptic, 64, **given), neuron(snn.Synaptic, 10, **given)
    return torch.nn.Sequential(torch.nn.Linear(64, 64), first, torch.nn.Linear(64, 10), second)


def learned() -> torch.nn.Sequential:
    """Linear 64-64, Leaky, Linear 64-10, Leaky, with a learned beta and threshold of each neuron."""
    given = {"learn_beta": True, "learn_threshold": True}
    first, second = neuron(snn.Leaky, 64, beta=0.75, **given), neuron(snn.Leaky, 10, beta=0.9, **given)
    return torch.nn.Sequential(torch.nn.Linear(64, 64), first, torch.nn.Linear(64, 10), second)


def recurrent() -> torch.nn.Sequential:
    """Linear 64-48, RLeaky with a recurrent Linear 48-48, Linear 48-10, Leaky."""
    first = neuron(snn.RLeaky, 48, beta=0.75, linear_features=48, reset_delay=False)
    second = neuron(snn.Leaky, 10, beta=0.9)
    return torch.nn.Sequential(torch.nn.Linear(64, 48), first, torch.nn.Linear(48, 10), second)


def fashion() -> torch.nn.Sequential:
    """Conv2d of 8 channels, 5x5, stride 2, Leaky, Conv2d of 16, 3x3, Leaky, AvgPool2d 2, Linear 784-10, Leaky."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 5, stride=2, padding=2),
        neuron(snn.Leaky, 8, 14, 14, beta=0.75),
        torch.nn.Conv2d(8, 16, 3, padding=1),
        neuron(snn.Leaky, 16, 14, 14, beta=0.75),
        torch.nn.AvgPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(784, 10),
        neuron(snn.Leaky, 10, beta=0.9),
    )


def forget(module: torch.nn.Sequential) -> None:
    for part in module:
        if isinstance(part, NEURONS):
            part.reset_mem()


def run(module: torch.nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    forget(module)
    return torch.stack([module(step) for step in x])


def export(module: torch.nn.Sequential, shape: tuple[int, ...], steps: int) -> tuple[nir.NIRGraph, tuple[str, ...]]:
    """`ignore_dims` takes the batch axis off the Input, without which the exporter refuses its own graph."""
    forget(module)
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        return export_to_nir(module, torch.zeros(1, *shape), ignore_dims=[0]), ()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets = (
        Net("dense", "digits", dense, epochs=25),
        Net("conv", "digits", conv, epochs=25, flat=False),
        Net("cuba", "digits", cuba, epochs=25),
        Net("recurrent", "digits", recurrent, epochs=25),
        Net("learned", "digits", learned, epochs=25),
        Net("conv", "fashion", fashion, epochs=5, flat=False),
    )
    serve(Framework("snntorch", ("snntorch",), run, export), nets)
