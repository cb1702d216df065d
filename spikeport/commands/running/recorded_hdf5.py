"""What groups sent in a run that `spikeport run --record all` wrote as HDF5."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from spikeport.deploy.netx.node import MAX_GZIP_RATIO
from spikeport.deploy.netx.probe import check_readable
from spikeport.errors import FileError, FileUnreadable, no_file
from spikeport.sim.record import PROGRAM

DO = "record it again with 'spikeport run --record all'"
_UNREADABLE = (OSError, KeyError, RuntimeError, TypeError, ValueError, MemoryError, OverflowError)
"""What h5py raises on a damaged file."""


def read_spikes(path: Path) -> dict[str, NDArray[Any]]:
    """`GROUP/s` of every group that was recorded, and `program_sha256`; states are left where they are.

    Raises:
        FileError: not such a file, or a damaged one.
    """
    if not path.is_file():
        raise no_file(path)
    check_readable(path, str(path), kind="recorded run", do=DO)
    try:
        with h5py.File(path, "r") as file:
            return dict(_spikes(file, path))
    except FileError:
        raise
    except _UNREADABLE as error:
        got = (str(error) or type(error).__name__).splitlines()[0]
        raise FileUnreadable(str(path), "is not a readable recorded run", got=got, do=DO) from error


def _spikes(file: h5py.File, path: Path) -> Iterator[tuple[str, NDArray[Any]]]:
    most_bytes = MAX_GZIP_RATIO * path.stat().st_size
    for name in file:
        item = _own(file, name)
        if name == PROGRAM and isinstance(item, h5py.Dataset) and item.nbytes <= most_bytes:
            yield name, item[()]
        elif isinstance(item, h5py.Group) and isinstance(spikes := _own(item, "s"), h5py.Dataset):
            if spikes.dtype.kind not in "iu" or spikes.nbytes > most_bytes:
                got = f"{spikes.dtype}, shape {spikes.shape}"
                raise FileError(str(path), f"spikes of {name}", got=got, relation="are not those of a run", do=DO)
            yield f"{name}/s", spikes[()]


def _own(group: h5py.Group, name: str) -> Any:
    """What lies in the file itself; None for links, and for data of other files."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    item = group.get(name)
    if isinstance(item, h5py.Dataset) and (item.shape is None or item.external or item.is_virtual):
        return None
    return item
