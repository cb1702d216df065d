"""MNIST and Fashion-MNIST: 28x28, one channel, 10 classes, 60,000 train and 10,000 test."""

from pathlib import Path

import numpy as np

from spikeport.errors import DataSetDamaged
from spikeport.train.data.dataset import DataSet, Split
from spikeport.train.data.idx import read_idx
from spikeport.train.data.labels import checked_labels
from spikeport.train.data.places import found

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""


def mnist(folder: Path | None = None) -> DataSet:
    """LeCun, Cortes, Burges; as torchvision leaves it in `MNIST/raw`, compressed or not."""
    return _read("mnist", folder, "MNIST/raw/")


def fashion_mnist(folder: Path | None = None) -> DataSet:
    """Xiao, Rasul, Vollgraf, arXiv 1708.07747; as torchvision leaves it in `FashionMNIST/raw`, or Debian's package."""
    return _read("fashion-mnist", folder or (DEBIAN if DEBIAN.is_dir() else None), "FashionMNIST/raw/")


def _read(name: str, folder: Path | None, place: str) -> DataSet:
    train, test = (_split(name, folder, place, part) for part in ("train", "t10k"))
    if train.images.shape != test.images.shape:
        got, limit = test.images.shape, train.images.shape
        raise DataSetDamaged(f"data {name}", "shape of a test image", got=got, relation="is not", limit=limit)
    return DataSet(name, 10, train, test)


def _split(name: str, folder: Path | None, place: str, part: str) -> Split:
    images, labels = (
        found(name, folder, [near + file + end for near in (place, "raw/", "") for end in ("", ".gz")])
        for file in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    )
    pictures = read_idx(images, 3)[:, None]
    return Split(pictures, checked_labels(labels, read_idx(labels, 1).astype(np.int64), len(pictures), 10))
