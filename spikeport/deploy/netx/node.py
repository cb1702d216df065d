"""One HDF5 group of a file that nobody vouches for: every value is checked, every error names its place."""

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from spikeport.errors import FileError
from spikeport.fixed import Ints

MAX_VALUES = 2**28  # no weight matrix of a chip is larger; a forged header can claim anything
MAX_GZIP_RATIO = 1032  # no deflated byte holds more
INT_MAX = 2**31 - 1


@dataclass(frozen=True)
class Node:
    """A group, its place in words such as "model.net: layer 3 (conv)", and the size of the file."""

    group: h5py.Group
    where: str
    file_bytes: int

    def __contains__(self, name: str) -> bool:
        return name in self.group

    def is_group(self, name: str) -> bool:
        """Whether there is a group `name` in this very file."""
        link = self.group.get(name, getlink=True)
        return isinstance(link, h5py.HardLink) and isinstance(self.group.get(name), h5py.Group)

    def child(self, name: str, where: str) -> "Node":
        """The group `name` of this very file."""
        if not self.is_group(name):
            raise FileError(self.where, f"group '{name}'", relation="is not in the file")
        return Node(self.group[name], where, self.file_bytes)

    def data(self, name: str) -> Any:
        """The data set `name` as an array of integers, floats, truth values or text."""
        own = isinstance(self.group.get(name, getlink=True), h5py.HardLink)
        found = self.group.get(name) if own else None
        if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual or found.shape is None:
            raise FileError(self.where, f"data set '{name}'", relation="is not in the file")
        if (
            found.dtype.kind not in "iufbSO"
            or found.size > MAX_VALUES
            or found.nbytes > MAX_GZIP_RATIO * self.file_bytes
        ):
            got = f"{found.dtype}, shape {found.shape}"
            raise FileError(
                self.where, f"'{name}'", got=got, relation="is not", limit="an array that this file can hold"
            )
        return np.asarray(found[()])

    def integers(self, name: str) -> Ints:
        """Whole numbers below 2^31, whatever their type: SLAYER stores integers as float32."""
        data = self._numbers(name)
        return self._whole(name, data)

    def cut(self, name: str) -> int:
        """One value, cut to an integer toward zero, as lava-dl cuts the decays of RF neurons."""
        return self._one(name, self._whole(name, np.trunc(self._numbers(name))))

    def _numbers(self, name: str) -> Any:
        data = self.data(name)
        if data.dtype.kind not in "iufb":
            raise FileError(self.where, f"'{name}'", got=data.dtype, relation="is not", limit="an array of integers")
        return data

    def _whole(self, name: str, data: Any) -> Ints:
        whole = np.isfinite(data).all() and np.array_equal(data, np.trunc(data)) and (np.abs(data) <= INT_MAX).all()
        if not whole:
            limit = "an array of integers"
            do = "export it again with quantized weights (a pre_hook_fx); lava-dl would cut the fractions off"
            raise FileError(self.where, f"'{name}'", got="fractions", relation="is not", limit=limit, do=do)
        return np.asarray(data).astype(np.int64)

    def integer(self, name: str, default: int | None = None) -> int:
        """One value; an array counts if all its values are the same."""
        if default is not None and name not in self:
            return default
        return self._one(name, self.integers(name))

    def _one(self, name: str, data: Ints) -> int:
        if not data.size or data.min() != data.max():
            got = f"{data.size} values" if not data.size else f"{data.min()} to {data.max()}"
            raise FileError(self.where, f"'{name}'", got=got, relation="is not", limit="one value for the whole layer")
        return int(data.flat[0])

    def pair(self, name: str, default: int) -> tuple[int, int]:
        """`(height, width)`; one number counts for both."""
        if name not in self:
            return (default, default)
        data = self.integers(name).reshape(-1)
        if data.size not in (1, 2):
            raise FileError(self.where, f"'{name}'", got=data.tolist(), relation="is not", limit="one number or two")
        return int(data[0]), int(data[-1])

    def shape(self) -> tuple[int, ...]:
        data = self.integers("shape").reshape(-1)
        if data.size not in (1, 2, 3) or data.min() < 1 or np.prod(data.astype(float)) > INT_MAX:
            limit = "one to three positive sizes"
            raise FileError(self.where, "'shape'", got=data.tolist()[:4], relation="is not", limit=limit)
        return tuple(int(n) for n in data)

    def text(self, name: str) -> str:
        data = self.data(name)
        value = data.reshape(-1)[0] if data.size == 1 else None
        if not isinstance(value, bytes | str):
            raise FileError(self.where, f"'{name}'", relation="is not", limit="a text")
        return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
