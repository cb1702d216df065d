"""Sums over what was sent, where they are large, and payloads at the ends of their words."""

import numpy as np
import pytest

from spikeport.sim.counting.fired import CHUNK, SAMPLES, as_bytes, changing, magnitude_bits, tally


@pytest.mark.parametrize("largest", [1, 200_000, 2**31 - 1])
@pytest.mark.parametrize("n", [1, CHUNK, 2 * CHUNK + 5])
def test_sums_of_every_size(largest: int, n: int) -> None:
    rng = np.random.default_rng(n)
    samples = 2 * SAMPLES + 1 if n == 1 else 50
    sent = rng.integers(0, 3, (6, samples, n)).astype(np.uint8)
    reached = rng.integers(0, largest + 1, (2, n))
    per_step, fired = tally(sent, 1, 5, reached)
    spikes = sent[1:5] != 0
    assert np.array_equal(fired, spikes.sum(axis=(0, 1)))
    by_step = spikes.sum(axis=1).astype(object)  # Python's integers
    assert per_step[:, 0].tolist() == by_step.sum(axis=1).tolist()
    assert per_step[:, 1:].tolist() == (by_step @ reached.T.astype(object)).tolist()


def test_nothing_reached_and_no_steps() -> None:
    per_step, fired = tally(np.ones((3, 2, 4), np.uint8), 2, 2, np.zeros((0, 4), np.int32))
    assert per_step.shape == (0, 1)
    assert fired.tolist() == [0, 0, 0, 0]


def test_bits_of_payloads() -> None:
    for dtype in (np.int32, np.int64):
        payloads = np.array([[[9]], [[0]], [[1]], [[-1]], [[7]], [[-8]], [[2**23 - 1]], [[-(2**31)]], [[9]]], dtype)
        assert magnitude_bits(payloads, 1, 8) == 0 + 1 + 1 + 3 + 4 + 23 + 32


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.int32, np.int64])
def test_events_of_every_type(dtype: type) -> None:
    x = np.array([[[0, 1, 0, 1]]]).astype(dtype)
    if dtype not in (np.bool_, np.uint8):
        x[0, 0, 1] = -1
    if dtype in (np.int32, np.int64):
        x[0, 0, 3] = 256  # its low byte is 0
    assert (as_bytes(x) != 0).tolist() == [[[False, True, False, True]]]
    assert (as_bytes(x[..., ::2]) != 0).tolist() == [[[False, False]]]


def test_a_sample_changes_wherever_a_step_differs_from_the_first() -> None:
    x = np.zeros((4, 5, 6), np.int64)
    x[:, 3] = 7
    x[3, 1, 5] = 1
    x[1, 2, 0] = -1
    assert changing(x).tolist() == [False, True, True, False, False]
    assert changing(x[:1]).tolist() == [False] * 5
