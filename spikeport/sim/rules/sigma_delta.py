"""Neurons that add up changes and send changes: `SigmaDelta`.

Under the profile `lava` every sum wraps at 32 bits, as Lava's int32 does, and so does |-2^31|.
"""

from collections.abc import Mapping

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints, as_int32
from spikeport.neurons import SigmaDelta
from spikeport.sim.guard import Guard

State = Mapping[str, Ints]


def step(neurons: SigmaDelta, state: State, inputs: State, guard: Guard) -> tuple[State, Ints]:
    """sigma += a;  x = f(sigma + (bias << e));  send the change of x.

    Stage `sigma` sends sigma itself; stage `delta` takes x = a << e instead. e = spike_exp + state_exp.
    """
    if neurons.stage == "delta":
        x = _word("a", inputs["a"] << neurons.scale_exp, guard)
        return encode(neurons, state, x, guard)
    sigma = _word("sigma", state["sigma"] + inputs["a"], guard)
    if neurons.stage == "sigma":
        return {"sigma": sigma}, sigma
    bias = np.asarray(neurons.bias, np.int64).reshape(-1) << neurons.scale_exp
    x = _word("activation", sigma + bias, guard)
    if neurons.activation == "relu":
        x = np.maximum(x, 0)
    values, s = encode(neurons, state, x, guard)
    return {"sigma": sigma, **values}, s


def encode(neurons: SigmaDelta, state: State, x: Ints, guard: Guard) -> tuple[State, Ints]:
    """d = x - act + residue;  s' = d if |d| >= vth << e else 0;  residue = d - s';  act = x;  s = s' >> state_exp.

    With `cum_error`, error += d is compared instead of d, and is cleared where s' is not 0.
    """
    d = _word("delta", x - state["act"] + state["residue"], guard)
    error = _word("error", state["error"] + d, guard) if neurons.cum_error else d
    s = np.where(as_int32(np.abs(error)) >= neurons.vth << neurons.scale_exp, d, 0)
    values = {"act": x, "residue": d - s}
    if neurons.cum_error:
        values["error"] = np.where(as_int32(np.abs(s)) > 0, 0, error)
    return values, s >> neurons.state_exp


def _word(what: str, x: Ints, guard: Guard) -> Ints:
    """24 bits with a sign, or Lava's 32."""
    guard(what, x, fixed.leaves_v(x))
    return as_int32(x)
