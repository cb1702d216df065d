"""Every sample once an epoch, in an order that the seed and the epoch decide; what is held out is never trained on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import InputError
from spikeport.train.data import Split
from spikeport.train.loop.batches import Batches, Feed, held_out


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


def split(n: int) -> Split:
    return Split(np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1), np.arange(n))


def test_held_out_samples_are_no_part_of_training() -> None:
    trained, out = held_out(split(50), 0.2, seed=3)
    assert (len(trained), len(out)) == (40, 10)
    assert sorted([*trained.labels, *out.labels]) == list(range(50))
    assert np.array_equal(trained.images.ravel(), trained.labels)
    assert held_out(split(50), 0.2, seed=4)[1].labels.tolist() != out.labels.tolist()


def test_without_a_share_all_samples_are_trained_on() -> None:
    data = split(5)
    trained, out = held_out(data, 0.0, seed=3)
    assert trained is data and len(out) == 0


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"train.validation: samples held out \(5\) of 5"):
        held_out(split(5), 0.95, seed=0)


def test_a_feed_augments_by_seed_epoch_and_sample_then_encodes() -> None:
    heard: list[object] = []

    def augment(images: np.ndarray, seed: int, epoch: int, picks: np.ndarray) -> np.ndarray:
        heard.extend((seed, epoch, picks.tolist()))
        return images + 1

    feed = Feed(split(6), 7, augment, lambda images: images.astype(np.int16) - 10)
    x, y = feed(2, np.array([4, 1]))
    assert heard == [7, 2, [4, 1]]
    assert (x.flatten().tolist(), y.tolist()) == ([-5, -8], [4, 1])
