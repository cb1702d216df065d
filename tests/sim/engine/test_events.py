"""Events are listed as numpy lists them."""

import numpy as np
import pytest
from numba import njit

from spikeport.sim.engine.events import SPARE, count_bits, list_events, set_bits


@pytest.mark.parametrize("n", [0, 1, 7, 63, 64, 65, 129, 200, 1000])
@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5, 1.0])
def test_lists_what_is_not_zero_in_order(rng: np.random.Generator, n: int, rate: float) -> None:
    spiked = rng.integers(1, 256, n).astype(np.uint8) * (rng.random(n) < rate).astype(np.uint8)
    events = np.full(3 + n + SPARE, -1, np.int32)

    count = list_events(spiked, events, 3)

    assert np.array_equal(events[3 : 3 + count], np.flatnonzero(spiked))
    assert (events[:3] == -1).all()


@pytest.mark.parametrize("n", [64, 65, 129])
def test_one_spike_is_found_wherever_it_is(n: int) -> None:
    for k in range(n):
        spiked, events = np.zeros(n, np.uint8), np.full(n + SPARE, -1, np.int32)
        spiked[k] = 1
        assert list_events(spiked, events, 0) == 1 and events[0] == k


@njit
def _counts(words):  # type: ignore[no-untyped-def]
    return [count_bits(word) for word in words]


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 129, 200])
def test_bits_are_neurons_that_spiked(rng: np.random.Generator, n: int) -> None:
    spiked = rng.integers(1, 256, n).astype(np.uint8) * (rng.random(n) < 0.5).astype(np.uint8)
    words = np.full(n // 64 + 1, ~np.uint64(0))

    set_bits(spiked, words)

    padded = np.zeros(words.size * 64, np.uint8)
    padded[:n] = spiked != 0
    assert np.array_equal(np.unpackbits(words.view(np.uint8), bitorder="little"), padded)
    assert _counts(words) == padded.reshape(-1, 64).sum(axis=1).tolist()
