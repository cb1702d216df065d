"""One neuron of a file, under a convention, as a Membrane and the gain on what arrives at it."""

import numpy as np

from spikeport.deploy.convention import Convention, kept_and_gained
from spikeport.deploy.nodes import IF, LI, LIF, CubaLI, CubaLIF, FileNeuron, Floats, I, Membrane, shape_of_neurons
from spikeport.errors import NeuronUnlowered

FILE_NEURONS = (IF, LIF, CubaLIF, I, LI, CubaLI)
SLACK = 1e-6
"""Relative: a time constant of one step, rounded to float32, is one step."""


def membrane_of(node: FileNeuron, how: Convention) -> tuple[Membrane, Floats]:
    """The neuron as the chip has it, and the gain of what arrives; `check_neuron` has passed."""
    zero = np.zeros(shape_of_neurons(node))
    keep_v, gain, leak = _integration(node, how)
    keep_u, drive = zero, zero
    if isinstance(node, CubaLI | CubaLIF):
        keep_u, new = kept_and_gained(node.tau_syn, how)
        keep_u = np.clip(keep_u, 0, 1)
        drive = gain * (1 - keep_u) * (node.v_leak if how.leaks_current else zero)
        new = keep_u if how.decays_new_current else new
        gain = gain * new * (node.w_in if how.uses_w_in else 1)
    rest = _rest(node, how)
    first = {"leak": leak, "reset": getattr(node, "v_reset", zero), "zero": zero}[how.start]
    bias = (1 - keep_v) * (leak - rest)
    spiking = node if isinstance(node, IF | LIF | CubaLIF) else None
    membrane = Membrane(
        keep_v=keep_v,
        threshold=spiking.v_threshold - rest if spiking else zero + np.inf,
        keep_u=keep_u,
        bias=bias,
        drive=drive,
        start=first - rest,
        reset="subtract" if spiking and (how.several or how.reset.startswith("subtract")) else "zero",
        at_threshold=spiking is not None and (how.compare == ">=" or how.several),
        several=spiking is not None and how.several,
    )
    return membrane, gain


def _integration(node: FileNeuron, how: Convention) -> tuple[Floats, Floats, Floats]:
    """What a step keeps of v - leak, what it adds of its drive, and the leak."""
    if isinstance(node, I | IF):
        gain = how.dt_s * node.r if how.integrates_r else np.ones_like(node.r)
        return np.ones_like(node.r), gain, np.zeros_like(node.r)
    keep, gain = kept_and_gained(node.tau if isinstance(node, LI | LIF) else node.tau_mem, how)
    if how.decays_new_in_li and isinstance(node, LI):
        gain = gain * keep
    return np.clip(keep, 0, 1), gain * node.r if how.uses_r else gain, node.v_leak


def _rest(node: FileNeuron, how: Convention) -> Floats:
    """Where a spike leaves v, which becomes the membrane's 0."""
    if how.reset == "value" and isinstance(node, IF | LIF | CubaLIF):
        return node.v_reset
    return np.zeros(shape_of_neurons(node))


def check_neuron(name: str, node: FileNeuron, how: Convention) -> None:
    """Raises DeployError for what a core's neuron does not do; nothing of the kind is lowered in silence."""
    for what in ("tau", "tau_mem", "tau_syn"):
        if hasattr(node, what):
            _check_tau(name, what, getattr(node, what), how)
    if not isinstance(node, IF | LIF | CubaLIF):
        return
    do = "name another with --convention, or train with a reset to zero"
    late_current = how.reset == "subtract_late" and isinstance(node, CubaLIF)
    if not how.several and (how.reset == "subtract_once" or late_current):
        limit = "zero, v_reset, or the threshold at once"
        raise NeuronUnlowered(name, f"reset of {how.name}", got=how.reset, relation="is not", limit=limit, do=do)
    above = node.v_threshold - _rest(node, how)
    if np.any(above <= 0):
        got, limit = float(above.min()), "0"
        what = "v_threshold" if not np.any(_rest(node, how)) else "v_threshold - v_reset"
        raise NeuronUnlowered(name, what, got=got, relation="is not above", limit=limit, do="raise the threshold")


def _check_tau(name: str, what: str, tau: Floats, how: Convention) -> None:
    if how.decay != "euler" or how.clamped:
        return
    unit, least = (1.0, "one step") if how.tau_in_steps else (how.dt_s, f"the step dt_s {how.dt_s:g}")
    if tau.min() < unit * (1 - SLACK):
        do = "name a convention whose time constants are seconds"
        if not how.tau_in_steps:
            do = f"name the step that the time constants are for; it is at most {tau.min():g}"
        raise NeuronUnlowered(name, what, got=float(tau.min()), relation="is below", limit=least, do=do)
