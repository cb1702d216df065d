"""A neuron's membrane written out in numpy float64, forward and backward, for one step after the other.

    v[t] = keep h[t-1] + gain x[t];  s[t] = [v[t] > vth];  h[t] = v[t] (1 - s[t])  or  v[t] - vth s[t]

The backward pass is the chain rule with ds/dv = slope(v) and ds/dvth = -slope(v); where the reset is detached, its s is
a constant. `smooth` replaces the step by the surrogate's integral, so that finite differences know the derivative.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from spikeport.train import Dynamics, Surrogate
from spikeport.train.neurons import AbstractNeuron

Array = np.ndarray[Any, Any]
T, N = 30, 40
ROUNDING = 1e-12  # float64 sums of some hundred terms, in another order
FLOAT32 = 1e-6  # parameters are float32


def currents(seed: int) -> Array:
    return np.random.default_rng(seed).normal(0.3, 0.8, (T, N))


def costs(seed: int) -> Array:
    """dL/ds."""
    return np.random.default_rng(1000 + seed).normal(size=(T, N))


def rectangle(x: Array, width: float) -> Array:
    """(1 / a) 1[|x| < a / 2]."""
    return (np.abs(x) < width / 2) / width


def arctangent(x: Array, width: float) -> Array:
    """alpha / 2 / (1 + (pi / 2 alpha x)^2), alpha = 2 / width: spikingjelly's."""
    alpha = 2 / width
    return alpha / 2 / (1 + (math.pi / 2 * alpha * x) ** 2)


SLOPES: dict[str, Callable[[Array, float], Array]] = {"rectangular": rectangle, "atan": arctangent}


def ramp(x: Array, width: float) -> Array:
    return np.clip(x / width + 0.5, 0, 1)


def arc(x: Array, width: float) -> Array:
    return np.arctan(math.pi / width * x) / math.pi + 0.5


INTEGRALS: dict[str, Callable[[Array, float], Array]] = {"rectangular": ramp, "atan": arc}


@dataclass(frozen=True)
class Membrane:
    keep: float
    gain: float
    vth: float
    dynamics: Dynamics = Dynamics()
    smooth: bool = False

    def run(self, x: Array, reset_by: Array | None = None) -> tuple[Array, Array]:
        """v before the reset, and s.

        Args:
            reset_by: The s that reset, where they are held fixed.
        """
        v, s, h = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x[0])
        surrogate = self.dynamics.surrogate
        for t in range(len(x)):
            v[t] = self.keep * h + self.gain * x[t]
            past = v[t] - self.vth
            s[t] = INTEGRALS[surrogate.shape](past, surrogate.width) if self.smooth else past > 0
            of_reset = s[t] if reset_by is None else reset_by[t]
            h = v[t] * (1 - of_reset) if self.dynamics.reset == "zero" else v[t] - self.vth * of_reset
        return v, s

    def gradients(self, x: Array, cost: Array) -> dict[str, Any]:
        """Of sum(cost s) by x, keep, gain and vth."""
        v, s = self.run(x)
        surrogate, soft = self.dynamics.surrogate, self.dynamics.reset == "subtract"
        slope = SLOPES[surrogate.shape](v - self.vth if surrogate.centre == "threshold" else v, surrogate.width)
        h = v - self.vth * s if soft else v * (1 - s)
        through = 0.0 if self.dynamics.detach_reset else 1.0
        dv, keep, vth, dh = np.zeros_like(x), 0.0, 0.0, np.zeros_like(x[0])
        for t in reversed(range(len(x))):
            ds = cost[t] - through * dh * (self.vth if soft else v[t])  # h falls by that at a spike
            dv[t] = ds * slope[t] + dh * (1 if soft else 1 - s[t])
            vth += float(-(ds * slope[t]).sum() - (dh * s[t]).sum() * soft)
            if t:
                keep += float((dv[t] * h[t - 1]).sum())
            dh = self.keep * dv[t]
        return {"x": self.gain * dv, "keep": keep, "gain": float((dv * x).sum()), "vth": vth}

    def loss(self, x: Array, cost: Array, reset_by: Array | None) -> float:
        return float((cost * self.run(x, reset_by)[1]).sum())

    def by_differences(self, x: Array, cost: Array, step: float = 1e-6) -> dict[str, float]:
        """The derivatives by the three scalars of the smooth problem, from two runs each."""
        reset_by = self.run(x)[1] if self.dynamics.detach_reset else None
        found = {}
        for name in ("keep", "gain", "vth"):
            up, down = (replace(self, **{name: getattr(self, name) + sign * step}) for sign in (1, -1))
            found[name] = (up.loss(x, cost, reset_by) - down.loss(x, cost, reset_by)) / (2 * step)
        return found


def membrane_of(neuron: AbstractNeuron) -> Membrane:
    return Membrane(value(neuron.keep()), value(neuron.gain()), value(neuron.threshold()), neuron.dynamics)


def spikes_of(neuron: AbstractNeuron, x: Array) -> Array:
    current = neuron.gain().double() * torch.from_numpy(x)
    return neuron(current).detach().numpy()


def backward(neuron: AbstractNeuron, x: Array, cost: Array) -> Array:
    """Gradients into the neuron's parameters, and that of x."""
    given = torch.tensor(x, requires_grad=True)
    (neuron(neuron.gain() * given) * torch.from_numpy(cost)).sum().backward()
    assert given.grad is not None
    return given.grad.numpy()


def value(tensor: torch.Tensor) -> float:
    return float(tensor.detach())


def gradient(tensor: torch.Tensor) -> float:
    assert tensor.grad is not None
    return float(tensor.grad)


def every_dynamics() -> list[Dynamics]:
    return [
        Dynamics(Surrogate(shape, width, centre), reset, detach)
        for shape in ("rectangular", "atan")
        for width, centre in ((1.0, "threshold"), (0.5, "threshold"), (2.0, "zero"))
        for reset in ("zero", "subtract")
        for detach in (True, False)
    ]
