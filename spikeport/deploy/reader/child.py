"""Reads a NIR file's HDF5 in a process of its own: a damaged file can crash or hang the HDF5 library itself.

A script: `guard.py` runs it as `python -I -S child.py REQUEST`, and nothing else of spikeport is imported.
It executes nothing from the file: no pickle, no filter plugins, no links out of the file. Standard output is

    arrays, one after the other, each at a multiple of 64 bytes
    JSON, utf-8:  {"node": {...}}  or  {"error": {code, what, got, relation, limit, do}}
    its length, 8 bytes, little-endian; MAGIC

In the JSON a group is an object, a text is a string, an array is [dtype, shape, offset], and an array of texts is
["text", shape, [...]]. Only what NIR's layout holds is read; of the metadata only what spikeport's export wrote.
"""

import errno
import json
import os
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
MAX_CHARACTERS = 1 << 22
"""Of all texts; a damaged file can name one long text as often as it likes."""
MAX_NAME = 256
DAMAGED = "export it again"
UNREADABLE, OTHER_KIND, TOO_LARGE = "SP103", "SP105", "SP110"
"""Codes of `spikeport.errors`."""
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
FULL = 28
"""The exit code where there is no room for what was read."""
Table = dict[str, Any]


class Refused(Exception):
    """A file that is not what it should be; `told` holds the pieces of the error."""

    def __init__(self, what: str, **told: Any) -> None:
        self.told = {"code": UNREADABLE, "what": what, "do": DAMAGED, **told}
        super().__init__(what)


