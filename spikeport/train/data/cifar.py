"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): 32x32, three channels, 50,000 train and 10,000 test."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged
from spikeport.train.data.dataset import DataSet, Split
from spikeport.train.data.labels import checked_labels
from spikeport.train.data.pickled import read_batch
from spikeport.train.data.places import AGAIN, content, found

SHAPE = (3, 32, 32)
WIDTH = 3 * 32 * 32

_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


def cifar10(folder: Path | None = None) -> DataSet:
    """The Python version as torchvision leaves it in `cifar-10-batches-py`, or the binary one."""
    first = found(
        "cifar10",
        folder,
        [
            "cifar-10-batches-py/data_batch_1",
            "cifar-10-batches-bin/data_batch_1.bin",
            "data_batch_1",
            "data_batch_1.bin",
        ],
    )
    train, test = (
        _split([first.with_name(name + first.suffix) for name in names], 10, "labels", label_bytes=1)
        for names in (_BATCHES, ("test_batch",))
    )
    return DataSet("cifar10", 10, train, test)


def cifar100(folder: Path | None = None) -> DataSet:
    """The Python version as torchvision leaves it in `cifar-100-python`, or the binary one; the 100 fine classes."""
    first = found(
        "cifar100",
        folder,
        ["cifar-100-python/train", "cifar-100-binary/train.bin", "train", "train.bin"],
    )
    train, test = (
        _split([first.with_name(name + first.suffix)], 100, "fine_labels", label_bytes=2) for name in ("train", "test")
    )
    return DataSet("cifar100", 100, train, test)


def _split(paths: list[Path], classes: int, key: str, label_bytes: int) -> Split:
    parts = []
    for path in paths:
        rows, labels = _records(path, label_bytes) if path.suffix else read_batch(path, key, WIDTH)
        parts.append((rows, checked_labels(path, labels, len(rows), classes)))
    rows = np.concatenate([rows for rows, _ in parts])
    return Split(rows.reshape(-1, *SHAPE), np.concatenate([labels for _, labels in parts]))


def _records(path: Path, label_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The binary version: of each image its labels, the finest last, and its values."""
    raw = content(path, least=label_bytes + WIDTH)
    if len(raw) % (label_bytes + WIDTH):
        limit = f"a multiple of {label_bytes + WIDTH:,}"
        raise DataSetDamaged(
            str(path), "number of bytes", got=f"{len(raw):,}", relation="is not", limit=limit, do=AGAIN
        )
    records = np.frombuffer(raw, np.uint8).reshape(-1, label_bytes + WIDTH)
    return records[:, label_bytes:], records[:, label_bytes - 1].astype(np.int64)
