"""Crops, flips, holes and turns against numpy and Pillow."""

import math

import numpy as np
import pytest
from PIL import Image

from spikeport.errors import InputError
from spikeport.train.augment.affine import Affine, warped
from spikeport.train.augment.crop import CentreCrop, Crop, Resize
from spikeport.train.augment.cutout import Cutout
from spikeport.train.augment.draws import Draws
from spikeport.train.augment.flip import Flip
from spikeport.train.augment.step import Step

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(1, 256, (200, 3, 6, 5)).astype(np.uint8)
FRAMES = RNG.integers(1, 256, (40, 4, 2, 6, 5)).astype(np.uint8)


def draws(count: int, epoch: int = 0) -> Draws:
    return Draws(5, epoch, np.arange(count))


def test_a_crop_is_one_of_all_windows_and_all_are_met() -> None:
    """Which window it is, is known from values that are all different."""
    places = np.arange(1, 31, dtype=np.uint8).reshape(1, 1, 6, 5).repeat(2000, 0)
    wide = np.pad(places[0, 0], 1)
    windows = {wide[y : y + 6, x : x + 5].tobytes(): (y, x) for y in range(3) for x in range(3)}
    found = [windows[image.tobytes()] for image in Crop(1)(places, draws(2000))]
    counts = np.array([found.count(window) for window in windows.values()])
    assert abs(counts - 2000 / 9).max() < 5 * (2000 * 8 / 81) ** 0.5


def test_all_channels_and_frames_are_cropped_alike() -> None:
    stack = np.arange(1, 31, dtype=np.uint8).reshape(1, 1, 1, 6, 5) * np.ones((50, 4, 2, 1, 1), np.uint8)
    cropped = Crop(2)(stack, draws(50))
    assert cropped.shape == stack.shape
    assert (cropped == cropped[:, :1, :1]).all()
    flat = Crop(2)(stack[:, 0], draws(50))
    assert np.array_equal(cropped[:, 0], flat)


def test_no_padding_is_no_crop() -> None:
    assert np.array_equal(Crop(0)(IMAGES, draws(200)), IMAGES)


@pytest.mark.parametrize("images", [IMAGES, FRAMES])
def test_a_flip_is_numpys_for_half_of_the_images(images: np.ndarray) -> None:
    found = Flip()(images, draws(len(images)))
    flipped = (found == images[..., ::-1]).reshape(len(images), -1).all(1)
    stayed = (found == images).reshape(len(images), -1).all(1)
    assert (flipped ^ stayed).all()
    assert abs(flipped.mean() - 0.5) < 5 * 0.5 / len(images) ** 0.5
    assert np.array_equal(Flip(1)(images, draws(len(images))), images[..., ::-1])
    assert np.array_equal(Flip(0)(images, draws(len(images))), images)


def test_a_hole_is_a_square_around_any_pixel() -> None:
    """DeVries: rows max(0, y - 2) to min(h, y + 2), and columns alike; the images have no zeros of their own."""
    expected = set()
    for y in range(6):
        for x in range(5):
            mask = np.ones((6, 5), bool)
            mask[max(0, y - 2) : y + 2, max(0, x - 2) : x + 2] = False
            expected.add(mask.tobytes())
    images = np.concatenate([IMAGES] * 5)
    found = Cutout(4)(images, draws(1000))
    masks = found != 0
    assert (masks == masks[:, :1]).all()
    assert {mask[0].tobytes() for mask in masks} == expected
    assert np.array_equal(found, images * masks)


def test_frames_have_one_hole() -> None:
    masks = Cutout(3)(FRAMES, draws(40)) != 0
    assert (masks == masks[:, :1, :1]).all()
    assert (~masks).reshape(40, -1).any(1).all()


def turned(images: np.ndarray, degrees: float = 0, right: int = 0, down: int = 0, scale: float = 1) -> np.ndarray:
    count = len(images)
    shift = np.tile([float(right), float(down)], (count, 1))
    return warped(images, np.full(count, math.radians(degrees)), shift, np.full(count, scale))


