"""Leaky integrate-and-fire: `LIF`."""

from collections.abc import Mapping

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.neurons import LIF
from spikeport.sim.guard import Guard


def step(
    lif: LIF, state: Mapping[str, Ints], inputs: Mapping[str, Ints], guard: Guard
) -> tuple[Mapping[str, Ints], Ints]:
    """u = decay(u, 4096 - (du + 1)) + (a << 6);  v = decay(v, 4096 - dv) + u + bias;  s = v > vth << 6.

    A neuron with rest > 0 leaves v alone and sends nothing. A spike sets v to 0 or takes vth << 6 off,
    and sets rest to `refractory_steps`; every step takes one off what rest was.
    u is added up in 32 bits and wraps at 24. v saturates at 24; its sum cannot leave 32 bits, because
    the wrap keeps u 2^24 away from them.
    """
    awake = state["rest"] == 0 if lif.refractory_steps else np.True_
    u = fixed.decay(state["u"], fixed.keep_u(lif.du)) + (inputs["a"] << fixed.ACT_SHIFT)
    guard("u", u, fixed.leaves_u(u))
    u = fixed.wrap_u(fixed.as_int32(u))
    v = fixed.decay(state["v"], fixed.keep_v(lif.dv)) + u + inputs["bias"]
    guard("v", v, fixed.leaves_v(v) & awake)
    v = np.where(awake, fixed.saturate_v(v), state["v"])
    s = (v > lif.vth << fixed.ACT_SHIFT).astype(np.int64)
    if lif.vth_low is not None:
        s -= v < lif.vth_low << fixed.ACT_SHIFT
    s = np.where(awake, s, 0)
    v = np.where(s != 0, v - (lif.vth << fixed.ACT_SHIFT) if lif.reset == "subtract" else 0, v)
    if not lif.refractory_steps:
        return {"u": u, "v": v}, s
    rest = np.where(s != 0, lif.refractory_steps, np.maximum(state["rest"] - 1, 0))
    return {"u": u, "v": v, "rest": rest}, s
