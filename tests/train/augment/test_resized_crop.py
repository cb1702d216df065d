"""ImageNet's crop: its boxes are in range, and the rest is Pillow."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spikeport.errors import InputError
from spikeport.train.augment import parse_augmentation
from spikeport.train.augment.draws import Draws
from spikeport.train.augment.resized_crop import ResizedCrop
from spikeport.train.data import Files, Memory

RNG = np.random.default_rng(0)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 2**32 - 1))
def test_a_box_is_in_the_image(width: int, height: int, sample: int) -> None:
    ((left, top, right, bottom),) = ResizedCrop(8).boxes([(width, height)], Draws(0, 0, np.array([sample])))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_boxes_have_areas_and_ratios_in_range() -> None:
    """In an image so large that rounding is less than 1 %; both ranges are filled."""
    boxes = np.array(ResizedCrop(8).boxes([(4000, 4000)] * 2000, Draws(0, 0, np.arange(2000))))
    wide, tall = (boxes[:, 2] - boxes[:, 0]) / 4000, (boxes[:, 3] - boxes[:, 1]) / 4000
    assert 0.079 < (wide * tall).min() < 0.09
    assert 0.95 < (wide * tall).max() <= 1
    assert 0.745 < (wide / tall).min() < 0.77
    assert 1.3 < (wide / tall).max() < 1.34
    middle = (boxes[:, 0] + boxes[:, 2]) / 8000
    assert abs(middle.mean() - 0.5) < 5 * middle.std() / 2000**0.5


@pytest.mark.parametrize(
    ("size", "box"),
    [((100, 3), (48, 0, 52, 3)), ((3, 100), (0, 48, 3, 52)), ((8, 7), (0, 0, 8, 7))],
)
def test_where_no_rectangle_fits_it_is_the_middle(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    """At least the whole area: 4/3 of the height, or 4/3 of the width, or all where the ratio is allowed."""
    boxes = ResizedCrop(8, least=1).boxes([size] * 50, Draws(0, 0, np.arange(50)))
    if size == (8, 7):
        assert box in boxes
    else:
        assert set(boxes) == {box}


def test_a_box_is_cut_and_resized_by_pillow() -> None:
    images = RNG.integers(0, 256, (20, 3, 40, 30)).astype(np.uint8)
    draws = Draws(3, 1, np.arange(20))
    found = ResizedCrop(16)(images, draws)
    for image, got, box in zip(images, found, ResizedCrop(16).boxes([(30, 40)] * 20, draws), strict=True):
        pillow = Image.fromarray(image.transpose(1, 2, 0)).crop(box).resize((16, 16), Image.Resampling.BILINEAR)
        assert np.array_equal(np.asarray(pillow).transpose(2, 0, 1), got)


def test_files_are_cut_from_the_whole_image() -> None:
    """The fixed crop has 10x10 pixels of 60x45; the random one is of all of them, the same whoever is beside it."""
    wholes = {Path(str(n)): Image.fromarray(RNG.integers(0, 256, (45, 60, 3)).astype(np.uint8)) for n in range(6)}

    def read(path: Path) -> np.ndarray:
        return np.asarray(wholes[path].crop((0, 0, 10, 10))).transpose(2, 0, 1)

    files = Files(tuple(wholes), read, (3, 10, 10), whole=wholes.__getitem__)
    pick = np.array([4, 1])
    found = parse_augmentation(["resized-crop:10"], seed=2)(files, pick, 7)
    all_of_them = np.stack([np.asarray(image).transpose(2, 0, 1) for image in wholes.values()])
    expected = ResizedCrop(10)(all_of_them, Draws(2, 7, np.arange(6)))[pick]
    assert np.array_equal(found, expected)


def test_frames_of_events_are_refused() -> None:
    with pytest.raises(InputError, match=r"augment resized-crop: shape \(\(2, 5, 2, 8, 8\)\) is not"):
        ResizedCrop(8)(np.zeros((2, 5, 2, 8, 8), np.uint8), Draws(0, 0, np.arange(2)))


def test_a_grey_image_stays_one() -> None:
    images = Memory(np.full((3, 1, 8, 8), 9, np.uint8))
    assert (parse_augmentation(["resized-crop:8"])(images, np.arange(3), 0) == 9).all()


def test_the_ratio_is_even_on_a_logarithmic_scale() -> None:
    boxes = np.array(ResizedCrop(8, 0.1).boxes([(9000, 9000)] * 3000, Draws(1, 0, np.arange(3000))))
    logs = np.log((boxes[:, 2] - boxes[:, 0]) / (boxes[:, 3] - boxes[:, 1]))
    assert abs(logs.mean()) < 5 * math.log(4 / 3) / 3**0.5 / 3000**0.5
