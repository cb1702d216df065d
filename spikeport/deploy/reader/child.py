"""Reads a NIR file's HDF5 in a process of its own: a damaged file can crash or hang the HDF5 library itself.

A script: `guard.py` runs it as `python -I -S child.py REQUEST`, and nothing else of spikeport is imported.
It executes nothing from the file: no pickle, no filter plugins, no links out of the file. Standard output is

    arrays, one after the other, each at a multiple of 64 bytes
    JSON, utf-8:  {"node": {...}}  or  {"error": {what, got, relation, limit, do}}
    its length, 8 bytes, little-endian; MAGIC

In the JSON a group is an object, a text is a string, an array is [dtype, shape, offset], and an array of texts is
["text", shape, [...]]. Only what NIR's layout holds is read; of the metadata only what spikeport's export wrote.
"""

import json
import struct
import sys
from contextlib import suppress
from math import prod
from typing import IO, Any

MAGIC = b"spikenir"
ALIGN = 64
MAX_DEPTH = 64
"""Groups within groups; a nested graph takes two."""
MAX_TEXTS = 1 << 16
DAMAGED = "export it again"
Table = dict[str, Any]


class Refused(Exception):
    """A file that is not what it should be; `told` holds the pieces of the error."""

    def __init__(self, what: str, **told: Any) -> None:
        self.told = {"what": what, "do": DAMAGED, **told}
        super().__init__(what)


