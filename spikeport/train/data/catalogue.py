"""The data sets by name."""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from spikeport.errors import UnknownName
from spikeport.train.data.celeba import celeba
from spikeport.train.data.cifar import cifar10, cifar100
from spikeport.train.data.cifar10_dvs import cifar10_dvs
from spikeport.train.data.dataset import DataSet
from spikeport.train.data.digits import digits
from spikeport.train.data.dvs_gesture import dvs_gesture
from spikeport.train.data.imagenet import imagenet
from spikeport.train.data.mnist import fashion_mnist, mnist
from spikeport.train.data.mnist_10k import mnist_10k
from spikeport.train.data.normal import CIFAR10, CIFAR100, FASHION, IMAGENET, MNIST, Normal
from spikeport.train.data.options import Options


@dataclass(frozen=True)
class Entry:
    """How a data set is read.

    Args:
        load: Takes the folder, or None, and by keyword the options that this set alone has.
    """

    load: Callable[..., DataSet]
    shape: tuple[int, int, int]
    """Of one picture, where no option says otherwise."""
    classes: int
    normal: Normal | None = None

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(name for name in inspect.signature(self.load).parameters if name != "folder")


ENTRIES = {
    "digits": Entry(digits, (1, 8, 8), 10),
    "mnist": Entry(mnist, (1, 28, 28), 10, MNIST),
    "mnist-10k": Entry(mnist_10k, (1, 28, 28), 10, MNIST),
    "fashion-mnist": Entry(fashion_mnist, (1, 28, 28), 10, FASHION),
    "cifar10": Entry(cifar10, (3, 32, 32), 10, CIFAR10),
    "cifar100": Entry(cifar100, (3, 32, 32), 100, CIFAR100),
    "celeba": Entry(celeba, (3, 64, 64), 1),
    "imagenet": Entry(imagenet, (3, 224, 224), 1000, IMAGENET),
    "cifar10-dvs": Entry(cifar10_dvs, (2, 128, 128), 10),
    "dvs128-gesture": Entry(dvs_gesture, (2, 128, 128), 11),
}
COMMON = tuple(field.name for field in fields(Options))


def data_sets() -> tuple[str, ...]:
    """The known names."""
    return tuple(ENTRIES)


def load_data(name: str, folder: str | os.PathLike[str] | None = None, **options: Any) -> DataSet:
    """A data set from the folder that torchvision, tonic or npm was given to keep it in.

    Args:
        folder: Not needed for digits, nor for fashion-mnist where Debian's package is.
        options: Those of `Options`, and those of the set's own function.

    Raises:
        InputError: a name, an option or a value that is not known; the known ones are in the message.
        FileError: files that are missing or not what they should be.
    """
    if name not in ENTRIES:
        raise UnknownName("data", "name", got=name, relation="is not one of", limit=", ".join(ENTRIES))
    entry = ENTRIES[name]
    known = dict.fromkeys((*COMMON, *entry.options))
    unknown = sorted(options.keys() - known.keys())
    if unknown:
        limit = ", ".join(known)
        raise UnknownName(
            f"data {name}", "unknown options", got=", ".join(unknown), relation="are none of", limit=limit
        )
    own = {key: value for key, value in options.items() if key in entry.options}
    common = Options(**{key: value for key, value in options.items() if key in COMMON})
    if "size" in own:
        common = replace(common, size=None)  # the set's own reader cuts and resizes in one
    return common.applied(entry.load(None if folder is None else Path(folder).expanduser(), **own), entry.normal)
