"""MNIST's files as torchvision leaves them, and Debian's Fashion-MNIST."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import FileError, InputError
from spikeport.train.data import load_data
from spikeport.train.data.catalogue import ENTRIES
from spikeport.train.data.mnist import DEBIAN

IMAGES = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype(np.uint8)
LABELS = np.array([5, 0, 4, 1, 9], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_mnist(root: Path, place: str = "MNIST/raw", packed: bool = False) -> Path:
    """Five training images; the first two are test images too."""
    folder = root / place
    folder.mkdir(parents=True)
    for part, count in (("train", 5), ("t10k", 2)):
        for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
            raw = idx(array[:count])
            path = folder / f"{part}-{name}-ubyte"
            path.with_name(path.name + ".gz" * packed).write_bytes(gzip.compress(raw) if packed else raw)
    return folder


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "place"), [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw"), ("mnist", "raw"), ("mnist", "")]
)
def test_the_images_and_labels_are_the_files(tmp_path: Path, name: str, place: str, packed: bool) -> None:
    write_mnist(tmp_path / "root", place, packed)
    data = load_data(name, tmp_path / "root", normalize=False)
    assert (data.name, data.classes, data.shape) == (name, 10, (1, 28, 28))
    assert (data.classes, data.shape) == (ENTRIES[name].classes, ENTRIES[name].shape)
    assert np.array_equal(data.train.images, IMAGES[:, None])
    assert data.train.labels.tolist() == [5, 0, 4, 1, 9]
    assert data.train.labels.dtype == np.int64
    assert np.array_equal(data.test.images, IMAGES[:2, None])
    assert data.test.labels.tolist() == [5, 0]


def test_the_mean_is_a_grey_value(tmp_path: Path) -> None:
    """0.1307 * 255 is 33.3."""
    write_mnist(tmp_path)
    data = load_data("mnist", tmp_path)
    assert (data.mean, data.std) == ((33,), 0.3081)
    assert (data.low, data.high) == (-33, 222)


def damage(folder: Path, how: str) -> Path:
    images = folder / "train-images-idx3-ubyte"
    labels = folder / "train-labels-idx1-ubyte"
    if how == "short":
        images.write_bytes(images.read_bytes()[:-1])
    elif how == "long":
        images.write_bytes(images.read_bytes() + b"\0")
    elif how == "empty":
        images.write_bytes(b"")
    elif how == "other kind":
        images.write_bytes(b"\x89PNG" + images.read_bytes()[4:])
    elif how == "huge axes":
        images.write_bytes(images.read_bytes()[:4] + b"\xff" * 12)
    elif how == "labels":
        labels.write_bytes(idx(LABELS[:4]))
    elif how == "class 10":
        labels.write_bytes(idx(LABELS + 1))
    elif how == "gzip":
        images.unlink()
        images.with_name(images.name + ".gz").write_bytes(gzip.compress(idx(IMAGES))[:-20])
    elif how == "missing":
        images.unlink()
    return folder


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("short", r"number of bytes \(3,935\) is not the 3,936 of an array of 5 x 28 x 28"),
        ("long", r"number of bytes \(3,937\) is not the 3,936"),
        ("empty", r"first bytes \(\) are not 00000803"),
        ("other kind", r"first bytes \(89504e47\) are not 00000803"),
        ("huge axes", r"number of bytes \(16\) is not the 79,"),
        ("labels", r"number of labels \(4\) is not the number of images, 5"),
        ("class 10", r"labels \(1..10\) are not in \[0, 10\)"),
        ("gzip", "is not whole gzip data"),
        ("missing", "does not hold mnist; looked for MNIST/raw/train-images-idx3-ubyte, .*ubyte.gz, raw/"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, how: str, message: str) -> None:
    damage(write_mnist(tmp_path), how)
    with pytest.raises(FileError, match=message) as caught:
        load_data("mnist", tmp_path)
    assert caught.value.where.startswith(str(tmp_path))


def test_a_folder_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="data mnist: the folder is not given; name the one .* --data DIR"):
        load_data("mnist")
    with pytest.raises(FileError, match="is not a folder"):
        load_data("mnist", tmp_path / "nothing")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist_is_found_without_a_folder() -> None:
    """First labels as in the set's own README (ankle boot, T-shirt, T-shirt, dress, T-shirt)."""
    data = load_data("fashion-mnist")
    assert (len(data.train), len(data.test), data.shape, data.classes) == (60_000, 10_000, (1, 28, 28), 10)
    assert data.train.labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert np.bincount(data.train.labels).tolist() == [6000] * 10
    values = np.asarray(data.train.images) / np.float32(255)
    assert (round(float(values.mean(dtype=np.float64)), 4), round(float(values.std(dtype=np.float64)), 4)) == (
        0.286,
        0.353,
    )
    assert (data.mean, data.std) == ((73,), 0.353)
