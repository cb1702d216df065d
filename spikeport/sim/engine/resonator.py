"""Compiled `sim/rules/resonator.py`."""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.words import as_int32, beyond, clipped, rz


@njit
def step_resonator(re, im, a_re, a_im, spiked, group):  # type: ignore[no-untyped-def]
    """One step of a group; gives whether re or im left its word."""
    c, d, bits = group[col.COS], group[col.SIN], group[col.DECAY_BITS]
    exp, vth, clears = group[col.STATE_EXP], group[col.VTH], group[col.IZHIKEVICH] != 0
    left = False
    for i in range(re.size):
        x, y = np.int64(re[i]), np.int64(im[i])
        kept_re, kept_im = rz(c * x, bits) - rz(d * y, bits), rz(d * x, bits) + rz(c * y, bits)
        to_re, to_im = a_re[i] << exp, a_im[i] << exp
        left |= beyond(kept_re + to_re) or beyond(kept_im + to_im)
        x, was = clipped(kept_re + as_int32(to_re)), y
        y = clipped(kept_im + as_int32(to_im))
        if clears:
            s = y >= vth
            if s:
                x, y = np.int64(0), vth - 1
        else:
            s = x >= vth and y >= 0 and was < 0
        re[i], im[i], spiked[i] = x, y, s
    return left
