"""The options that every data set takes."""

from dataclasses import dataclass, replace

import numpy as np

from spikeport.errors import InputError, OptionMisused
from spikeport.train.data.dataset import DataSet, Files, Memory, Split
from spikeport.train.data.normal import Normal
from spikeport.train.data.resample import padded, resized

VALIDATION_SEED, LIMIT_SEED = 1, 2


@dataclass(frozen=True)
class Options:
    """What is made of a data set after it was read, in the order of the arguments.

    Args:
        normalize: Mean and deviation as they are customary; by default of the sets that have them.
        symmetric: Pictures p are 2 p - 255, of scale 1 / 255: in [-1, 1] exactly, as autoencoders take them.
        validation: The share of train that is held out, always the same images of a set.
        limit_train, limit_test: The first so many images of a fixed shuffle; the held-out part stays whole.
        size: Pictures are resized to squares of this side, by Pillow's bilinear.
        pad: Zeros on each side.
        in_memory: All pictures are decoded once, now.
    """

    normalize: bool | None = None
    symmetric: bool = False
    validation: float = 0.0
    limit_train: int | None = None
    limit_test: int | None = None
    size: int | None = None
    pad: int = 0
    in_memory: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("limit_train", 1, 2**31),
            ("limit_test", 1, 2**31),
            ("size", 1, 4096),
            ("pad", 0, 4096),
        ):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not low <= value <= high):
                raise InputError("data", name, got=value, relation="is not an integer in", limit=f"[{low}, {high}]")
        if type(self.validation) not in (int, float) or not 0 <= self.validation < 1:
            raise InputError("data", "validation", got=self.validation, relation="is not in", limit="[0, 1)")
        for name in ("normalize", "symmetric", "in_memory"):
            if type(getattr(self, name)) is not bool and not (name == "normalize" and self.normalize is None):
                raise InputError("data", name, got=getattr(self, name), relation="is not", limit="true or false")
        if self.normalize and self.symmetric:
            raise OptionMisused("data", "normalize", relation="is not possible with", limit="symmetric")

    def applied(self, data: DataSet, normal: Normal | None) -> DataSet:
        """Raises InputError for what this data set cannot have."""
        data = self._held_out(self._normalized(data, normal))
        train = _limited(data.train, self.limit_train, "limit_train")
        test = _limited(data.test, self.limit_test, "limit_test")
        held = data.validation and self._shaped(data.validation)
        return replace(data, train=self._shaped(train), test=self._shaped(test), validation=held)

    def _normalized(self, data: DataSet, normal: Normal | None) -> DataSet:
        if self.symmetric:
            return replace(data, mean=(255,) * data.shape[-3], std=1.0, factor=2)
        if self.normalize and normal is None:
            do = "leave normalize out, or say --set data.normalize=false"
            raise OptionMisused(f"data {data.name}", "has no customary mean and deviation", do=do)
        if normal is None or self.normalize is False:
            return data
        return replace(data, mean=normal.grey, std=normal.spread)

    def _held_out(self, data: DataSet) -> DataSet:
        if not self.validation:
            return data
        if data.validation is not None:
            raise OptionMisused(f"data {data.name}", "has a validation part of its own", do="leave validation out")
        order = np.random.default_rng(VALIDATION_SEED).permutation(len(data.train))
        cut = round(self.validation * len(order))
        if not 0 < cut < len(order):
            got, limit = self.validation, f"{len(order):,} images in two"
            raise InputError(f"data {data.name}", "validation", got=got, relation="does not part", limit=limit)
        held, kept = np.sort(order[:cut]), np.sort(order[cut:])
        return replace(data, train=_taken(data.train, kept), validation=_taken(data.train, held))

    def _shaped(self, split: Split) -> Split:
        images = _stored(split)
        if self.size is not None:
            size = self.size
            images = images.map(lambda batch: resized(batch, size))
        if self.pad:
            images = images.map(lambda batch: padded(batch, self.pad))
        return Split(Memory(images[:]) if self.in_memory else images, split.labels)


def _limited(split: Split, limit: int | None, name: str) -> Split:
    if limit is None:
        return split
    if limit > len(split):
        raise InputError("data", name, got=f"{limit:,}", relation="exceeds", limit=f"{len(split):,} images")
    return _taken(split, np.random.default_rng(LIMIT_SEED).permutation(len(split))[:limit])


def _taken(split: Split, order: np.ndarray) -> Split:
    return Split(_stored(split).take(order), split.labels[order])


def _stored(split: Split) -> Memory | Files:
    assert isinstance(split.images, Memory | Files), "every loader gives one of these"
    return split.images