class Reader:
    """Walks a file once; writes arrays to `out` as it meets them."""

    def __init__(self, out: IO[bytes], max_bytes: int, max_values: int) -> None:
        import h5py

        self.h5py = h5py
        self.out = out
        self.at = 0
        self.left = {"bytes": max_bytes, "values": max_values}
        self.limit = dict(self.left)
        self.seen: set[int] = set()

    def file(self, path: str) -> Table:
        """The group /node of the file."""
        with self.h5py.File(path, "r") as file:
            if "node" not in file or not isinstance(found := self._member(file, "node"), self.h5py.Group):
                raise Refused("is not a NIR file", got="no group /node", do="write it with nir.write")
            return self._node(found, 0)

    def _node(self, group: Any, depth: int) -> Table:
        """A node's fields; those of a graph hold its nodes."""
        if depth > MAX_DEPTH:
            raise Refused("groups within groups", got=f"{depth}", relation="exceed", limit=f"{MAX_DEPTH}")
        table: Table = {}
        for name in _names(group):
            if name == "metadata":
                if depth == 0:
                    table[name] = self._notes(self._member(group, name))
                continue
            item = self._member(group, name)
            if isinstance(item, self.h5py.Dataset):
                table[name] = self._value(item)
            elif not isinstance(item, self.h5py.Group):
                raise Refused(f"{group.name}/{name}", relation="is not", limit="a group or an array")
            elif name == "nodes":
                table[name] = {inner: self._inner(item, inner, depth + 2) for inner in _names(item)}
            else:
                table[name] = {}  # no field of NIR is a group: whoever parses this node will say so
        return table

    def _inner(self, group: Any, name: str, depth: int) -> Any:
        item = self._member(group, name)
        if isinstance(item, self.h5py.Group):
            return self._node(item, depth)
        return self._value(item) if isinstance(item, self.h5py.Dataset) else None

    def _notes(self, metadata: Any) -> Table:
        """What spikeport's export left, its values alone; what other writers left is not read."""
        if not isinstance(metadata, self.h5py.Group) or "spikeport" not in metadata:
            return {}
        notes = self._member(metadata, "spikeport")
        if not isinstance(notes, self.h5py.Group):
            return {}
        items = {name: self._member(notes, name) for name in _names(notes)}
        return {"spikeport": {n: self._value(x) for n, x in items.items() if isinstance(x, self.h5py.Dataset)}}

    def _member(self, group: Any, name: str) -> Any:
        """The object of that name. No writer of NIR links, so links mean that something is wrong."""
        place = f"{group.name.rstrip('/')}/{name}"
        link = group.id.links.get_info(name.encode())
        if link.type != self.h5py.h5l.TYPE_HARD:
            raise Refused(f"{place} links elsewhere")
        if link.u in self.seen:
            raise Refused(f"{place} is an object that has another name too")
        self.seen.add(link.u)
        return group[name]

    def _value(self, dataset: Any) -> Any:
        self._check_layout(dataset)
        if self.h5py.check_string_dtype(dataset.dtype) is not None:
            return self._text(dataset)
        if not self._is_plain(dataset):
            raise Refused(f"{dataset.name}", got=f"{dataset.dtype}", relation="is not", limit="numbers or text")
        import numpy as np

        array = np.empty(dataset.shape, dataset.dtype)
        if array.size:
            dataset.read_direct(array)
        self.out.write(bytes(-self.at % ALIGN))
        offset = self.at + -self.at % ALIGN
        self.out.write(array.reshape(-1).view(np.uint8).data)
        self.at = offset + array.nbytes
        return [array.dtype.str, list(array.shape), offset]

    def _is_plain(self, dataset: Any) -> bool:
        """Exactly one of numpy's numbers: a damaged type converts to other values without a word."""
        dtype = dataset.dtype
        known = dtype.kind in "fiubc" and dtype.subdtype is None and dtype.itemsize <= 8 * (1 + (dtype.kind == "c"))
        return known and bool(dataset.id.get_type().equal(self.h5py.h5t.py_create(dtype, logical=True)))

    def _text(self, dataset: Any) -> Any:
        if dataset.size > MAX_TEXTS:
            raise Refused(f"{dataset.name}", got=f"{dataset.size} texts", relation="exceed", limit=f"{MAX_TEXTS}")
        value = dataset[()]
        if dataset.shape == ():
            return _decoded(dataset.name, value)
        return ["text", list(dataset.shape), [_decoded(dataset.name, x) for x in value.reshape(-1).tolist()]]

    def _check_layout(self, dataset: Any) -> None:
        """In this file, wholly written, and no more of it than the limits allow."""
        name, plist, h5d = dataset.name, dataset.id.get_create_plist(), self.h5py.h5d
        if dataset.shape is None:
            raise Refused(f"{name} holds nothing")
        count, size = prod(dataset.shape), prod(dataset.shape) * dataset.dtype.itemsize
        for what, found in (("values", count), ("bytes", size)):
            self.left[what] -= found
            if self.left[what] < 0:
                limit = f"{self.limit[what]} in all arrays"
                raise Refused(name, got=f"{found} {what}", relation="exceed", limit=limit)
        layout = plist.get_layout()
        if layout == h5d.VIRTUAL or plist.get_external_count():
            raise Refused(f"{name} lies in another file")
        whole = layout == h5d.COMPACT or dataset.id.get_storage_size() >= size
        if layout == h5d.CHUNKED:
            chunks = prod(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
            whole = dataset.id.get_num_chunks() == chunks
        if not whole:  # HDF5 would read the rest as zeros
            raise Refused(f"{name} is not wholly written")


def _names(group: Any) -> list[str]:
    names = list(group)
    if not all(isinstance(name, str) and name.isprintable() for name in names):
        raise Refused(f"{group.name} holds a name that is not printable text")
    return names


def _decoded(place: str, value: Any) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError:
        raise Refused(f"{place} is not UTF-8") from None


def confine(memory: int, cpu_s: int) -> None:
    """Limits this process where the platform has such limits; no core dumps."""
    with suppress(ImportError):
        import resource

        for what, limit in (("AS", memory), ("CPU", cpu_s), ("CORE", 0)):
            with suppress(AttributeError, ValueError, OSError):
                resource.setrlimit(getattr(resource, f"RLIMIT_{what}"), (limit, limit))


def answer(request: Table, out: IO[bytes]) -> None:
    """Reads the file that `request` names and writes what standard output is to be."""
    reader = None
    try:
        reader = Reader(out, request["max_bytes"], request["max_values"])
        told: Table = {"node": reader.file(request["path"])}
    except Refused as refused:
        told = {"error": refused.told}
    except MemoryError:
        got = f"more than {request['memory'] >> 20} MiB of memory"
        told = {"error": {"what": "is not a readable NIR file", "got": got, "do": DAMAGED}}
    except Exception as error:  # h5py raises whatever it likes on damaged files
        lines = f"{error}".strip().splitlines() or [type(error).__name__]
        told = {"error": {"what": "is not a readable NIR file", "got": lines[0], "do": DAMAGED}}
    text = json.dumps(told).encode()
    out.write(text + struct.pack("<Q", len(text)) + MAGIC)
    out.flush()


def main() -> None:
    request = json.loads(sys.argv[1])
    confine(request["memory"], request["cpu_s"])
    sys.path += request["folders"]
    answer(request, sys.stdout.buffer)


if __name__ == "__main__":
    main()
