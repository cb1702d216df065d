"""Float neurons, one step at a time, under a convention. State is `(B, *shape)`."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.convention import Convention, kept_and_gained
from spikeport.deploy.network import Population
from spikeport.deploy.nodes import (
    IF,
    LI,
    LIF,
    CubaLI,
    CubaLIF,
    FileNeuron,
    Floats,
    I,
    Membrane,
    Neuron,
    shape_of_neurons,
)

Step: TypeAlias = Callable[[Floats], Floats]


def stepper(node: Neuron, batch: int, convention: Convention) -> Step:
    """A function from what arrives in a step to what the neurons give: spikes, or v where they do not spike."""
    if isinstance(node, Membrane):
        return _Plain(node, batch)
    current = _Current(node, batch, convention) if isinstance(node, CubaLI | CubaLIF) else None
    membrane = _Membrane(node, batch, convention)

    def step(x: Floats) -> Floats:
        return membrane(x if current is None else current(x))

    return step


class _Plain:
    """A `Membrane`, which says all of itself."""

    def __init__(self, node: Membrane, batch: int) -> None:
        self.node = node
        self.u = np.zeros((batch, *node.start.shape))
        self.v = np.broadcast_to(node.start, self.u.shape)

    def __call__(self, x: Floats) -> Floats:
        node = self.node
        self.u = node.keep_u * self.u + x + node.drive
        v = node.keep_v * self.v + self.u + node.bias
        if not node.fires:
            self.v = v
            return v
        s = spikes_of(node, v, node.threshold)
        self.v = v - s * node.threshold if node.reset == "subtract" else np.where(s, 0, v)
        return s.astype(np.float64)


def spikes_of(neuron: Membrane | Population, v: Floats, threshold: Floats) -> NDArray[np.integer]:
    """How often each neuron fires."""
    if neuron.several:
        return np.maximum(np.floor(v / threshold), 0).astype(np.int64)
    return (v >= threshold if neuron.at_threshold else v > threshold).astype(np.int64)


class _Leaky:
    """x' = keep (x - leak) + leak + gain * drive."""

    def __init__(self, tau: Floats, leak: Floats, convention: Convention) -> None:
        self.keep, self.gain = kept_and_gained(tau, convention)
        self.leak = leak

    def __call__(self, x: Floats, drive: Floats) -> Floats:
        return self.keep * (x - self.leak) + self.leak + self.gain * drive


class _Current:
    """The synaptic current of a CubaLI or CubaLIF; gives r i."""

    def __init__(self, node: CubaLI | CubaLIF, batch: int, convention: Convention) -> None:
        leak = node.v_leak if convention.leaks_current else np.zeros_like(node.v_leak)
        self.leaky = _Leaky(node.tau_syn, leak, convention)
        self.w_in = node.w_in if convention.uses_w_in else np.ones_like(node.w_in)
        self.i = np.zeros((batch, *node.tau_syn.shape))
        self.decays_new = convention.decays_new_current

    def __call__(self, x: Floats) -> Floats:
        if self.decays_new:
            self.i = self.leaky.keep * (self.i + self.w_in * x)
        else:
            self.i = self.leaky(self.i, self.w_in * x)
        return self.i


class _Membrane:
    """Integrates, compares and resets, in this order, within the step."""

    def __init__(self, node: FileNeuron, batch: int, convention: Convention) -> None:
        self.node, self.convention = node, convention
        self.integrate = _integrator(node, convention)
        self.fires = isinstance(node, IF | LIF | CubaLIF)
        start = np.zeros(shape_of_neurons(node))
        if convention.start == "leak":
            start = getattr(node, "v_leak", start)
        elif convention.start == "reset":
            start = getattr(node, "v_reset", start)
        self.v = np.broadcast_to(start, (batch, *start.shape)).copy()

    def __call__(self, drive: Floats) -> Floats:
        before, v = self.v, self.integrate(self.v, drive)
        if not self.fires:
            self.v = v
            return v
        threshold = self._threshold()
        if self.convention.several:
            s = np.maximum(np.floor(v / threshold), 0)
            v = v - s * threshold
            self.v = np.maximum(v, -threshold) if self.convention.floor and isinstance(self.node, IF) else v
            return s
        if self.convention.reset in ("subtract_late", "subtract_once"):
            late = self._above(before, threshold)  # what stood above the threshold has it taken off first
            v = v - late * threshold
            s = self._above(v, threshold)
            self.v = v if self.convention.reset == "subtract_late" else v - (s - late) * threshold
            return s
        s = self._above(v, threshold)
        self.v = np.where(s > 0, self._after(v, threshold), v)
        return s

    def _threshold(self) -> Floats:
        node = self.node
        assert isinstance(node, IF | LIF | CubaLIF)
        return node.v_threshold

    def _above(self, v: Floats, threshold: Floats) -> Floats:
        equal = self.convention.compare == ">="
        return (v >= threshold if equal else v > threshold).astype(np.float64)

    def _after(self, v: Floats, threshold: Floats) -> Floats:
        """v of the neurons that fired."""
        if self.convention.reset == "zero":
            return np.zeros_like(v)
        if self.convention.reset == "value":
            assert isinstance(self.node, IF | LIF | CubaLIF)
            return np.broadcast_to(self.node.v_reset, v.shape)
        return v - threshold


def _integrator(node: FileNeuron, convention: Convention) -> Callable[[Floats, Floats], Floats]:
    """v and what arrives to the next v, before the comparison."""
    match node:
        case I() | IF():
            gain = convention.dt_s * node.r if convention.integrates_r else np.ones_like(node.r)
            return lambda v, x: v + gain * x
        case _:
            tau = node.tau if isinstance(node, LI | LIF) else node.tau_mem
            leaky = _Leaky(tau, node.v_leak, convention)
            r = node.r if convention.uses_r else np.ones_like(node.r)
            if convention.decays_new_in_li and isinstance(node, LI):
                r = r * leaky.keep
            return lambda v, x: leaky(v, r * x)
