"""The options that every data set takes, on scikit-learn's digits."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from spikeport.errors import InputError
from spikeport.train.data import Memory, centred, load_data

DIGITS = load_data("digits")


def rows(*splits: Any) -> list[bytes]:
    return [
        bytes([label]) + image.tobytes()
        for split in splits
        for image, label in zip(split.images[:], split.labels, strict=True)
    ]


def test_nothing_asked_for_changes_nothing() -> None:
    assert (DIGITS.mean, DIGITS.std, DIGITS.validation) == ((0,), 1.0, None)
    same = load_data("digits", normalize=False, validation=0)
    assert rows(same.train) == rows(DIGITS.train)


def test_what_is_held_out_is_a_fixed_part_of_train() -> None:
    data = load_data("digits", validation=0.1)
    assert data.validation is not None
    assert (len(data.train), len(data.validation)) == (1260, 140)
    assert sorted(rows(data.train, data.validation)) == sorted(rows(DIGITS.train))
    assert rows(data.test) == rows(DIGITS.test)
    again = load_data("digits", validation=0.1, limit_train=7)
    assert again.validation is not None
    assert rows(again.validation) == rows(data.validation)
    assert set(rows(again.train)) <= set(rows(data.train))


def test_limits_are_nested() -> None:
    """The first of one shuffle, of both parts."""
    small, large = (load_data("digits", limit_train=n, limit_test=n) for n in (30, 200))
    assert rows(small.train) == rows(large.train)[:30]
    assert rows(small.test) == rows(large.test)[:30]
    assert set(rows(large.train)) <= set(rows(DIGITS.train))
    assert len(set(small.train.labels)) == 10


def test_sizes_are_pillows() -> None:
    data = load_data("digits", size=20, pad=2)
    assert data.shape == (1, 24, 24)
    image = Image.fromarray(DIGITS.test.images[:1][0, 0]).resize((20, 20), Image.Resampling.BILINEAR)
    assert np.array_equal(data.test.images[:1][0, 0], np.pad(np.asarray(image), 2))


def test_symmetric_pictures_are_exact() -> None:
    """2 p - 255, of scale 1 / 255: 2 p / 255 - 1."""
    data = load_data("digits", symmetric=True)
    assert (data.low, data.high, data.scale) == (-255, 255, 1 / 255)
    pictures = np.array([[[[0, 1], [127, 255]]]], np.uint8)
    assert centred(data, pictures).tolist() == [[[[-255, -253], [-1, 255]]]]


def test_small_sets_stay_in_memory() -> None:
    data = load_data("digits", size=4, limit_test=3)
    assert isinstance(data.test.images, Memory)
    assert np.asarray(data.test.images).shape == (3, 1, 4, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"normalise": True},
            r"data digits: unknown options \(normalise\) are none of normalize, symmetric, validation, ",
        ),
        ({"steps": 3}, r"unknown options \(steps\)"),
        ({"normalize": True}, "data digits: has no customary mean and deviation"),
        ({"normalize": 1}, r"normalize \(1\) is not true or false"),
        ({"symmetric": 1}, r"symmetric \(1\) is not true or false"),
        ({"in_memory": None}, r"in_memory is not true or false"),
        ({"validation": 1.0}, r"validation \(1.0\) is not in \[0, 1\)"),
        ({"validation": -0.1}, "validation"),
        ({"validation": float("nan")}, "validation"),
        ({"validation": 1e-6}, r"validation \(1e-06\) does not part 1,400 images in two"),
        ({"limit_train": 0}, r"limit_train \(0\) is not an integer in"),
        ({"limit_train": 2.0}, "limit_train"),
        ({"limit_train": 1401}, r"limit_train \(1,401\) exceeds 1,400 images"),
        ({"limit_test": True}, "limit_test"),
        ({"size": 0}, r"size \(0\) is not an integer in \[1, 4096\]"),
        ({"pad": -1}, r"pad \(-1\) is not"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_data("digits", **options)
