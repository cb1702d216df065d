"""Every sample once an epoch, in an order that the seed and the epoch decide; pictures as the model takes them."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.train.augment import parse_augmentation
from spikeport.train.data import DataSet, Split
from spikeport.train.loop.batches import Batches, Feed, ahead


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 2**63 - 1), st.integers(1, 5), st.booleans())
def test_an_epoch_has_every_sample_once(samples: int, batch: int, seed: int, epoch: int, drop_last: bool) -> None:
    batches = Batches(samples, batch, seed, drop_last)
    order = batches.order(epoch)
    assert np.array_equal(order, Batches(samples, batch, seed).order(epoch))
    assert sorted(order) == list(range(samples))
    picks = [batches.pick(order, step) for step in range(len(batches))]
    taken = np.concatenate(picks) if picks else np.zeros(0)
    assert np.array_equal(taken, order[: samples - samples % batch if drop_last else samples])
    assert all(len(pick) == batch for pick in picks[:-1])
    if picks:
        assert batches.smallest() == min(map(len, picks))


def test_epochs_and_seeds_shuffle_differently() -> None:
    orders = [Batches(50, 10, seed).order(epoch) for seed in (0, 1) for epoch in (1, 2)]
    assert len({tuple(order) for order in orders}) == 4


def data_of(n: int) -> DataSet:
    split = Split(np.arange(4 * n, dtype=np.uint8).reshape(n, 1, 2, 2), np.arange(n))
    return DataSet("counted", n, split, split, mean=(10,))


def test_a_feed_centres_the_pictures_that_are_picked() -> None:
    data = data_of(6)
    x, y = Feed(data, data.train)(2, np.array([4, 1]))
    assert (x[:, 0, 0, 0].tolist(), y.tolist()) == ([6, -6], [4, 1])


def test_a_feed_augments_by_epoch_and_sample() -> None:
    """A flip turns [a, b] to [b, a], or not, and says so again when it is asked again."""
    data = data_of(6)
    feed = Feed(data, data.train, parse_augmentation(["flip"], 0))
    whole = np.arange(6)
    turned = [(feed(epoch, whole)[0][:, 0, 0, 0] % 4 != 2).tolist() for epoch in range(8)]
    assert len({tuple(row) for row in turned}) > 4
    alone = [(feed(3, np.array([k]))[0][:, 0, 0, 0] % 4 != 2).item() for k in whole]
    assert alone == turned[3]


def test_frames_come_time_first() -> None:
    split = Split(np.arange(24, dtype=np.uint8).reshape(3, 2, 1, 2, 2), np.arange(3))
    data = DataSet("frames", 3, split, split)
    x, _ = Feed(data, split)(1, np.array([2, 0]))
    assert x.shape == (2, 2, 1, 2, 2)
    assert x[:, :, 0, 0, 0].tolist() == [[16, 0], [20, 4]]


def test_what_is_made_ahead_comes_in_its_order_and_errors_come_through() -> None:
    assert list(ahead(range(1, 20))) == list(range(1, 20))
    assert list(ahead(())) == []

    def breaks() -> Iterator[int]:
        yield 1
        raise ValueError("broken picture")

    found = ahead(breaks())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken picture"):
        next(found)
