"""Pictures in memory and in files, and the integers that they are centred by."""

from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import InputError
from spikeport.train import Image
from spikeport.train.data import DataSet, Files, Memory, Split, centred

RGB = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)


def data_set(images: np.ndarray, mean: tuple[int, ...] = (), std: float = 1.0) -> DataSet:
    part = Split(images, np.zeros(len(images), np.int64))
    return DataSet("made", 1, part, part, mean, std)


def numbered(path: Path) -> np.ndarray:
    return np.full((1, 2, 2), int(path.name), np.uint8)


def test_an_array_becomes_pictures_of_the_same_values() -> None:
    split = Split(RGB, np.array([3, 4]))
    assert isinstance(split.images, Memory)
    assert split.images.shape == (3, 4, 4)
    assert len(split.images) == len(split) == 2
    assert np.array_equal(split.images, RGB)
    assert np.array_equal(split.images[:1], RGB[:1])
    assert np.array_equal(split.images[np.array([1, 0])], RGB[::-1])


def test_a_label_short_is_refused() -> None:
    with pytest.raises(InputError, match=r"number of images \(2\) is not the number of labels, 1"):
        Split(RGB, np.array([3]))


def test_files_are_read_in_the_order_of_the_pick() -> None:
    read: list[str] = []

    def remembering(path: Path) -> np.ndarray:
        read.append(path.name)
        return numbered(path)

    files = Files(tuple(Path(str(n)) for n in range(9)), remembering, (1, 2, 2))
    assert files[np.array([7, 2, 7])][:, 0, 0, 0].tolist() == [7, 2, 7]
    assert read == ["7", "2", "7"]
    assert files[6:][:, 0, 1, 1].tolist() == [6, 7, 8]
    assert files.take(np.array([5, 3]))[:][:, 0, 0, 0].tolist() == [5, 3]
    assert files[np.array([], np.int64)].shape == (0, 1, 2, 2)


def test_a_function_of_files_is_applied_when_they_are_read() -> None:
    files = Files((Path("3"), Path("4")), numbered, (1, 2, 2)).map(lambda batch: 2 * batch[..., :1])
    assert files.shape == (1, 2, 1)
    assert files[:].ravel().tolist() == [6, 6, 8, 8]


def test_centred_values_are_exact_and_within_their_range() -> None:
    """Black and white less means of 10, 200 and 30, by hand."""
    data = data_set(np.stack([np.zeros((3, 1, 1)), np.full((3, 1, 1), 255)]).astype(np.uint8), (10, 200, 30), 0.5)
    found = centred(data, data.train.images[:])
    assert found.dtype == np.int16
    assert found[:, :, 0, 0].tolist() == [[-10, -200, -30], [245, 55, 225]]
    assert (data.low, data.high) == (-200, 245)
    assert data.scale == 1 / 127.5
    Image(steps=4, low=data.low, high=data.high, scale=data.scale)


def test_frames_are_centred_by_the_same_channels() -> None:
    frames = np.arange(2 * 5 * 2, dtype=np.uint8).reshape(2, 5, 2, 1, 1)
    found = centred(data_set(frames, (1, 2)), frames)
    assert np.array_equal(found[:, :, 0], frames[:, :, 0].astype(int) - 1)
    assert np.array_equal(found[:, :, 1], frames[:, :, 1].astype(int) - 2)


def test_without_a_mean_the_values_stay() -> None:
    data = data_set(RGB)
    assert data.mean == (0, 0, 0)
    assert (data.low, data.high, data.scale) == (0, 255, 1 / 255)
    assert np.array_equal(centred(data, RGB), RGB)


def test_a_mean_for_each_channel_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"means \(2\) are not one for each of 3"):
        data_set(RGB, (1, 2))
