"""Compiled `sim/rules/lif.py`: the plain neuron in 32 bits and the compiler's vector units, all others in 64 bits.

Explicit narrow types: only so does the compiler use its vector units.
"""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.words import as_int32, beyond, clipped


@njit(inline="always")
def kept(x, keep):  # type: ignore[no-untyped-def]
    """`fixed.decay` on |x| <= 2^23 and 0 <= keep <= 4096, without leaving 32 bits.

    (|x| keep) >> 12 = hi keep + (lo keep >> 12) with |x| = hi 2^12 + lo.
    """
    size = abs(x)
    part = np.int32((size >> 12) * keep) + np.int32(np.int32((size & 4095) * keep) >> 12)
    return np.int32(part if x >= 0 else -part)


@njit(inline="always")
def fire(i, x, u, v, a, bias, spiked, keep, top):  # type: ignore[no-untyped-def]
    """Neuron i from its new current x on: wraps u, steps v, fires. Gives 1 if a value left its word, else 0."""
    huge = np.int32((a[i] > 16777216) | (a[i] < -16777216))
    over = np.int32(x > 8388608)
    under = np.int32(x <= -8388608)
    x = np.int32(x - np.int32(over << 24) + np.int32(under << 24))
    u[i] = x
    y = np.int32(kept(v[i], keep) + np.int32(x + bias[i]))
    z = min(max(y, np.int32(-8388607)), np.int32(8388607))
    s = z > top
    spiked[i] = s
    v[i] = np.int32(0) if s else z
    return huge | over | under | np.int32(y != z)


@njit
def step_lif(u, v, a, bias, spiked, keep_u, keep_v, vth):  # type: ignore[no-untyped-def]
    """One step of plain neurons, `sim/rules/lif.py`. Gives whether u or v left its word.

    `a` is what arrived, already as Lava's 32-bit sum; u and v are updated in place.
    """
    left = np.int32(0)
    keep_i, keep, top = np.int32(keep_u), np.int32(keep_v), np.int32(vth)  # 64-bit factors would halve the lanes
    if keep_u == 0:  # the current lasts one step
        for i in range(u.size):
            left |= fire(i, np.int32(a[i] << 6), u, v, a, bias, spiked, keep, top)
    else:
        for i in range(u.size):
            left |= fire(i, np.int32(kept(u[i], keep_i) + np.int32(a[i] << 6)), u, v, a, bias, spiked, keep, top)
    return left != 0


@njit
def step_lif_wide(u, v, a, bias, spiked, keep_u, keep_v, vth):  # type: ignore[no-untyped-def]
    """As `step_lif` for currents that have left 24 bits, where Lava goes on in 64: profile `lava` only."""
    left = False
    for i in range(u.size):
        size = abs(np.int64(u[i]))
        part = (size * keep_u) >> 12
        x = np.int64(np.int32((part if u[i] >= 0 else -part) + (np.int64(a[i]) << 6)))
        wrapped = x - 16777216 if x > 8388608 else (x + 16777216 if x <= -8388608 else x)
        u[i] = wrapped
        y = np.int64(kept(v[i], keep_v)) + wrapped + bias[i]
        z = min(max(y, -8388607), 8388607)
        left |= x != wrapped or y != z
        spiked[i] = z > vth
        v[i] = 0 if z > vth else z
    return left


@njit
def step_lif_any(u, v, rest, a, bias, spiked, payload, group):  # type: ignore[no-untyped-def]
    """One step of a group with any reset, rest, threshold and input; gives whether u or v left its word.

    Args:
        rest: Steps for which each still rests; read and written only where REST is not 0.
    """
    keep_u, keep_v, vth, vth_low = group[col.KEEP_U], group[col.KEEP_V], group[col.VTH], group[col.VTH_LOW]
    soft, rests, ternary = group[col.SOFT] != 0, group[col.REST], group[col.TERNARY] != 0
    left = False
    for i in range(u.size):
        full = kept_long(u[i], keep_u) + (a[i] << 6)
        x = as_int32(full)
        x = x - 16777216 if x > 8388608 else (x + 16777216 if x <= -8388608 else x)
        left |= x != full
        u[i] = x
        asleep = rests != 0 and rest[i] > 0
        s = 0
        if not asleep:
            y = kept_long(v[i], keep_v) + x + bias[i]
            left |= beyond(y)
            y = clipped(y)
            if y > vth:
                s = 1
            elif ternary and y < vth_low:
                s = -1
            if s != 0:
                y = y - vth if soft else np.int64(0)
            v[i] = y
        if rests != 0:
            rest[i] = rests if s != 0 else max(rest[i] - 1, 0)
        payload[i] = s
        spiked[i] = s != 0
    return left


@njit
def leaves_loihi1(a, u, bias):  # type: ignore[no-untyped-def]
    """Whether a step that left no other word left a Loihi 1's: of a << 6, of u, of u + bias (`profiles`).

    A sum over connections that 32 bits do not hold is seen by its low 16, and these are all that a Loihi 1 keeps.
    """
    left = np.int32(0)
    for i in range(u.size):
        drive = np.int32(u[i] + bias[i])
        left |= np.int32((a[i] > 32767) | (a[i] < -32768) | (u[i] > 8388607) | (drive > 8388607) | (drive < -8388608))
    return left != 0


@njit(inline="always")
def kept_long(x, keep):  # type: ignore[no-untyped-def]
    """`fixed.decay` in 64 bits."""
    size = np.int64(x)
    return (size * keep) >> 12 if size >= 0 else -((-size * keep) >> 12)
