"""Plain loops for what the engine has as vectors, so that all around them runs without numba: a plugin of pytest.

Each does what its docstring says there, and reads and writes no less than the vectors do: room that is too small shows.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from spikeport.sim.engine import arrivals, borrowed, events, lif, rows, run
from tests.sim.engine.hand import Rule, in_word, lif_step

assert run  # imported, so that all who use a vector are


def take(a: Any, buffer: Any, start: int, up: int, down: int) -> None:
    for i in range(a.size):
        a[i] = in_word(int(a[i]) + (in_word(int(buffer[start + i]) << int(up), 32) >> int(down)), 32)
        buffer[start + i] = 0


def stepper(reads_u: bool, writes_u: bool) -> Callable[..., bool]:
    def step(  # type: ignore[no-untyped-def]
        u, v, bias, spiked, slots, at, up, down, keep_u, keep_v, top
    ) -> bool:
        any_left, rule = False, Rule(int(keep_u) if reads_u else 0, int(keep_v), int(top))
        for i in range(u.size):
            a = in_word(int(slots[at + i]) << int(up), 32) >> int(down)
            slots[at + i] = 0
            assert not reads_u or abs(int(u[i])) <= 1 << 23, "vectors take no wider current"
            now, v[i], _, spiked[i], left = lif_step(rule, int(u[i]), int(v[i]), 0, a, int(bias[i]))
            any_left |= left
            if writes_u:
                u[i] = now
        return any_left

    return step


def adder(count: int) -> Callable[..., None]:
    def add(acc, to, weight, base, n, which, first, last) -> None:  # type: ignore[no-untyped-def]
        """In 16 bits, as the registers."""
        total = np.zeros(count, np.int16)
        for k in range(first, last):
            start = base + int(which[k]) * n
            total += weight[start : start + count].astype(np.int16)
        acc[to : to + count] += total

    return add


def append(to, at, listed, first, last, shift) -> int:  # type: ignore[no-untyped-def]
    for k in range(first, last, 16):
        to[at + k - first : at + k - first + 16] = listed[k : k + 16] + np.int32(shift)
    return int(at + last - first)


def list_64(bits, base, listed, first, places) -> int:  # type: ignore[no-untyped-def]
    count = int(first)
    for k in range(8):
        byte = int(bits) >> 8 * k & 255
        listed[count : count + 8] = places[byte] + np.int32(base + 8 * k)
        count += byte.bit_count()
    return count


def nonzero_64(array, at) -> np.uint64:  # type: ignore[no-untyped-def]
    return np.uint64(sum(1 << k for k in range(64) if array[at + k]))


STAND_INS: dict[Any, Callable[..., Any]] = {
    arrivals._take: take,
    borrowed.borrowed: lambda value: value,
    events._list_64: list_64,
    events._nonzero_64: nonzero_64,
    events.count_bits: lambda bits: int(bits).bit_count(),
    lif._fading: stepper(True, True),
    lif._at_once: stepper(False, True),
    lif._passing: stepper(False, False),
    rows._add_256: adder(256),
    rows._add_128: adder(128),
    rows._add_64: adder(64),
    rows._add_32: adder(32),
    rows.append: append,
}
for module in [module for name, module in sys.modules.items() if name.startswith("spikeport.")]:
    for name, value in list(vars(module).items()):
        if type(value).__name__ == "_Intrinsic" and value in STAND_INS:
            setattr(module, name, STAND_INS[value])
