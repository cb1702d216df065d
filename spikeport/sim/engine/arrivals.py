"""What a group of plain neurons receives at a step: sums of 32 bits from the slots of its connections."""

from typing import Any

import numpy as np
from numba import njit, types

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.vectors import I32, data, in_blocks, intrinsic, put, splat, take

WORD = 1 << 23
LANES = 16


@njit(forceinline=True)
def gather(a, group, connections, buffer, t):  # type: ignore[no-untyped-def]
    """Adds what a group receives at step t to `a`; the slots that it came from are cleared."""
    for k in range(group[col.FIRST_IN], group[col.LAST_IN]):
        start, up, down = slot_of(connections[k], buffer, t)
        _take(a, buffer, start, np.int32(up), np.int32(down))


@njit(forceinline=True)
def slot_of(row, buffer, t):  # type: ignore[no-untyped-def]
    """Where the sums of a connection for step t start, and how they are to be shifted: up, down."""
    start = row[col.BUFFER] + t % row[col.SLOTS] * row[col.SLOT]
    if not row[col.WRAPS]:
        return start, max(0, row[col.EXP]), max(0, -row[col.EXP])
    wrap(buffer, start, row[col.N_TARGET], np.int32(row[col.EXP]))
    return start, 0, 0


@intrinsic
def _take(typing_context, a, buffer, start, up, down):  # type: ignore[no-untyped-def]
    """a += slot << up >> down; the slot is cleared."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        a, buffer = (data(context, builder, kinds[k], arguments[k]) for k in (0, 1))
        slot = builder.gep(buffer, [arguments[2]])
        up, down = (splat(builder, bits, LANES) for bits in arguments[3:])
        n = builder.extract_value(context.make_array(kinds[0])(context, builder, arguments[0]).shape, 0)

        def body(i: Any, mask: Any) -> None:
            arrived = take(builder, slot, i, mask, I32, LANES)
            put(builder, take(builder, a, i, mask, I32, LANES) + (arrived << up >> down), a, i, mask)
            put(builder, arrived & 0, slot, i, mask)

        in_blocks(builder, n, LANES, body)
        return context.get_dummy_value()

    return types.void(a, buffer, types.int64, types.int32, types.int32), generate


@njit
def wrap(buffer, start, n, up):  # type: ignore[no-untyped-def]
    """A convolution's sum wraps at 24 bits (`fixed.wrap_conv`)."""
    for i in range(start, start + n):
        buffer[i] = np.int32(np.int32(np.int32(np.int32(buffer[i] << up) + WORD) & np.int32(2 * WORD - 1)) - WORD)


@njit
def leaves_word(slot, up):  # type: ignore[no-untyped-def]
    """Whether `wrap` would change a sum."""
    left = np.int32(0)
    for i in range(slot.size):
        x = np.int64(slot[i]) << up
        left |= np.int32((x >= WORD) | (x < -WORD))
    return left != 0
