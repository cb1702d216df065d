"""Labels as they come from a file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged
from spikeport.train.data.places import AGAIN


def checked_labels(path: Path, labels: NDArray[np.int64], count: int, classes: int) -> NDArray[np.int64]:
    """The labels.

    Raises:
        FileError: there are none, not one for each of `count` images, or some that are no class.
    """
    if not count or len(labels) != count:
        got, limit = f"{len(labels):,}", f"number of images, {count:,}" if count else "1 or more"
        raise DataSetDamaged(str(path), "number of labels", got=got, relation="is not the", limit=limit, do=AGAIN)
    if not 0 <= labels.min() <= labels.max() < classes:
        got = f"{labels.min()}..{labels.max()}"
        raise DataSetDamaged(str(path), "labels", got=got, relation="are not in", limit=f"[0, {classes})", do=AGAIN)
    return labels
