"""Compiled `sim/rules/lif.py`: the plain neuron in vectors of 32 bits, all others in 64 bits."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.vectors import (
    I1,
    I8,
    I32,
    Lanes,
    cgutils,
    data,
    in_blocks,
    intrinsic,
    put,
    splat,
    take,
)
from spikeport.sim.engine.words import V_MAX, as_int32, beyond, clipped

LANES = 16


def _stepper(reads_u: bool, writes_u: bool) -> Any:
    """The step of plain neurons, `sim/rules/lif.py`. A current that lasts one step is not read, and seldom written."""

    @intrinsic
    def step(typing_context, u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, top):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            u, v, bias, spiked, slots = (
                data(context, builder, kind, array) for kind, array in zip(signature.args[:5], arguments, strict=False)
            )
            slot = builder.gep(slots, [arguments[5]])
            up, down, keep_u, keep_v, top = (splat(builder, scalar, LANES) for scalar in arguments[6:])
            n = builder.extract_value(context.make_array(signature.args[0])(context, builder, arguments[0]).shape, 0)
            left = cgutils.alloca_once_value(builder, ir.Constant(ir.VectorType(I1, LANES), None))

            def body(i: Any, mask: Any) -> None:
                def got(array: Any) -> Lanes:
                    return take(builder, array, i, mask, I32, LANES)

                arrived = got(slot) << up >> down
                put(builder, arrived & 0, slot, i, mask)
                current = (arrived << 6) + kept(got(u), keep_u) if reads_u else arrived << 6
                wrapped, voltage, s, bad = fire(current, got(v), got(bias), keep_v, top)
                # where a << 6 itself leaves 32 bits, the current may look as if it had stayed
                bad = bad | (arrived > 1 << 24) | (arrived < -(1 << 24))
                if writes_u:
                    put(builder, wrapped, u, i, mask)
                put(builder, voltage, v, i, mask)
                put(builder, Lanes(builder, builder.zext(s.value, ir.VectorType(I8, LANES))), spiked, i, mask)
                bad = bad if mask is None else bad & mask
                builder.store((Lanes(builder, builder.load(left)) | bad).value, left)

            in_blocks(builder, n, LANES, body)
            bits = Lanes(builder, builder.load(left)).bits()
            return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

        word = types.int32
        return types.boolean(u, v, bias, spiked, slots, types.int64, word, word, word, word, word), generate

    return step


def kept(x: Lanes, keep: Lanes) -> Lanes:
    """`fixed.decay` on |x| <= 2^23 and 0 <= keep <= 4096, without leaving 32 bits.

    (|x| keep) >> 12 = hi keep + (lo keep >> 12) with |x| = hi 2^12 + lo.
    """
    negative, minus = x < 0, x * -1
    size = negative.where(minus, x)
    part = (size >> 12) * keep + ((size & 4095) * keep >> 12)
    return negative.where(part * -1, part)


def fire(x: Lanes, v: Lanes, bias: Lanes, keep_v: Lanes, top: Lanes) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """From the sum of the current on: u, v, who fires, and where a value left its word."""
    over, under = x > 1 << 23, x < 1 - (1 << 23)
    u = under.where(x + (1 << 24), over.where(x - (1 << 24), x))
    y = kept(v, keep_v) + (u + bias)
    too_high, too_low = y > V_MAX, y < -V_MAX
    z = too_low.where(-V_MAX, too_high.where(V_MAX, y))
    s = z > top
    return u, s.where(0, z), s, over | under | too_high | too_low


_fading, _at_once, _passing = _stepper(True, True), _stepper(False, True), _stepper(False, False)


@njit(forceinline=True)
def step_lif(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, vth, shown):  # type: ignore[no-untyped-def]
    """One step of plain neurons, `sim/rules/lif.py`. Gives whether u or v left its word.

    Args:
        u, v: Updated in place.
        slots, at: What arrived, from `slots[at]` on; it is cleared. Lava's 32-bit sum once it is shifted.
        up, down: The shift, one of them 0.
        shown: Whether somebody reads u after this step; if not it may stay as it was where `keep_u` is 0.
    """
    up, down, keep_u, keep_v, top = np.int32(up), np.int32(down), np.int32(keep_u), np.int32(keep_v), np.int32(vth)
    if keep_u != 0:
        return _fading(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, top)
    if shown:
        return _at_once(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, top)
    return _passing(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, top)


@njit
def step_lif_wide(u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, vth):  # type: ignore[no-untyped-def]
    """As `step_lif` for currents that have left 24 bits, where Lava goes on in 64: profile `lava` only."""
    left = False
    for i in range(u.size):
        size = abs(np.int64(u[i]))
        part = (size * keep_u) >> 12
        arrived = np.int64(np.int32(slots[at + i] << up)) >> down
        slots[at + i] = 0
        x = np.int64(np.int32((part if u[i] >= 0 else -part) + (arrived << 6)))
        wrapped = x - 16777216 if x > 8388608 else (x + 16777216 if x <= -8388608 else x)
        u[i] = wrapped
        y = kept_long(v[i], keep_v) + wrapped + bias[i]
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
def leaves_loihi1(u, bias, slots, at, up, down, keep_u):  # type: ignore[no-untyped-def]
    """Whether the step to come leaves a Loihi 1's words: of a << 6, of u, of u + bias (`profiles`). Changes nothing.

    A sum that 32 bits do not hold is seen by its low 16, and these are all that a Loihi 1 keeps of it.
    """
    left = False
    for i in range(u.size):
        a = np.int64(np.int32(slots[at + i] << up)) >> down
        x = kept_long(u[i], keep_u) + (a << 6)
        drive = x + bias[i]
        left |= (a > 32767) | (a < -32768) | (x > 8388607) | (x < -8388608) | (drive > 8388607) | (drive < -8388608)
    return left


@njit(inline="always")
def kept_long(x, keep):  # type: ignore[no-untyped-def]
    """`fixed.decay` in 64 bits."""
    size = np.int64(x)
    return (size * keep) >> 12 if size >= 0 else -((-size * keep) >> 12)
