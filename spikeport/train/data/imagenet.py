"""ImageNet (ILSVRC 2012) as folders: `train/<wnid>/*.JPEG` and `val/<wnid>/*.JPEG`."""

from pathlib import Path

import numpy as np

from spikeport.errors import DataSetDamaged, DataSetMissing
from spikeport.train.data.dataset import DataSet, Files, Split
from spikeport.train.data.labels import checked_labels
from spikeport.train.data.pictures import array_of, rgb, shrunk_middle
from spikeport.train.data.places import found

ENDS = frozenset([".jpeg", ".jpg", ".png"])


def imagenet(folder: Path | None = None, size: int = 224) -> DataSet:
    """Classes in the order of their folders' names; images are decoded when asked for.

    A picture is the middle `size` x `size` after the shorter side became 8/7 of it: 256 for 224. The augmentation
    `resized-crop` cuts from the whole image instead.
    """
    train, test = (found("imagenet", folder, [part, f"imagenet/{part}"]) for part in ("train", "val"))
    classes = _folders(train)
    if _folders(test) != classes:
        wrong = ", ".join(sorted(set(classes) ^ set(_folders(test)))[:5])
        raise DataSetDamaged(
            str(test), "folders that train has not, or the reverse", got=wrong, do="make them the same"
        )
    if not classes:
        raise DataSetMissing(str(train), "holds no folder of a class", do="expected train/n01440764/*.JPEG and so on")
    return DataSet("imagenet", len(classes), _split(train, classes, size), _split(test, classes, size))


def _folders(place: Path) -> list[str]:
    return sorted(entry.name for entry in place.iterdir() if entry.is_dir())


def _split(place: Path, classes: list[str], size: int) -> Split:
    groups = [sorted(p for p in (place / name).iterdir() if p.suffix.lower() in ENDS) for name in classes]
    paths = tuple(path for group in groups for path in group)
    labels = np.repeat(np.arange(len(classes)), [len(group) for group in groups])
    shorter = size * 8 // 7

    def read(path: Path) -> np.ndarray:
        return array_of(shrunk_middle(rgb(path), shorter, size))

    return Split(
        Files(paths, read, (3, size, size), whole=rgb), checked_labels(place, labels, len(paths), len(classes))
    )
