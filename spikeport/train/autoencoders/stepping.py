"""A chain of linear spiking layers, one step at a time: what a loop through the host needs in eval mode.

A layer is causal once its norm has fixed statistics, so its membranes are all that a step takes from the steps before.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.train import integer_rule
from spikeport.train.layer import SpikingLayer

Step = Callable[[Tensor], Tensor]
"""Spikes `(B, n_in)` to spikes `(B, n_out)`, with a state."""


def stepper(layers: Iterable[SpikingLayer]) -> Step:
    """The chain from its state at rest. Its outputs, one after the other, are those of the chain on all steps."""
    steps = [_integer_step(layer) if layer.quantize else _float_step(layer) for layer in layers]

    def step(x: Tensor) -> Tensor:
        with torch.no_grad():
            for one in steps:
                x = one(x)
        return x

    return step


def _integer_step(layer: SpikingLayer) -> Step:
    """The chip's rule on `integers()`."""
    ints = layer.integers()
    subtract = layer.neuron.dynamics.reset == "subtract"
    neurons = integer_rule.IntegerNeurons(fixed.keep_v(ints.dv), ints.vth, subtract=subtract)

    def step(x: Tensor) -> Tensor:
        integer_rule.check_spikes(x)
        arriving = integer_rule.accumulate(layer.synapse, x, ints.weight).long()
        return neurons(arriving, ints.bias).to(layer.synapse.weight.dtype)

    return step


def _float_step(layer: SpikingLayer) -> Step:
    """v = keep h + y;  s = [v > threshold];  h = v (1 - s)  or  v - s threshold."""
    neuron = layer.neuron
    h: Tensor | None = None

    def step(x: Tensor) -> Tensor:
        nonlocal h
        current, offset = layer.main.current(x.to(layer.synapse.weight.dtype), neuron.gain(), None, False)
        factor, mean = current.factor_and_mean(current.x.dtype)
        y = current.x if mean is None else current.x - mean
        y = y if factor is None else factor * y
        y = y if offset is None else y + offset
        v = y if h is None else neuron.keep() * h + y
        s = (v > neuron.threshold()).to(v.dtype)
        h = v - s * neuron.threshold() if neuron.dynamics.reset == "subtract" else v * (1 - s)
        return s

    return step
