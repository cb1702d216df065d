"""The data sets by name, and the options that any of them takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikeport.errors import InputError
from spikeport.train.data.dataset import DataSet
from spikeport.train.data.digits import digits

Loader = Callable[..., DataSet]
"""Takes the folder, or None, and options of its own by keyword."""

_LOADERS: dict[str, Loader] = {"digits": digits}


def data_sets() -> tuple[str, ...]:
    """The known names."""
    return tuple(_LOADERS)


def load_data(name: str, folder: Path | None = None, **options: Any) -> DataSet:
    """A data set from the folder that torchvision, tonic or npm was given to keep it in.

    Raises:
        InputError: a name or an option that is not known; the known ones are in the message.
        FileError: files that are missing or not what they should be.
    """
    if name not in _LOADERS:
        raise InputError("data", "name", got=name, relation="is not one of", limit=", ".join(_LOADERS))
    return _LOADERS[name](folder, **options)
