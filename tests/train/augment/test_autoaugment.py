"""AutoAugment's operations by hand, and its policy's frequencies."""

import numpy as np
import pytest
from PIL import Image

from spikeport.errors import InputError
from spikeport.train.augment.autoaugment import POLICY, AutoAugmentCifar10, apply
from spikeport.train.augment.draws import Draws

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (32, 32, 3)).astype(np.uint8)
GREY = 128


def made(name: str, level: int, sign: int = 1, pixels: np.ndarray = PIXELS) -> np.ndarray:
    return np.asarray(apply(Image.fromarray(pixels), name, level, sign)).astype(int)


def test_the_policy_is_25_pairs_of_known_operations() -> None:
    assert len(POLICY) == len(set(POLICY)) == 25
    for pair in POLICY:
        for name, probability, level in pair:
            assert made(name, level).shape == (32, 32, 3)
            assert 0 <= probability <= 0.9
    assert POLICY[0] == (("invert", 0.1, 7), ("contrast", 0.2, 6))
    assert POLICY[-1] == (("translate-y", 0.7, 9), ("autocontrast", 0.9, 1))


def test_translations_are_numpys() -> None:
    """150 / 331 of 32 pixels is 14.5 at level 9."""
    right = np.full_like(PIXELS, GREY)
    right[:, : 32 - 14] = PIXELS[:, 14:]
    assert np.array_equal(made("translate-x", 9), right)
    down = np.full_like(PIXELS, GREY)
    down[14:] = PIXELS[: 32 - 14]
    assert np.array_equal(made("translate-y", 9, -1), down)
    assert np.array_equal(made("translate-y", 0), PIXELS)


def test_shears_are_numpys() -> None:
    """Row y takes its pixels 0.3 (y + 1/2) further."""
    along, down = np.full_like(PIXELS, GREY), np.full_like(PIXELS, GREY)
    for y in range(32):
        for x in range(32):
            from_x, from_y = int(np.floor(x + 0.5 + 0.3 * (y + 0.5))), int(np.floor(y + 0.5 + 0.3 * (x + 0.5)))
            if from_x < 32:
                along[y, x] = PIXELS[y, from_x]
            if from_y < 32:
                down[y, x] = PIXELS[from_y, x]
    assert np.array_equal(made("shear-x", 9), along)
    assert np.array_equal(made("shear-y", 9), down)


def test_a_rotation_is_30_degrees_at_most_and_grey_outside() -> None:
    """Counterclockwise, as Pillow's; a white image shows where the corners are."""
    white = np.full_like(PIXELS, 255)
    turned = made("rotate", 9, pixels=white)
    assert set(np.unique(turned)) == {GREY, 255}
    angle = np.deg2rad(30)
    y, x = np.mgrid[:32, :32] - 15.5
    from_x, from_y = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    inside = (abs(from_x) < 16) & (abs(from_y) < 16)
    assert np.array_equal(turned[..., 0] == 255, inside)
    assert np.array_equal(made("rotate", 0), PIXELS)


def test_grey_values_are_changed_as_the_paper_says() -> None:
    assert np.array_equal(made("invert", 3), 255 - PIXELS)
    assert np.array_equal(made("solarize", 9), 255 - PIXELS)  # all that is not below 0
    assert np.array_equal(made("solarize", 0), PIXELS)  # none is at least 256
    assert np.array_equal(made("solarize", 3), np.where(PIXELS < 171, PIXELS, 255 - PIXELS.astype(int)))  # 256 * 6 / 9
    assert np.array_equal(made("posterize", 9), PIXELS & 0b11110000)
    assert np.array_equal(made("posterize", 5), PIXELS & 0b11111100)  # 8 - 2.2 bits
    assert np.array_equal(made("posterize", 0), PIXELS)


