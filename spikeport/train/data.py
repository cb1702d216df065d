"""Data sets as integer images and labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError


@dataclass(frozen=True, eq=False)
class Split:
    """Images `(N, c, h, w)` in [0, 255] and labels `(N,)`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class DataSet:
    name: str
    classes: int
    train: Split
    test: Split


def load_data(name: str) -> DataSet:
    """Raises InputError with the known names if there is no such data set."""
    if name not in _LOADERS:
        raise InputError("data", "name", got=name, relation="is not one of", limit=", ".join(_LOADERS))
    return _LOADERS[name]()


def digits() -> DataSet:
    """1,797 handwritten digits, 8x8 (UCI Optical Recognition; in scikit-learn): 1,400 train, 397 test.

    The split is fixed. Grey values 0..16 become 0..255.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = order[:1400], order[1400:]
    return DataSet("digits", 10, Split(images[train], labels[train]), Split(images[test], labels[test]))


_LOADERS = {"digits": digits}
