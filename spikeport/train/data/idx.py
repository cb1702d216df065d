"""MNIST's IDX files: two zeros, 8 for uint8, the number of axes, their lengths (big endian), the values."""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged
from spikeport.train.data.places import AGAIN, content


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """An array of so many axes; a name that ends in .gz is of a compressed file.

    Raises:
        FileError: no such file, or not exactly one array of bytes.
    """
    raw = content(path)
    if path.suffix == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise DataSetDamaged(str(path), "is not whole gzip data", got=error, do=AGAIN) from error
    start = 4 + 4 * axes
    if len(raw) < start or raw[:4] != bytes([0, 0, 8, axes]):
        limit = bytes([0, 0, 8, axes]).hex()
        raise DataSetDamaged(str(path), "first bytes", got=raw[:4].hex(), relation="are not", limit=limit, do=AGAIN)
    shape = tuple(int(length) for length in np.frombuffer(raw, ">u4", axes, 4))
    size = start + int(np.prod(shape, dtype=object))
    if len(raw) != size:
        limit = f"{size:,} of an array of {' x '.join(map(str, shape))}"
        raise DataSetDamaged(
            str(path), "number of bytes", got=f"{len(raw):,}", relation="is not the", limit=limit, do=AGAIN
        )
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
