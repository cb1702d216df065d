"""Philox's published answers, and numbers that depend on nothing but seed, epoch, step and sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.train.augment.draws import Draws, below
from spikeport.train.augment.philox import philox

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_the_words_are_those_of_random123(
    counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]
) -> None:
    """Known answers of the library Random123 by the authors of the paper, philox4x32 with 10 rounds."""
    c0, c1, c2, c3 = (np.array([word], np.uint64) for word in counter)
    assert tuple(int(word[0]) for word in philox((c0, c1, c2, c3), key)) == words


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20), st.integers(1, 9), st.integers(0, 2**63 - 1))
def test_a_samples_numbers_do_not_depend_on_its_batch(samples: list[int], count: int, seed: int) -> None:
    together = Draws(seed, 3, np.array(samples), 1).uniform(count)
    assert together.shape == (len(samples), count)
    alone = [Draws(seed, 3, np.array([sample]), 1).uniform(count)[0] for sample in samples]
    assert np.array_equal(together, alone)


def test_each_seed_epoch_step_and_sample_has_its_own_numbers() -> None:
    samples = np.arange(50)
    kinds = [(seed, epoch, step) for seed in (0, 1, 2**40) for epoch in (0, 1) for step in (0, 1)]
    found = np.concatenate([Draws(seed, epoch, samples, step).uniform(4).ravel() for seed, epoch, step in kinds])
    assert len(np.unique(found)) == found.size


def test_more_numbers_begin_with_the_same() -> None:
    draws = Draws(7, 0, np.arange(3))
    assert np.array_equal(draws.uniform(9)[:, :5], draws.uniform(5))


def test_numbers_are_even() -> None:
    """Mean and deviation of 200,000 within five standard errors of 1/2 and 1/sqrt(12)."""
    found = Draws(0, 0, np.arange(50_000)).uniform(4)
    assert 0 <= found.min() < found.max() < 1
    assert abs(found.mean() - 0.5) < 5 * (1 / 12 / found.size) ** 0.5
    counts = np.bincount(below(found.ravel(), 10), minlength=10)
    assert abs(counts - found.size / 10).max() < 5 * (found.size * 0.09) ** 0.5


def test_what_the_counter_cannot_hold_is_refused() -> None:
    for seed, epoch in ((-1, 0), (2**64, 0), (0, -1), (0, 2**32)):
        with pytest.raises(InputError, match="is not in"):
            Draws(seed, epoch, np.arange(2))
