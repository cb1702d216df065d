"""The chip's neurons over all steps in one pass, for the CPU: integers in float64, all of them below 2^53, so exact.

    u = a * 64;  v = trunc(v * keep / 4096) + u + bias;  s = [v > limit]

`integer_rule.IntegerNeurons` is the same step by step, and says what is wrong where a value leaves its word.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.compiled import kept

BLOCK = 512


def fire(
    arriving: NDArray[Any], bias: NDArray[np.int64], keep_v: int, vth: int, subtract: bool
) -> NDArray[np.float32] | None:
    """Spikes `(T, B, n)`, or None where a value leaves 24 bits.

    Args:
        arriving: `(T, B, n)` sums of mantissas, whole numbers of any type.
        bias: In steps of v; `(1 or T, 1 or B, n)`.
    """
    steps, batch, n = arriving.shape
    spikes = np.empty((steps, batch, n), np.float32)
    full = np.broadcast_to(bias.astype(np.float64), (steps, batch, n))
    extremes = np.zeros(4)
    limit = float(vth << fixed.ACT_SHIFT)
    _fire(arriving, full, keep_v / fixed.DECAY_ONE, limit, subtract, spikes, extremes)
    u_low, u_high, v_low, v_high = extremes
    within = -fixed.WRAP_AT < u_low and u_high <= fixed.WRAP_AT and -fixed.V_MAX <= v_low and v_high <= fixed.V_MAX
    return spikes if within else None


@kept(nogil=True)
def _fire(
    arriving: NDArray[Any],
    bias: NDArray[np.float64],
    keep: float,
    limit: float,
    subtract: bool,
    spikes: NDArray[np.float32],
    extremes: NDArray[np.float64],
) -> None:
    steps, batch, n = arriving.shape
    v = np.empty(BLOCK)
    off = limit if subtract else 0.0
    stay = 1.0 if subtract else 0.0
    u_low = u_high = v_low = v_high = 0.0
    for b in range(batch):
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            v[:size] = 0.0
            for t in range(steps):
                for k in range(size):
                    u = np.float64(arriving[t, b, start + k]) * 64.0
                    now = np.trunc(v[k] * keep) + u + bias[t, b, start + k]
                    u_low, u_high = min(u_low, u), max(u_high, u)
                    v_low, v_high = min(v_low, now), max(v_high, now)
                    spike = 1.0 if now > limit else 0.0
                    v[k] = now * (1.0 - spike * (1.0 - stay)) - spike * off
                    spikes[t, b, start + k] = spike
    extremes[0], extremes[1], extremes[2], extremes[3] = u_low, u_high, v_low, v_high
