"""What a data set is: pictures and labels in two or three parts, and the integers that they are centred by."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from spikeport.errors import ArraysDiffer, InputError

Bytes = NDArray[np.uint8]
Pick = NDArray[np.int64] | slice


class Pictures(Protocol):
    """Pictures in [0, 255] that are decoded when asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture: `(c, h, w)`, or `(T, c, h, w)` for frames of events."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, pick: Pick, /) -> Bytes:
        """`(n, *shape)`"""
        ...


@dataclass(frozen=True, eq=False)
class Memory:
    """Pictures of one array `(N, *shape)`; numpy takes it as that array."""

    array: Bytes

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape[1:]

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, pick: Pick) -> Bytes:
        return self.array[pick]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.array, dtype, copy=copy)

    def take(self, order: NDArray[np.int64]) -> "Memory":
        return Memory(self.array[order])

    def map(self, function: Callable[[Bytes], Bytes]) -> "Memory":
        return Memory(function(self.array))


@dataclass(frozen=True, eq=False)
class Files:
    """Pictures in files, one each, read when asked for.

    Args:
        read: A file's picture, always of `shape`; raises FileError.
        whole: The image that `read` cuts its picture from, for augmentations that cut another.
    """

    paths: tuple[Path, ...]
    read: Callable[[Path], Bytes]
    shape: tuple[int, ...]
    whole: Callable[[Path], Image] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, pick: Pick) -> Bytes:
        numbers = np.arange(len(self))[pick]
        found = np.empty((len(numbers), *self.shape), np.uint8)
        for row, number in zip(found, numbers, strict=True):
            row[...] = self.read(self.paths[number])
        return found

    def take(self, order: NDArray[np.int64]) -> "Files":
        return replace(self, paths=tuple(self.paths[number] for number in order))

    def map(self, function: Callable[[Bytes], Bytes]) -> "Files":
        """What `function` makes of each batch of pictures; the whole images stay as they are."""
        shape = function(np.zeros((1, *self.shape), np.uint8)).shape[1:]
        return replace(self, read=lambda path: function(self.read(path)[None])[0], shape=shape)


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures and their labels `(N,)`; an array of pictures `(N, *shape)` becomes `Memory`.

    Raises:
        InputError: as many labels as pictures there must be.
    """

    images: Pictures
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if isinstance(self.images, np.ndarray):
            object.__setattr__(self, "images", Memory(self.images))
        if len(self.images) != len(self.labels):
            got, limit = f"{len(self.images):,}", f"number of labels, {len(self.labels):,}"
            raise ArraysDiffer("data", "number of images", got=got, relation="is not the", limit=limit)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class DataSet:
    """A data set, in integers up to the network's first layer.

    Args:
        mean: What is subtracted from each channel, in grey values times `factor`; empty stands for zeros.
        std: What the centred value in [0, 1] is divided by, one number for all channels.
        validation: What was held out of `train`, to choose epochs by without the test set.
    """

    name: str
    classes: int
    train: Split
    test: Split
    mean: tuple[int, ...] = ()
    std: float = 1.0
    validation: Split | None = None
    factor: int = 1
    """Of a grey value; 2, with a mean of 255, shows pictures in [-1, 1] exactly."""

    def __post_init__(self) -> None:
        channels = self.shape[-3]
        object.__setattr__(self, "mean", self.mean or (0,) * channels)
        if len(self.mean) != channels:
            raise InputError(self.name, "means", got=len(self.mean), relation="are not one for each of", limit=channels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture."""
        return self.train.images.shape

    @property
    def low(self) -> int:
        """The least centred value."""
        return -max(self.mean)

    @property
    def high(self) -> int:
        """The greatest centred value."""
        return 255 * self.factor - min(self.mean)

    @property
    def scale(self) -> float:
        """What a centred value is multiplied by."""
        return 1 / (255 * self.std)


def centred(data: DataSet, images: NDArray[np.integer]) -> NDArray[np.int16]:
    """Pictures `(..., c, h, w)`, times the factor, less each channel's mean: the integers of the first layer."""
    return images.astype(np.int16) * np.int16(data.factor) - np.array(data.mean, np.int16)[:, None, None]
