"""Sums of rows equal numpy's, up to what 16 bits of a register can hold and beyond."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from spikeport.sim.engine.rows import AHEAD, MOST, WIDTH, add_rows, aligned, append


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 20).map(lambda k: 32 * k),
    m=st.integers(0, 3 * MOST),
    extreme=st.sampled_from([None, -128, 127]),
)
def test_adds_the_rows_of_all_events(seed: int, n: int, m: int, extreme: int | None) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.integers(-128, 128, (50, n)).astype(np.int8) if extreme is None else np.full((50, n), extreme, np.int8)
    events, before = rng.integers(0, 50, m + 2).astype(np.int32), rng.integers(-(2**30), 2**30, n + 9).astype(np.int32)
    acc = before.copy()

    add_rows(acc, 4, n, np.concatenate([np.zeros(7, np.int8), weight.reshape(-1)]), 7, events, 1, 1 + m)

    assert np.array_equal(acc[4 : 4 + n] - before[4 : 4 + n], weight[events[1 : 1 + m]].sum(0, dtype=np.int64))
    assert np.array_equal(acc[:4], before[:4]) and np.array_equal(acc[4 + n :], before[4 + n :])


@pytest.mark.parametrize("m", [MOST, MOST + 1, 2 * MOST + 1])
@pytest.mark.parametrize("value", [-128, 127])
def test_no_more_rows_are_added_up_than_16_bits_hold(m: int, value: int) -> None:
    assert MOST == 256
    acc = np.zeros(32, np.int32)
    add_rows(acc, 0, 32, np.full(32, value, np.int8), 0, np.zeros(m, np.int32), 0, m)
    assert acc.tolist() == [m * value] * 32


def test_the_shortest_row_is_added_whole() -> None:
    acc = np.zeros(WIDTH, np.int32)
    add_rows(acc, 0, WIDTH, np.arange(WIDTH, dtype=np.int8), 0, np.zeros(3, np.int32), 0, 3)
    assert acc.tolist() == [3 * k for k in range(WIDTH)]


@njit
def appended(rows, at, events, first, last, shift):  # type: ignore[no-untyped-def]
    return append(rows, at, events, first, last, shift)


@pytest.mark.parametrize("m", [0, 1, 15, 16, 17, 40])
def test_appends_events_shifted(rng: np.random.Generator, m: int) -> None:
    events = rng.integers(0, 1000, 5 + m + AHEAD).astype(np.int32)
    rows = np.zeros(3 + m + AHEAD, np.int32)

    assert appended(rows, 3, events, 5, 5 + m, -70) == 3 + m
    assert np.array_equal(rows[3 : 3 + m], events[5 : 5 + m] - 70)
    assert not rows[:3].any()


def test_room_starts_at_a_cache_line() -> None:
    for size in (1, 63, 64, 10**5):
        room = aligned(size)
        assert room.size == size and room.ctypes.data % 64 == 0 and not room.any()
