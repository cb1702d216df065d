"""DVS128 Gesture (Amir et al. 2017): 11 gestures, as tonic leaves them in `DVSGesture`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged
from spikeport.train.data.dataset import DataSet, Files, Split
from spikeport.train.data.frames import Events, Frames, checked_events
from spikeport.train.data.labels import checked_labels
from spikeport.train.data.places import AGAIN, found

CLASSES = 11


def dvs_gesture(folder: Path | None = None, steps: int = 10, by: str = "count", binary: bool = False) -> DataSet:
    """1,077 train and 264 test gestures, each `(T, 2, 128, 128)`; `steps`, `by`, `binary` as in `Frames`.

    A file `ibmGestureTrain/user01_fluorescent/3.npy` has the events of class 3: columns x, y, polarity, time.
    A count is a value: 1 / (255 std) is 1.
    """
    frames = Frames(steps, by, binary)
    train, test = (
        _split(found("dvs128-gesture", folder, [f"DVSGesture/{part}", part]), frames)
        for part in ("ibmGestureTrain", "ibmGestureTest")
    )
    return DataSet("dvs128-gesture", CLASSES, train, test, std=1 / 255)


def _split(place: Path, frames: Frames) -> Split:
    paths = tuple(sorted(place.glob("*/*.npy")))
    if not all(path.stem.isdecimal() for path in paths):
        wrong = next(path for path in paths if not path.stem.isdecimal())
        raise DataSetDamaged(str(wrong), "is not named by its class", do="expected names as 0.npy to 10.npy")
    labels = np.array([int(path.stem) for path in paths], np.int64)

    def read(path: Path) -> NDArray[np.uint8]:
        return frames.of(_events(path))

    return Split(Files(paths, read, frames.shape), checked_labels(place, labels, len(paths), CLASSES))


def _events(path: Path) -> Events:
    try:
        table = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataSetDamaged(str(path), "is not an array in numpy's format", got=error, do=AGAIN) from error
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.shape[1] != 4 or table.dtype.kind not in "iuf":
        got = getattr(table, "shape", "an archive")
        raise DataSetDamaged(str(path), "shape", got=got, relation="is not", limit="(N, 4), numbers", do=AGAIN)
    x, y, p, t = table.T
    return checked_events(path, t, x, y, p)
