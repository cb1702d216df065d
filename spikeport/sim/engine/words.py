"""Compiled words of `fixed.py`, on int64."""

import numpy as np
from numba import njit

V_MAX = (1 << 23) - 1
INT32 = 1 << 31


@njit(inline="always")
def as_int32(x):  # type: ignore[no-untyped-def]
    """`fixed.as_int32`."""
    return np.int64(np.int32(x))


@njit(inline="always")
def beyond(x):  # type: ignore[no-untyped-def]
    """`fixed.leaves_v`."""
    return x > V_MAX or x < -V_MAX


@njit(inline="always")
def shifted(x, exp):  # type: ignore[no-untyped-def]
    """`fixed.shift`."""
    return x << exp if exp >= 0 else x >> -exp


@njit(inline="always")
def rz(x, bits):  # type: ignore[no-untyped-def]
    """`fixed.rz`."""
    return x >> bits if x >= 0 else -(-x >> bits)


@njit(inline="always")
def clipped(x):  # type: ignore[no-untyped-def]
    """`fixed.saturate_v`."""
    return min(max(x, np.int64(-V_MAX)), np.int64(V_MAX))