def test_enhancements_are_a_tenth_to_almost_twice_as_much() -> None:
    """Brightness is a share of the image's own value, one grey value of rounding aside."""
    for level, sign, factor in ((9, -1, 0.1), (9, 1, 1.9), (0, 1, 1.0), (3, 1, 1.3)):
        bright = np.clip(PIXELS * factor, 0, 255)
        assert abs(made("brightness", level, sign) - bright).max() <= 1
    grey = np.asarray(Image.fromarray(PIXELS).convert("L"))[..., None].astype(float)
    colour = np.clip(grey + 0.1 * (PIXELS - grey), 0, 255)
    assert abs(made("color", 9, -1) - colour).max() <= 1
    contrast = np.clip(round(grey.mean()) + 1.9 * (PIXELS - float(round(grey.mean()))), 0, 255)
    assert abs(made("contrast", 9, 1) - contrast).max() <= 1
    assert np.array_equal(made("sharpness", 0), PIXELS)
    assert made("sharpness", 9, 1).std() > PIXELS.std() > made("sharpness", 9, -1).std()


def test_histograms_are_spread() -> None:
    dull = (100 + PIXELS // 16).astype(np.uint8)
    spread = made("autocontrast", 5, pixels=dull)
    assert (spread.min(), spread.max()) == (0, 255)
    assert np.array_equal(spread[..., 0], (dull[..., 0].astype(int) - 100) * 255 // 15)
    counts = np.bincount(dull[..., 1].ravel(), minlength=256)
    step = (counts.sum() - counts[dull[..., 1].max()]) // 255  # pixels to a grey value, the brightest aside
    table = np.clip((step // 2 + np.cumsum(counts) - counts) // step, 0, 255)
    assert np.array_equal(made("equalize", 5, pixels=dull)[..., 1], table[dull[..., 1]])


def test_every_pair_is_drawn_as_often_and_each_operation_with_its_probability() -> None:
    """Pair 21 moves the image down or up with 0.9, and then with 0.7; none and one of both are told apart."""
    draws = Draws(0, 0, np.arange(25_000))
    pairs = (draws.uniform(5)[:, 0] * 25).astype(int)
    counts = np.bincount(pairs, minlength=25)
    assert abs(counts - 1000).max() < 5 * 1000**0.5
    pick = np.flatnonzero(pairs == 21)  # translate-y 0.9, then translate-y 0.7
    images = np.broadcast_to(PIXELS.transpose(2, 0, 1), (len(pick), 3, 32, 32))
    found = AutoAugmentCifar10()(images, Draws(0, 0, pick))
    outcomes = {PIXELS.transpose(2, 0, 1).tobytes(): 0}
    for sign in (1, -1):
        outcomes[made("translate-y", 9, sign).astype(np.uint8).transpose(2, 0, 1).tobytes()] = 1
    one = sum(outcomes.get(image.tobytes()) == 1 for image in found)
    none = sum(outcomes.get(image.tobytes()) == 0 for image in found)
    for got, share in ((none, 0.1 * 0.3), (one, 0.9 * 0.3 + 0.1 * 0.7)):
        assert abs(got - share * len(pick)) < 5 * (share * len(pick)) ** 0.5


def test_the_order_and_the_number_of_samples_do_not_matter() -> None:
    images = RNG.integers(0, 256, (60, 3, 32, 32)).astype(np.uint8)
    before = images.copy()
    whole = AutoAugmentCifar10()(images, Draws(5, 2, np.arange(60)))
    pick = RNG.permutation(60)[:11]
    assert np.array_equal(AutoAugmentCifar10()(images[pick], Draws(5, 2, pick)), whole[pick])
    assert np.array_equal(images, before)


def test_other_than_rgb_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"augment autoaugment-cifar10: shape \(\(2, 1, 8, 8\)\) is not \(n, 3, h, w\)"
    ):
        AutoAugmentCifar10()(np.zeros((2, 1, 8, 8), np.uint8), Draws(0, 0, np.arange(2)))
