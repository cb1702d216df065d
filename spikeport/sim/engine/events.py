"""Lists the neurons that spiked, without a branch on any of them: whether one did is what a processor cannot guess."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types

from spikeport.sim.engine.vectors import I8, I32, I64, Lanes, data, intrinsic, load, splat, store

SPARE = 8  # entries beyond the last event that may be written to
PLACES = np.array([sorted(range(8), key=lambda k: not byte >> k & 1) for byte in range(256)], np.int8)  # noqa: B023
"""For each byte the places of its bits, the lowest first; then those of its zeros, which nobody reads."""


@intrinsic
def _list_64(typing_context, bits, base, events, first, places):  # type: ignore[no-untyped-def]
    """Writes base + k for each bit k of 64, from `events[first]` on; gives where the next one goes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits, base, _, count, _ = arguments
        events, places = (data(context, builder, signature.args[k], arguments[k]) for k in (2, 4))
        for k in range(8):
            byte = builder.and_(builder.lshr(bits, ir.Constant(I64, 8 * k)), ir.Constant(I64, 255))
            found = load(builder, places, builder.shl(byte, ir.Constant(I64, 3)), I8, 8)
            start = builder.add(builder.trunc(base, I32), ir.Constant(I32, 8 * k))
            store(builder, found.widened(I32) + splat(builder, start, 8), events, count)
            count = builder.add(count, builder.ctpop(byte))
        return count

    return types.int64(types.uint64, types.int64, events, types.int64, places), generate


@intrinsic
def _nonzero_64(typing_context, array, at):  # type: ignore[no-untyped-def]
    """Which of the 64 bytes from `at` on are not 0: one bit each, the first lowest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bytes_ = load(builder, data(context, builder, signature.args[0], arguments[0]), arguments[1], I8, 64)
        return bytes_.differs(Lanes(builder, ir.Constant(bytes_.value.type, None))).bits()

    return types.uint64(array, types.int64), generate


@intrinsic
def count_bits(typing_context, bits):  # type: ignore[no-untyped-def]
    """How many of 64 are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@njit(forceinline=True)
def list_events(spiked, events, first):  # type: ignore[no-untyped-def]
    """Indices of the neurons that spiked, in order, from `events[first]` on. Gives how many.

    `events` has room for `SPARE` more than there are neurons.
    """
    at, whole = first, spiked.size // 64 * 64
    for i in range(0, whole, 64):
        bits = _nonzero_64(spiked, i)
        if bits != 0:
            at = _list_64(bits, i, events, at, PLACES)
    return _list_64(_nonzero_after(spiked, whole), whole, events, at, PLACES) - first


@njit(forceinline=True)
def set_bits(spiked, words):  # type: ignore[no-untyped-def]
    """One bit for each neuron, set if it spiked, the first of 64 lowest; `words` has one beyond whole words."""
    whole = spiked.size // 64
    for k in range(whole):
        words[k] = _nonzero_64(spiked, k * 64)
    words[whole] = _nonzero_after(spiked, whole * 64)


@njit(forceinline=True)
def _nonzero_after(spiked, first):  # type: ignore[no-untyped-def]
    """Likewise of fewer than 64, from `first` on."""
    bits = np.uint64(0)
    for i in range(first, spiked.size):
        bits |= np.uint64(spiked[i] != 0) << np.uint64(i - first)
    return bits
