"""The digits are scikit-learn's, whole, and always split alike."""

import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from spikeport.errors import InputError
from spikeport.train import load_data
from spikeport.train.data import DataSet, data_sets
from spikeport.train.data.catalogue import ENTRIES


@pytest.fixture(scope="module")
def digits() -> DataSet:
    return load_data("digits")


def test_the_digits_are_8_bit_images_of_one_channel(digits: DataSet) -> None:
    for split, size in ((digits.train, 1400), (digits.test, 397)):
        assert len(split) == size
        assert split.images[:].shape == (size, 1, 8, 8)
        assert split.labels.shape == (size,)
        assert (split.images[:].dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert (split.images[:].min(), split.images[:].max()) == (0, 255)
    entry = ENTRIES["digits"]
    assert (digits.shape, digits.classes) == (entry.shape, entry.classes) == ((1, 8, 8), 10)


def test_every_digit_is_in_exactly_one_split(digits: DataSet) -> None:
    """17 grey values, spread from 0..16 to 0..255."""
    bunch = load_digits()
    images = np.concatenate([digits.train.images, digits.test.images])
    labels = np.concatenate([digits.train.labels, digits.test.labels])
    grey = np.rint(images[:, 0] / 255 * 16)
    found = sorted(zip(map(bytes, grey.astype(np.uint8)), labels.tolist(), strict=True))
    assert found == sorted(zip(map(bytes, bunch.images.astype(np.uint8)), bunch.target.tolist(), strict=True))


def test_the_split_is_fixed(digits: DataSet) -> None:
    """Published accuracies depend on it."""
    assert hashlib.sha256(digits.test.labels.tobytes()).hexdigest()[:16] == "65b9b8024490d606"


def test_both_splits_hold_every_class(digits: DataSet) -> None:
    for split in (digits.train, digits.test):
        assert np.bincount(split.labels, minlength=10).min() >= len(split) // 20


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        load_data("cifar")
    assert str(caught.value) == "data: name (cifar) is not one of " + ", ".join(data_sets())
