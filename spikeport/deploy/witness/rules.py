"""The rules of `sim/rules` written a second time, within the words: what a step gives, and what in it leaves its word.

`deploy` does not know `sim`; and a witness that two writings agree on is one. Arrays may be the neurons of a group, or
many copies of one of them.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta

State = Mapping[str, Ints]
Bad = Mapping[str, NDArray[np.bool_]]  # by the names of `OverflowDetected`, in the order in which they are looked at
LIMIT = 1 << 40  # copies that overflow go on harmlessly


def cleared(group: Group, shape: tuple[int, ...]) -> State:
    """The state before the first step."""
    names = (*group.variables, "rest") if isinstance(group, LIF) else group.variables
    return {name: np.zeros(shape, np.int64) for name in names}


def step(group: Group, state: State, entering: State, integrator: bool = False) -> tuple[State, Bad]:
    """
    Args:
        entering: What arrives at each port, and `bias`: of a LIF in units of v, of a SigmaDelta before its shift.
        integrator: Whether the group is not to spike (`Program.integrators`).
    """
    match group:
        case LIF():
            after, bad = _lif(group, state, entering, integrator)
        case SigmaDelta():
            after, bad = _sigma_delta(group, state, entering)
        case Resonator():
            after, bad = _resonator(group, state, entering)
    return {name: np.clip(x, -LIMIT, LIMIT) for name, x in after.items()}, bad


def _lif(lif: LIF, state: State, entering: State, integrator: bool) -> tuple[State, Bad]:
    u = fixed.decay(state["u"], fixed.keep_u(lif.du)) + (entering["a"] << fixed.ACT_SHIFT)
    total = fixed.decay(state["v"], fixed.keep_v(lif.dv)) + u + entering["bias"]
    awake = state["rest"] == 0
    vth = lif.vth << fixed.ACT_SHIFT
    fires = total > vth
    if lif.vth_low is not None:
        fires = fires | (total < lif.vth_low << fixed.ACT_SHIFT)
    left = np.where(fires, total - vth if lif.reset == "subtract" else 0, total)
    rest = np.where(awake & fires, lif.refractory_steps, np.maximum(state["rest"] - 1, 0))
    v = np.where(awake, left, state["v"])
    beyond = fixed.leaves_v(total) | fires if integrator else fixed.leaves_v(total)
    return {"u": u, "v": v, "rest": rest}, {"u": fixed.leaves_u(u), "v": beyond & awake}


def _sigma_delta(neurons: SigmaDelta, state: State, entering: State) -> tuple[State, Bad]:
    e = neurons.scale_exp
    if neurons.stage == "delta":
        x = entering["a"] << e
        after, bad = _encode(neurons, state, x)
        return after, {"a": fixed.leaves_v(x), **bad}
    sigma = state["sigma"] + entering["a"]
    seen = {"sigma": fixed.leaves_v(sigma)}
    if neurons.stage == "sigma":
        return {"sigma": sigma}, seen
    driven = sigma + (entering["bias"] << e)
    after, bad = _encode(neurons, state, np.maximum(driven, 0) if neurons.activation == "relu" else driven)
    return {"sigma": sigma, **after}, {**seen, "activation": fixed.leaves_v(driven), **bad}


def _encode(neurons: SigmaDelta, state: State, x: Ints) -> tuple[State, Bad]:
    d = x - state["act"] + state["residue"]
    error = state["error"] + d if neurons.cum_error else d
    sends = np.abs(error) >= neurons.vth << neurons.scale_exp
    after = {"act": x, "residue": np.where(sends, 0, d)}
    if not neurons.cum_error:
        return after, {"delta": fixed.leaves_v(d)}
    after["error"] = np.where(sends & (d != 0), 0, error)
    return after, {"delta": fixed.leaves_v(d), "error": fixed.leaves_v(error)}


def _resonator(neurons: Resonator, state: State, entering: State) -> tuple[State, Bad]:
    c, d, bits, exp = neurons.cos_decay, neurons.sin_decay, neurons.decay_bits, neurons.state_exp
    re = fixed.rz(c * state["re"], bits) - fixed.rz(d * state["im"], bits) + (entering["re"] << exp)
    im = fixed.rz(d * state["re"], bits) + fixed.rz(c * state["im"], bits) + (entering["im"] << exp)
    bad = {"re": fixed.leaves_v(re), "im": fixed.leaves_v(im)}
    if neurons.kind == "rf_izhikevich":
        vth = neurons.vth << exp
        spikes = im >= vth
        re, im = np.where(spikes, 0, re), np.where(spikes, vth - 1, im)
    return {"re": re, "im": im}, bad
