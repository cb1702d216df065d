"""CelebA (Liu et al. 2015): 202,599 aligned faces, 178x218, as torchvision leaves them in `celeba`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged, UnknownName
from spikeport.train.data.dataset import DataSet, Files, Split
from spikeport.train.data.pictures import array_of, middle_shrunk, rgb
from spikeport.train.data.places import AGAIN, content, found

CROP = 148
TRAIN, VALIDATION, TEST = "0", "1", "2"


def celeba(folder: Path | None = None, size: int = 64, attribute: str | None = None) -> DataSet:
    """The middle 148x148 of each face, resized: the crop of FSVAE and ESVAE. Its validation part is its own.

    Args:
        attribute: The label, 1 where the face has it; without one all labels are 0.

    Raises:
        InputError: an attribute that the file does not have.
    """
    images = found("celeba", folder, ["celeba/img_align_celeba", "img_align_celeba"])
    partition = images.with_name("list_eval_partition.txt")
    rows = _rows(partition, columns=2)
    labels = None if attribute is None else _attribute(images.with_name("list_attr_celeba.txt"), attribute)

    def read(path: Path) -> NDArray[np.uint8]:
        return array_of(middle_shrunk(rgb(path), CROP, size))

    def split(part: str) -> Split:
        names = [name for name, number in rows if number == part]
        if not names:
            raise DataSetDamaged(str(partition), "lacks images of part", got=part, do=AGAIN)
        paths = tuple(images / name for name in names)
        return Split(Files(paths, read, (3, size, size)), _labels(partition, names, labels))

    classes = 1 if attribute is None else 2
    return DataSet("celeba", classes, split(TRAIN), split(TEST), validation=split(VALIDATION))


def _labels(partition: Path, names: list[str], labels: dict[str, int] | None) -> NDArray[np.int64]:
    if labels is None:
        return np.zeros(len(names), np.int64)
    missing = [name for name in names if name not in labels]
    if missing:
        raise DataSetDamaged(str(partition), "names an image without attributes", got=missing[0], do=AGAIN)
    return np.array([labels[name] for name in names], np.int64)


def _attribute(path: Path, attribute: str) -> dict[str, int]:
    """The file has the number of images, the attributes' names, and of each image its name and 1 or -1 for each."""
    header = _lines(path)[1:2]
    known = header[0].split() if header else []
    if attribute not in known:
        limit = ", ".join(known) or "none"
        raise UnknownName("data celeba", "attribute", got=attribute, relation="is not one of", limit=limit)
    rows = _rows(path, columns=1 + len(known), skip=2)
    return {row[0]: int(row[1 + known.index(attribute)] == "1") for row in rows}


def _rows(path: Path, columns: int, skip: int = 0) -> list[list[str]]:
    rows = [line.split() for line in _lines(path)[skip:]]
    for number, row in enumerate(rows, 1 + skip):
        if len(row) != columns:
            raise DataSetDamaged(f"{path}, line {number}", "columns", got=len(row), relation="are not", limit=columns)
    return rows


def _lines(path: Path) -> list[str]:
    try:
        return content(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataSetDamaged(str(path), "is not a text file", got=error, do=AGAIN) from error
