"""scikit-learn's digits."""

from pathlib import Path

import numpy as np

from spikeport.train.data.dataset import DataSet, Split

TRAIN = 1400


def digits(folder: Path | None = None) -> DataSet:
    """1,797 handwritten digits, 8x8 (UCI Optical Recognition; in scikit-learn): 1,400 train, 397 test.

    The split is fixed. Grey values 0..16 become 0..255. They come with scikit-learn, so there is no folder.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = order[:TRAIN], order[TRAIN:]
    return DataSet("digits", 10, Split(images[train], labels[train]), Split(images[test], labels[test]))
