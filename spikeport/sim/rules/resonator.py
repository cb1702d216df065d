"""Resonate and fire: `Resonator`."""

from collections.abc import Mapping

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.neurons import Resonator
from spikeport.sim.guard import Guard


def step(
    neurons: Resonator, state: Mapping[str, Ints], inputs: Mapping[str, Ints], guard: Guard
) -> tuple[Mapping[str, Ints], Ints]:
    """re' = rz(c re) - rz(d im) + (a_re << state_exp);  im' = rz(d re) + rz(c im) + (a_im << state_exp).

    Each product is rounded toward zero by itself; both sums are clipped at 24 bits.
    rf:             s = re' >= vth' and im' >= 0 and im < 0              with vth' = vth << state_exp
    rf_izhikevich:  s = im' >= vth';  re' = 0 and im' = vth' - 1 where s
    """
    c, d, bits = neurons.cos_decay, neurons.sin_decay, neurons.decay_bits
    re = fixed.rz(c * state["re"], bits) - fixed.rz(d * state["im"], bits)
    im = fixed.rz(d * state["re"], bits) + fixed.rz(c * state["im"], bits)
    re = _word("re", re, inputs["re"] << neurons.state_exp, guard)
    im = _word("im", im, inputs["im"] << neurons.state_exp, guard)
    vth = neurons.vth << neurons.state_exp
    if neurons.kind == "rf":
        s = (re >= vth) & (im >= 0) & (state["im"] < 0)
    else:
        s = im >= vth
        re, im = np.where(s, 0, re), np.where(s, vth - 1, im)
    return {"re": re, "im": im}, s.astype(np.int64)


def _word(what: str, kept: Ints, arriving: Ints, guard: Guard) -> Ints:
    """What arrives has 32 bits in Lava, the sum 64 before it is clipped."""
    guard(what, kept + arriving, fixed.leaves_v(kept + arriving))
    return fixed.saturate_v(kept + fixed.as_int32(arriving))
