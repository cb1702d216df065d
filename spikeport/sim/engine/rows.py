"""Sums of rows of byte weights: what many events add to the same targets, kept in registers until all are added.

A span is (base, first, last): the events first ... last - 1, whose rows start at base + event * n.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types

from spikeport.sim.engine.vectors import I8, I16, I32, I64, Lanes, cgutils, data, intrinsic, load, store

MOST = 256  # so many bytes add up within 16 bits
WIDTH = 32  # rows are a multiple of it long


def _adder(lanes: int, registers: int) -> Any:
    """acc[to + i] += sum over all events of weight[base + b + event * n + i], for i < lanes * registers."""

    @intrinsic
    def add(typing_context, acc, to, n, b, weight, events, spans, count):  # type: ignore[no-untyped-def]
        integer = types.int64

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kinds = signature.args
            _, to, n, b, _, _, _, count = arguments
            acc, weight, events, spans = (data(context, builder, kinds[k], arguments[k]) for k in (0, 4, 5, 6))
            sums = [cgutils.alloca_once(builder, ir.VectorType(I16, lanes)) for _ in range(registers)]
            for place in sums:
                builder.store(ir.Constant(place.type.pointee, None), place)

            def entry(span: Any, k: int) -> Any:
                at = builder.add(builder.mul(span, ir.Constant(I64, 3)), ir.Constant(I64, k))
                return builder.load(builder.gep(spans, [at]))

            with cgutils.for_range(builder, count) as outer:
                base = builder.add(entry(outer.index, 0), b)
                first, last = entry(outer.index, 1), entry(outer.index, 2)
                with cgutils.for_range_slice(builder, first, last, ir.Constant(I64, 1), I64) as (k, _):
                    event = builder.sext(builder.load(builder.gep(events, [k])), I64)
                    row = builder.add(base, builder.mul(event, n))
                    for r, place in enumerate(sums):
                        part = load(builder, weight, builder.add(row, ir.Constant(I64, r * lanes)), I8, lanes)
                        builder.store((Lanes(builder, builder.load(place)) + part.widened(I16)).value, place)
            for r, place in enumerate(sums):
                at = builder.add(to, ir.Constant(I64, r * lanes))
                total = load(builder, acc, at, I32, lanes) + Lanes(builder, builder.load(place)).widened(I32)
                store(builder, total, acc, at)
            return context.get_dummy_value()

        return types.void(acc, integer, integer, integer, weight, events, spans, integer), generate

    return add


_add_256, _add_128, _add_64, _add_32 = _adder(64, 4), _adder(64, 2), _adder(64, 1), _adder(32, 1)


@njit(forceinline=True)
def add_rows(acc, to, n, weight, events, spans, count):  # type: ignore[no-untyped-def]
    """acc[to + i] += the rows of all events of the first `count` spans, for i < n; `MOST` events at most."""
    b = 0
    while b + 256 <= n:
        _add_256(acc, to + b, n, b, weight, events, spans, count)
        b += 256
    if b + 128 <= n:
        _add_128(acc, to + b, n, b, weight, events, spans, count)
        b += 128
    if b + 64 <= n:
        _add_64(acc, to + b, n, b, weight, events, spans, count)
        b += 64
    if b + 32 <= n:
        _add_32(acc, to + b, n, b, weight, events, spans, count)


@njit(forceinline=True)
def add_span(acc, to, n, weight, events, base, first, last, spans):  # type: ignore[no-untyped-def]
    """`add_rows` of one span with any number of events; `spans` is room for one."""
    while first < last:
        end = min(last, first + MOST)
        spans[0, 0], spans[0, 1], spans[0, 2] = base, first, end
        add_rows(acc, to, n, weight, events, spans, 1)
        first = end


def aligned(size: int) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    """Zeros that start at a cache line, so that no row of 64 bytes lies on two."""
    room = np.zeros(size + 64, np.int8)
    start = -room.ctypes.data % 64
    return room[start : start + size]
