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
    v saturates at 24 bits; its sum cannot leave 32, because the words of u keep it 2^24 away from them.
    """
    awake = state["rest"] == 0 if lif.refractory_steps else np.True_
    u, drive = (_on_loihi1 if guard.profile == "loihi1" else _on_lava)(lif, state["u"], inputs, guard)
    v = fixed.decay(state["v"], fixed.keep_v(lif.dv)) + drive
    guard("v", v, fixed.leaves_v(v) & awake)
    v = np.where(awake, fixed.saturate_v(v), state["v"])
    s = (v > lif.vth << fixed.ACT_SHIFT).astype(np.int64)
    if lif.vth_low is not None:
        s -= v < lif.vth_low << fixed.ACT_SHIFT
    s = np.where(awake, s, 0)
    guard.spike(v, s, lif)
    v = np.where(s != 0, v - (lif.vth << fixed.ACT_SHIFT) if lif.reset == "subtract" else 0, v)
    if not lif.refractory_steps:
        return {"u": u, "v": v}, s
    rest = np.where(s != 0, lif.refractory_steps, np.maximum(state["rest"] - 1, 0))
    return {"u": u, "v": v, "rest": rest}, s


def _on_lava(lif: LIF, u: Ints, inputs: Mapping[str, Ints], guard: Guard) -> tuple[Ints, Ints]:
    """The new u and what v gets: u is added up in 32 bits and wraps at 24, u + bias in a word that holds it."""
    u = fixed.decay(u, fixed.keep_u(lif.du)) + (inputs["a"] << fixed.ACT_SHIFT)
    guard("u", u, fixed.leaves_u(u))
    u = fixed.wrap_u(fixed.as_int32(u))
    return u, u + inputs["bias"]


def _on_loihi1(lif: LIF, u: Ints, inputs: Mapping[str, Ints], guard: Guard) -> tuple[Ints, Ints]:
    """The same in a Loihi 1's words: a << 6 wraps at 22 bits, then u at 24, then u + bias at 24."""
    u = fixed.wrap_u_loihi1(fixed.decay(u, fixed.keep_u(lif.du)) + fixed.wrap_sum_loihi1(inputs["a"]))
    return u, fixed.wrap_u_loihi1(u + inputs["bias"])
