"""What groups sent in a run that `spikeport run --record all` wrote as HDF5."""

from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from spikeport.deploy.netx.probe import check_readable
from spikeport.errors import FileError
from spikeport.sim.record import PROGRAM

DO = "record it again with 'spikeport run --record all'"


def read_spikes(path: Path) -> dict[str, NDArray[Any]]:
    """`GROUP/s` of every group that was recorded, and `program_sha256`; states are left where they are.

    Raises:
        FileError: not such a file, or a damaged one.
    """
    if not path.is_file():
        raise FileError(str(path), "no such file")
    check_readable(path, str(path), kind="recorded run", do=DO)
    found = {}
    with h5py.File(path, "r") as file:
        for name in file:
            item = _own(file, name)
            if name == PROGRAM and isinstance(item, h5py.Dataset):
                found[name] = item[()]
            elif isinstance(item, h5py.Group) and isinstance(spikes := _own(item, "s"), h5py.Dataset):
                if spikes.dtype.kind not in "iu":
                    raise FileError(
                        str(path), f"spikes of {name}", got=spikes.dtype, relation="are not integers", do=DO
                    )
                found[f"{name}/s"] = spikes[()]
    return found


def _own(group: h5py.Group, name: str) -> Any:
    """What lies in the file itself; None for links, and for data of other files."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    item = group.get(name)
    if isinstance(item, h5py.Dataset) and (item.shape is None or item.external or item.is_virtual):
        return None
    return item