def test_right_angles_shifts_and_doublings_are_numpys() -> None:
    square = IMAGES[:, :, :4, :4]
    assert np.array_equal(turned(IMAGES), IMAGES)
    assert np.array_equal(turned(square, 90), np.rot90(square, -1, (2, 3)))  # clockwise
    assert np.array_equal(turned(IMAGES, 180), IMAGES[..., ::-1, ::-1])
    moved = np.zeros_like(IMAGES)
    moved[..., 2:, :-1] = IMAGES[..., :-2, 1:]
    assert np.array_equal(turned(IMAGES, right=-1, down=2), moved)
    assert np.array_equal(turned(square, scale=2), square[..., 1:3, 1:3].repeat(2, 2).repeat(2, 3))


@pytest.mark.parametrize("shape", [(28, 28), (9, 14)])
def test_a_turn_is_pillows(shape: tuple[int, int]) -> None:
    """Pillow rounds the matrix to 1/65536, so that a pixel on an edge may differ: fewer than 1 of 1,000 do."""
    height, width = shape
    images = RNG.integers(0, 256, (100, 1, *shape)).astype(np.uint8)
    angle, scale = RNG.uniform(-np.pi, np.pi, 100), RNG.uniform(0.5, 2, 100)
    shift = RNG.integers(-4, 5, (100, 2)).astype(float)
    found = warped(images, angle, shift, scale)
    different = 0
    for image, got, turn, (right, down), by in zip(images, found, angle, shift, scale, strict=True):
        out_of_in = np.eye(3)
        for matrix in (
            [[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]],
            [[by * np.cos(turn), -by * np.sin(turn), 0], [by * np.sin(turn), by * np.cos(turn), 0], [0, 0, 1]],
            [[1, 0, width / 2 + right], [0, 1, height / 2 + down], [0, 0, 1]],
        ):
            out_of_in = np.array(matrix) @ out_of_in
        data = np.linalg.inv(out_of_in)[:2].ravel().tolist()
        pillow = Image.fromarray(image[0]).transform((width, height), Image.Transform.AFFINE, data)
        different += int((np.asarray(pillow) != got[0]).sum())
    assert different < images.size / 1000


def test_the_mnist_recipe_stays_within_its_range() -> None:
    """A square of 3x3 in the middle of 29x29 moves by at most 4 pixels, .15 of the side, and reaches 2 further."""
    images = np.zeros((3000, 1, 29, 29), np.uint8)
    images[:, :, 13:16, 13:16] = 255
    found = Affine(30, 0.15, 0.85, 1.11)(images, draws(3000))
    rows, columns = np.nonzero(found.any(0)[0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 20, 8, 20)  # 14 - 4 - 2 and 14 + 4 + 2
    sums = (found > 0).sum((1, 2, 3))
    assert 4 <= sums.min() < sums.max() <= 16


def test_no_range_is_no_change() -> None:
    assert np.array_equal(Affine(0)(IMAGES, draws(200)), IMAGES)


def test_frames_are_turned_alike() -> None:
    stack = np.arange(1, 31, dtype=np.uint8).reshape(1, 1, 1, 6, 5) * np.ones((50, 4, 2, 1, 1), np.uint8)
    found = Affine(90, 0.2, 0.5, 2)(stack, draws(50))
    assert (found == found[:, :1, :1]).all()


def test_the_middle_and_pillows_sizes() -> None:
    assert np.array_equal(CentreCrop(3)(IMAGES, draws(200)), IMAGES[:, :, 2:5, 1:4])  # (6 - 3) / 2 is rounded to even
    found = Resize(9)(IMAGES, draws(200))
    pillow = Image.fromarray(IMAGES[7].transpose(1, 2, 0)).resize((9, 9), Image.Resampling.BILINEAR)
    assert np.array_equal(found[7], np.asarray(pillow).transpose(2, 0, 1))
    with pytest.raises(InputError, match=r"size \(6\) exceeds the picture, 6 x 5"):
        CentreCrop(6)(IMAGES, draws(200))


@pytest.mark.parametrize("step", [Crop(2), Flip(), Cutout(3), Affine(30, 0.15, 0.85, 1.11)])
def test_the_order_and_the_number_of_samples_do_not_matter(step: Step) -> None:
    pick = np.random.default_rng(1).permutation(200)[:37]
    whole = step(IMAGES, Draws(5, 9, np.arange(200)))
    assert np.array_equal(step(IMAGES[pick], Draws(5, 9, pick)), whole[pick])
    assert not np.array_equal(step(IMAGES, Draws(5, 10, np.arange(200))), whole)
    assert whole.dtype == np.uint8
