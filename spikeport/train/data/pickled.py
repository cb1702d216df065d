"""The one array and the labels of a pickled CIFAR batch, read off the pickle's opcodes.

A pickle is a program. It is only listed here, by `pickletools.genops`; nothing in it runs and no object is made of it.
The batches are dictionaries of Python 2, so a byte string may stand as a string of Latin-1 letters.
"""

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged
from spikeport.train.data.places import AGAIN, content

_TEXT = frozenset(
    "SHORT_BINSTRING BINSTRING BINUNICODE SHORT_BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8".split()
)
_INTEGERS = frozenset(["BININT", "BININT1", "BININT2"])
_WITHIN = frozenset("MARK APPEND APPENDS BINPUT LONG_BINPUT MEMOIZE".split())
"""What stands between a list's integers."""

_ENCODING = "latin1"
"""Python 3 writes bytes at protocol 2 as a text and the name of its encoding."""

_SMALL = 1 << 11
"""Bytes up to which a string may be a key or a file's name; the array is far longer."""


@dataclass
class _Batch:
    labels: list[int] = field(default_factory=list)
    arrays: list[tuple[bytes, bool]] = field(default_factory=list)


def read_batch(path: Path, key: str, width: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The rows `(N, width)` of the batch's one array, and the labels `(N,)` under `key`.

    Raises:
        FileError: it is no pickle, or its array and labels are not of N images.
    """
    raw = content(path)
    try:
        batch = _scan(_operations(raw), key)
    except Exception as error:  # what a damaged pickle makes genops raise is up to its bytes
        raise DataSetDamaged(
            str(path), "is not a pickled batch", got=error, do=f"nothing in it was run; {AGAIN}"
        ) from error
    if len(batch.arrays) != 1:
        got, limit = len(batch.arrays), "1"
        raise DataSetDamaged(str(path), "number of arrays", got=got, relation="is not", limit=limit, do=AGAIN)
    values, by_column = batch.arrays[0]
    count = len(batch.labels)
    if not count or len(values) != count * width:
        limit = f"{count:,} x {width:,} that its {key} ask for"
        raise DataSetDamaged(
            str(path), "bytes of images", got=f"{len(values):,}", relation="are not the", limit=limit, do=AGAIN
        )
    rows = np.frombuffer(values, np.uint8).reshape((count, width), order="F" if by_column else "C")
    return rows, np.array(batch.labels, np.int64)


def _operations(raw: bytes) -> Iterator[tuple[str, Any]]:
    return ((code.name, value) for code, value, _ in pickletools.genops(raw))


def _scan(operations: Iterator[tuple[str, Any]], key: str) -> _Batch:
    """A list belongs to the text before it; an array's bytes are its one long text.

    The truth value before the bytes says whether the array lies by columns.
    """
    batch, last, listing, by_column = _Batch(), "", False, False
    for name, value in operations:
        if name in _TEXT:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if len(text) > _SMALL:
                batch.arrays.append((text.encode("latin-1"), by_column))
            last = last if text == _ENCODING else text
        elif name in _INTEGERS and listing:
            batch.labels.append(value)
        elif name == "EMPTY_LIST":
            listing = last == key
        elif name not in _WITHIN:
            listing = False
            by_column = name == "NEWTRUE" if name in ("NEWTRUE", "NEWFALSE") else by_column
    return batch
