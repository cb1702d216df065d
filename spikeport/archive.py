"""Zip archives of which every byte follows from the members: the same members give the same archive, everywhere.

Members are stored, not compressed, because libraries deflate the same data to different bytes. There are no times,
comments, extra fields or zip64 records. So whoever knows names and data can make the archive again and compare, and
believes no size that an archive claims. An npz of integers is written in the same way.
Layout after PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16; npy after numpy's format version 1.0.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import FileError, FileTooLarge, FileUnreadable

LOCAL = Struct("<4s5H3I2H")
CENTRAL = Struct("<4s6H3I5H2I")
END = Struct("<4s4H2IH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
MAX_BYTES = 2**32 - 1
"""Of an archive: 32 bits hold every size and place."""
_NEEDS = 20  # version of zip that can read it
_BY = 3 << 8 | _NEEDS  # made on Unix, so that the mode is read
_MODE = 0o100644 << 16
_DAY = 33  # 1980-01-01, the first day that zip knows
_NPY = b"\x93NUMPY\x01\x00"
_NPY_SAID = re.compile(r"\{'descr': '([<|][iu][1248])', 'fortran_order': False, 'shape': \(([\d, ]*)\)\} *\n")


UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    StopIteration,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy, zipfile and json raise on a damaged npz file with JSON in it."""


@dataclass(frozen=True)
class Span:
    """Bytes `start` to `end`, without `end`, of an archive, and what they are."""

    what: str
    start: int
    end: int


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """The archive with these members, in their order; names are ASCII.

    Raises:
        InputError: it would be larger than 4 GiB.
    """
    size = spans({name: len(data) for name, data in members.items()})[-1].end
    if size > MAX_BYTES:
        raise FileTooLarge("archive", "bytes", got=size, relation="exceed", limit=MAX_BYTES, do="take fewer samples")
    body, directory = bytearray(), bytearray()
    for name, data in members.items():
        said = (_NEEDS, 0, 0, 0, _DAY, zlib.crc32(data), len(data), len(data), len(name), 0)
        directory += CENTRAL.pack(CENTRAL_MARK, _BY, *said, 0, 0, 0, _MODE, len(body)) + name.encode("ascii")
        body += LOCAL.pack(LOCAL_MARK, *said) + name.encode("ascii")
        body += data
    end = END.pack(END_MARK, 0, 0, len(members), len(members), len(directory), len(body), 0)
    return bytes(body + directory + end)


def spans(sizes: Mapping[str, int]) -> list[Span]:
    """What each byte of an archive is, by the members' names and sizes: all of its bytes, in their order."""
    parts = []
    for name, size in sizes.items():
        parts += [(f"header of {name}", LOCAL.size + len(name)), (name, size)]
    parts += [(f"directory entry of {name}", CENTRAL.size + len(name)) for name in sizes]
    parts.append(("end record", END.size))
    ends = np.cumsum([0, *(size for _, size in parts)], dtype=object).tolist()
    return [Span(what, a, b) for (what, _), a, b in zip(parts, ends[:-1], ends[1:], strict=True)]


def npz_bytes(arrays: Mapping[str, NDArray[np.integer]]) -> bytes:
    """What `numpy.load` reads as these arrays, little-endian, without pickles."""
    return zip_bytes({f"{name}.npy": _npy_bytes(np.asarray(x)) for name, x in arrays.items()})


def npz_arrays(data: bytes, where: str) -> dict[str, NDArray[Any]]:
    """The arrays of what `npz_bytes` wrote; nothing is unpickled, and nothing is taken from memory on a claim.

    Raises:
        FileError: any byte is another than `npz_bytes` would write.
    """
    try:
        arrays = {name.removesuffix(".npy"): _npy_array(x) for name, x in _walk(data)}
        same = npz_bytes(arrays) == data
    except (ValueError, OverflowError) as error:
        raise FileError(where, "holds something other than arrays of integers") from error
    if not same:
        raise FileUnreadable(where, "is not an npz of integers, stored, each name once")
    return arrays


def _walk(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and data of each member, as far as its header can be read."""
    at = 0
    while data[at : at + 4] == LOCAL_MARK and len(data) >= at + LOCAL.size:
        *_, size, name, extra = LOCAL.unpack_from(data, at)
        at += LOCAL.size
        yield data[at : at + name].decode("latin-1"), data[at + name + extra : at + name + extra + size]
        at += name + extra + size


def _npy_bytes(x: NDArray[Any]) -> bytes:
    x = np.ascontiguousarray(x, x.dtype.newbyteorder("<")).reshape(x.shape)
    said = {"descr": x.dtype.str, "fortran_order": False, "shape": x.shape}
    text = f"{said!r}"
    text += " " * (-(len(_NPY) + 2 + len(text) + 1) % 64) + "\n"
    return _NPY + len(text).to_bytes(2, "little") + text.encode("ascii") + x.tobytes()


def _npy_array(data: bytes) -> NDArray[Any]:
    start = len(_NPY) + 2 + int.from_bytes(data[len(_NPY) : len(_NPY) + 2], "little")
    said = _NPY_SAID.fullmatch(data[len(_NPY) + 2 : start].decode("ascii"))
    if said is None:
        raise ValueError("npy")
    return np.frombuffer(data[start:], said[1]).reshape([int(n) for n in said[2].split(",") if n.strip()])
