"""Augmentations as a recipe writes them."""

from typing import Any

import numpy as np
import pytest

from spikeport.errors import InputError
from spikeport.train.augment import STEPS, Augmentation, parse_augmentation
from spikeport.train.augment.affine import Affine
from spikeport.train.augment.autoaugment import AutoAugmentCifar10
from spikeport.train.augment.crop import Crop
from spikeport.train.augment.cutout import Cutout
from spikeport.train.augment.draws import Draws
from spikeport.train.augment.flip import Flip
from spikeport.train.data import Memory

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 3, 32, 32)).astype(np.uint8)
CIFAR = ["crop:4", "flip", "autoaugment-cifar10", "cutout:16"]


def test_a_recipes_list_is_read() -> None:
    assert parse_augmentation(CIFAR, 7) == Augmentation((Crop(4), Flip(), AutoAugmentCifar10(), Cutout(16)), 7)
    assert parse_augmentation(["affine:30,0.15,0.85,1.11"]).steps == (Affine(30, 0.15, 0.85, 1.11),)
    assert parse_augmentation(["affine: 30, 0.15", "flip:0.25"]).steps == (Affine(30, 0.15), Flip(0.25))
    assert parse_augmentation([]).steps == ()


def test_the_steps_follow_each_other_with_numbers_of_their_own() -> None:
    pick = np.arange(90)
    found = parse_augmentation(CIFAR, 7)(Memory(IMAGES), pick, 3)
    expected = IMAGES
    for number, step in enumerate((Crop(4), Flip(), AutoAugmentCifar10(), Cutout(16))):
        expected = step(expected, Draws(7, 3, pick, number))
    assert np.array_equal(found, expected)
    twice = parse_augmentation(["flip", "flip"])(Memory(IMAGES), pick, 0)
    assert not np.array_equal(twice, IMAGES)


def test_the_picture_of_a_sample_is_the_same_in_any_batch() -> None:
    augmentation = parse_augmentation(CIFAR, 7)
    whole = augmentation(Memory(IMAGES), np.arange(90), 3)
    pick = np.random.default_rng(1).permutation(90)[:13]
    assert np.array_equal(augmentation(Memory(IMAGES), pick, 3), whole[pick])
    assert not np.array_equal(augmentation(Memory(IMAGES), np.arange(90), 4), whole)
    assert not np.array_equal(parse_augmentation(CIFAR, 8)(Memory(IMAGES), np.arange(90), 3), whole)


def test_without_steps_the_pictures_are_the_data() -> None:
    assert np.array_equal(Augmentation()(Memory(IMAGES), np.array([4, 2]), 0), IMAGES[[4, 2]])


def test_the_shape_of_the_test_pictures_is_kept() -> None:
    with pytest.raises(InputError, match=r"shape of a picture \(\(3, 28, 28\)\) is not the \(3, 32, 32\) of the data"):
        parse_augmentation(["centre-crop:28"])(Memory(IMAGES), np.arange(3), 0)
    found = parse_augmentation(["centre-crop:28", "resize:32"])(Memory(IMAGES), np.arange(3), 0)
    assert found.shape == (3, 3, 32, 32)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["mixup"], r"augment: name \(mixup\) is not one of " + ", ".join(STEPS)),
        ([""], r"augment: name \(\) is not one of"),
        (["crop"], r"augment crop: numbers \(0\) are not those it takes: pad"),
        (["crop:4,4"], r"augment crop: numbers \(2\) are not those it takes: pad"),
        (["autoaugment-cifar10:1"], r"numbers \(1\) are not those it takes: none"),
        (["crop:four"], r"augment crop: number \(four\) is not a number"),
        (["crop:"], r"augment crop: number \(\) is not a number"),
        (["crop:-1"], r"augment crop: pad \(-1\) is not an integer in \[0, 4096\]"),
        (["crop:4.5"], r"augment crop: pad \(4.5\) is not an integer"),
        (["flip:1.5"], r"augment flip: probability \(1.5\) is not in \[0, 1\]"),
        (["flip:nan"], r"augment flip: probability \(nan\) is not in \[0, 1\]"),
        (["cutout:0"], r"augment cutout: length \(0\)"),
        (["affine:181"], r"augment affine: degrees \(181\) is not in \[0, 180\]"),
        (["affine:30,2"], r"augment affine: translate \(2\)"),
        (["affine:30,0,0"], r"augment affine: low \(0\) is not in \[0.01, 100\]"),
        (["affine:30,0,2,1"], r"augment affine: low \(2\) exceeds high 1"),
        (["resized-crop:0"], r"augment resized-crop: size \(0\)"),
        (["resized-crop:8,0"], r"augment resized-crop: least \(0\)"),
        (["centre-crop:0"], r"augment centre-crop: size \(0\)"),
        (["resize:0"], r"augment resize: size \(0\)"),
        ("flip", r"augment: list \(flip\) is not of texts such as crop:4"),
        ([4], r"augment: list \(\[4\]\) is not of texts"),
    ],
)
def test_a_wrong_list_is_refused(texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_augmentation(texts)
