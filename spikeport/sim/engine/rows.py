"""Sums of rows of byte weights: what many events add to the same targets, kept in registers until all are added."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numpy.typing import NDArray

from spikeport.sim.engine.vectors import I8, I16, I32, I64, Lanes, cgutils, data, intrinsic, load, splat, store

MOST = 256  # so many bytes add up within 16 bits
WIDTH = 32  # rows are a multiple of it long
AHEAD = 16  # `append` writes so many entries at once


def _adder(lanes: int, registers: int) -> Any:
    """acc[to + i] += sum over first <= k < last of weight[base + n * rows[k] + i], for i < lanes * registers."""

    @intrinsic
    def add(typing_context, acc, to, weight, base, n, rows, first, last):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, to, _, base, n, _, first, last = arguments
            acc, weight, rows = (data(context, builder, signature.args[k], arguments[k]) for k in (0, 2, 5))
            sums = [cgutils.alloca_once(builder, ir.VectorType(I16, lanes)) for _ in range(registers)]
            for place in sums:
                builder.store(ir.Constant(place.type.pointee, None), place)
            with cgutils.for_range_slice(builder, first, last, ir.Constant(I64, 1), I64) as (k, _):
                row = builder.sext(builder.load(builder.gep(rows, [k])), I64)
                start = builder.add(base, builder.mul(row, n))
                for r, place in enumerate(sums):
                    part = load(builder, weight, builder.add(start, ir.Constant(I64, r * lanes)), I8, lanes)
                    builder.store((Lanes(builder, builder.load(place)) + part.widened(I16)).value, place)
            for r, place in enumerate(sums):
                at = builder.add(to, ir.Constant(I64, r * lanes))
                total = load(builder, acc, at, I32, lanes) + Lanes(builder, builder.load(place)).widened(I32)
                store(builder, total, acc, at)
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(acc, i64, weight, i64, i64, rows, i64, i64), generate

    return add


_add_256, _add_128, _add_64, _add_32 = _adder(64, 4), _adder(64, 2), _adder(64, 1), _adder(32, 1)


@njit(forceinline=True)
def add_rows(acc, to, n, weight, base, rows, first, last):  # type: ignore[no-untyped-def]
    """acc[to + i] += weight[base + n * rows[k] + i] for i < n and first <= k < last."""
    while first < last:
        end = min(last, first + MOST)
        b = 0
        while b + 256 <= n:
            _add_256(acc, to + b, weight, base + b, n, rows, first, end)
            b += 256
        if b + 128 <= n:
            _add_128(acc, to + b, weight, base + b, n, rows, first, end)
            b += 128
        if b + 64 <= n:
            _add_64(acc, to + b, weight, base + b, n, rows, first, end)
            b += 64
        if b + 32 <= n:
            _add_32(acc, to + b, weight, base + b, n, rows, first, end)
        first = end


@intrinsic
def append(typing_context, rows, at, events, first, last, shift):  # type: ignore[no-untyped-def]
    """rows[at], ... = events[first], ..., events[last - 1], each plus `shift`; gives where the next one goes.

    Up to `AHEAD` - 1 entries more are read and written: a branch on each event would cost more.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, events = (data(context, builder, signature.args[k], arguments[k]) for k in (0, 2))
        _, at, _, first, last, shift = arguments
        shift = splat(builder, builder.trunc(shift, I32), AHEAD)
        with cgutils.for_range_slice(builder, first, last, ir.Constant(I64, AHEAD), I64) as (k, _):
            to = builder.add(at, builder.sub(k, first))
            store(builder, load(builder, events, k, I32, AHEAD) + shift, rows, to)
        return builder.add(at, builder.sub(last, first))

    return types.int64(rows, types.int64, events, types.int64, types.int64, types.int64), generate


def aligned(size: int) -> NDArray[np.int8]:
    """Zeros that start at a cache line, so that no row of 64 bytes lies on two."""
    room = np.zeros(size + 64, np.int8)
    start = -room.ctypes.data % 64
    return room[start : start + size]
