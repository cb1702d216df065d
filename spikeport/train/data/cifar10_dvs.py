"""CIFAR10-DVS (Li et al. 2017): 10,000 recordings of moved images, as tonic leaves them in `CIFAR10DVS`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged, PackageMissing
from spikeport.extras import install
from spikeport.train.data.dataset import DataSet, Files, Split
from spikeport.train.data.frames import Events, Frames, checked_events
from spikeport.train.data.places import AGAIN, found

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN = 0.9


def cifar10_dvs(folder: Path | None = None, steps: int = 10, by: str = "count", binary: bool = False) -> DataSet:
    """Recordings `(T, 2, 128, 128)`; `steps`, `by`, `binary` as in `Frames`. A count is a value: 1 / (255 std) is 1.

    The set has no split. As is customary, the first nine tenths of each class, by the number in the file's name, are
    for training: 9,000 and 1,000.

    Raises:
        InputError: the package aedat, which decodes AEDAT 4 files, is not installed.
    """
    frames = Frames(steps, by, binary)
    place = found("cifar10-dvs", folder, ["CIFAR10DVS", "airplane"])
    place = place.parent if place.name == "airplane" else place
    _decoder()
    classes = [_recordings(place, name) for name in CLASSES]
    cuts = [int(TRAIN * len(paths)) for paths in classes]

    def read(path: Path) -> NDArray[np.uint8]:
        return frames.of(_events(path))

    def split(parts: list[list[Path]]) -> Split:
        labels = np.repeat(np.arange(len(CLASSES)), [len(part) for part in parts])
        return Split(Files(tuple(path for part in parts for path in part), read, frames.shape), labels)

    train = split([paths[:cut] for paths, cut in zip(classes, cuts, strict=True)])
    test = split([paths[cut:] for paths, cut in zip(classes, cuts, strict=True)])
    return DataSet("cifar10-dvs", len(CLASSES), train, test, std=1 / 255)


def _recordings(place: Path, name: str) -> list[Path]:
    """A class's files by their number: `cifar10_cat_7.aedat4` is before `cifar10_cat_10.aedat4`."""
    paths = sorted(place.glob(f"**/{name}/*.aedat4"), key=lambda path: (len(path.name), path.name))
    if len(paths) < 2:
        do = "expected folders airplane to truck with .aedat4 files, which tonic unpacks"
        raise DataSetDamaged(
            str(place), f"number of recordings of {name}", got=len(paths), relation="is below", limit=2, do=do
        )
    return paths


def _decoder() -> type:
    try:
        from aedat import Decoder
    except ModuleNotFoundError as error:
        if error.name != "aedat":
            raise
        raise PackageMissing("data cifar10-dvs", "needs the package aedat", do=install("events")) from error
    return Decoder


def _events(path: Path) -> Events:
    """The packets of the first stream of events, one after the other."""
    try:
        decoder = _decoder()(path)
        streams = sorted(n for n, stream in decoder.id_to_stream().items() if stream["type"] == "events")
        packets = [packet["events"] for packet in decoder if packet["stream_id"] in streams[:1]]
    except (OSError, RuntimeError, ValueError) as error:
        raise DataSetDamaged(str(path), "is not a whole AEDAT 4 recording of events", got=error, do=AGAIN) from error
    if not packets:
        raise DataSetDamaged(str(path), "holds no events", do=AGAIN)
    rows = np.concatenate(packets)
    return checked_events(path, rows["t"], rows["x"], rows["y"], rows["on"].astype(np.uint8))