class Reader:
    """Walks a file once; writes arrays to `out` as it meets them. h5py's lower half, in a third of the time."""

    def __init__(self, out: IO[bytes], max_bytes: int, max_values: int) -> None:
        import h5py
        import numpy

        self.h5, self.np = h5py, numpy
        self.out = out
        self.at = 0
        self.left = {"bytes": max_bytes, "values": max_values, "characters": MAX_CHARACTERS}
        self.limit = dict(self.left)
        self.seen: set[int] = set()

    def file(self, path: str) -> Table:
        """The group /node of the file."""
        with self.h5.File(path, "r") as file:
            root = file["/"].id
            if b"node" not in root and b"layer" in root:
                do = "convert it: spikeport convert model.net -o net.h5"
                raise Refused("is a lava-dl network, and no NIR file", do=do, code=OTHER_KIND)
            if b"node" not in root or not self._is_group(found := self._member(root, "", "node")):
                raise Refused("is not a NIR file", got="no group /node", do="write it with nir.write", code=OTHER_KIND)
            return self._node(found, "/node", 0)

    def _node(self, group: Any, place: str, depth: int) -> Table:
        """A node's fields; those of a graph hold its nodes."""
        if depth > MAX_DEPTH:
            raise Refused("groups within groups", got=f"{depth}", relation="exceed", limit=f"{MAX_DEPTH}")
        table: Table = {}
        for name in _names(group, place):
            if name == "metadata":
                if depth == 0:
                    table[name] = self._notes(self._member(group, place, name), f"{place}/{name}")
                continue
            item = self._member(group, place, name)
            if not self._is_group(item):
                table[name] = self._value(item, f"{place}/{name}")
            elif name == "nodes":
                inside = f"{place}/nodes"
                table[name] = {inner: self._inner(item, inside, inner, depth + 2) for inner in _names(item, inside)}
            else:
                table[name] = {}  # no field of NIR is a group: whoever parses this node will say so
        return table

    def _inner(self, group: Any, place: str, name: str, depth: int) -> Any:
        item, inside = self._member(group, place, name), f"{place}/{name}"
        return self._node(item, inside, depth) if self._is_group(item) else self._value(item, inside)

    def _notes(self, metadata: Any, place: str) -> Table:
        """What spikeport's export left, its values alone; what other writers left is not read."""
        if not self._is_group(metadata) or b"spikeport" not in metadata:
            return {}
        notes, inside = self._member(metadata, place, "spikeport"), f"{place}/spikeport"
        if not self._is_group(notes):
            return {}
        items = {name: self._member(notes, inside, name) for name in _names(notes, inside)}
        return {"spikeport": {n: self._value(x, f"{inside}/{n}") for n, x in items.items() if not self._is_group(x)}}

    def _is_group(self, item: Any) -> bool:
        return isinstance(item, self.h5.h5g.GroupID)

    def _member(self, group: Any, place: str, name: str) -> Any:
        """The object of that name. No writer of NIR links, so links mean that something is wrong."""
        link = group.links.get_info(name.encode())
        if link.type != self.h5.h5l.TYPE_HARD:
            raise Refused(f"{place}/{name} links elsewhere")
        if link.u in self.seen:
            raise Refused(f"{place}/{name} is an object that has another name too")
        self.seen.add(link.u)
        return self.h5.h5o.open(group, name.encode())

    def _value(self, dataset: Any, place: str) -> Any:
        if not isinstance(dataset, self.h5.h5d.DatasetID):
            raise Refused(place, relation="is not", limit="a group or an array")
        if dataset.get_space().get_simple_extent_type() == self.h5.h5s.NULL:
            raise Refused(f"{place} holds nothing")
        shape, dtype = dataset.shape, dataset.dtype
        text = self.h5.check_string_dtype(dtype) is not None
        if not text and not self._is_plain(dataset, dtype):
            raise Refused(place, got=f"{dtype}", relation="is not", limit="plain numbers or text")
        self._check_layout(dataset, place, shape, dtype.itemsize)
        array = self.np.empty(shape, dtype)
        if text and array.size > MAX_TEXTS:
            raise Refused(place, got=f"{array.size} texts", relation="exceed", limit=f"{MAX_TEXTS}", code=TOO_LARGE)
        if array.size:
            dataset.read(self.h5.h5s.ALL, self.h5.h5s.ALL, array)
        if text:
            texts = [_decoded(place, x) for x in array.reshape(-1).tolist()]
            self._take(place, "characters", sum(map(len, texts)))
            return texts[0] if shape == () else ["text", shape, texts]
        self.out.write(bytes(-self.at % ALIGN))
        offset = self.at + -self.at % ALIGN
        self.out.write(array.reshape(-1).view(self.np.uint8).data)
        self.at = offset + array.nbytes
        return [dtype.str, shape, offset]

    def _is_plain(self, dataset: Any, dtype: Any) -> bool:
        """Exactly one of numpy's numbers: a damaged type converts to other values without a word."""
        known = dtype.kind in "fiubc" and dtype.subdtype is None and dtype.itemsize <= 8 * (1 + (dtype.kind == "c"))
        return known and bool(dataset.get_type().equal(self.h5.h5t.py_create(dtype, logical=True)))

    def _take(self, place: str, what: str, count: int) -> None:
        """Counts against a limit of the whole file."""
        self.left[what] -= count
        if self.left[what] < 0:
            limit = f"{self.limit[what]} in the file"
            raise Refused(place, got=f"{count} {what}", relation="exceed", limit=limit, code=TOO_LARGE)

    def _check_layout(self, dataset: Any, place: str, shape: tuple[int, ...], itemsize: int) -> None:
        """In this file, wholly written, and no more of it than the limits allow."""
        plist, h5d = dataset.get_create_plist(), self.h5.h5d
        size = prod(shape) * itemsize
        self._take(place, "values", prod(shape))
        self._take(place, "bytes", size)
        layout = plist.get_layout()
        if layout == h5d.VIRTUAL or plist.get_external_count():
            raise Refused(f"{place} lies in another file")
        if layout == h5d.CHUNKED:
            chunks = prod(-(-n // c) for n, c in zip(shape, plist.get_chunk(), strict=True))
            whole = dataset.get_num_chunks() == chunks
        else:
            whole = layout == h5d.COMPACT or dataset.get_storage_size() >= size
        if not whole:  # HDF5 would read the rest as zeros
            raise Refused(f"{place} is not wholly written")


def _names(group: Any, place: str) -> list[str]:
    try:
        names = [name.decode() for name in group]
    except UnicodeDecodeError:
        names = [""]
    if not all(name.isprintable() and 0 < len(name) < MAX_NAME for name in names):
        raise Refused(f"{place} holds a name that is not printable text of less than {MAX_NAME} characters")
    return names


def _decoded(place: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Refused(f"{place} is not UTF-8") from None


def _clean(message: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in message[:200])


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
        told = {"error": Refused("is not a readable NIR file", got=got, code=TOO_LARGE).told}
    except Exception as error:  # h5py raises whatever it likes on damaged files
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        lines = f"{error}".strip().splitlines() or [type(error).__name__]
        told = {"error": Refused("is not a readable NIR file", got=_clean(lines[0])).told}
    text = json.dumps(told).encode()
    out.write(text + struct.pack("<Q", len(text)) + MAGIC)
    out.flush()


def main() -> None:
    request = json.loads(sys.argv[1])
    confine(request["memory"], request["cpu_s"])
    sys.path += request["folders"]
    try:
        answer(request, sys.stdout.buffer)
    except OSError as error:
        if error.errno in NO_ROOM:
            os._exit(FULL)  # the interpreter's own end would try to write once more
        raise


if __name__ == "__main__":
    main()
