"""Files of pictures: `images.npz` in, `images.npz` or a sheet of them as PNG out."""

from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spikeport.atomic import replacing
from spikeport.commands.samples import check_file_writable, read_npz, write_npz
from spikeport.errors import FileError, UnknownName, WrongShape

Pictures = NDArray[np.uint8]
SUFFIXES = (".npz", ".png")
MARGIN = 2
"""Pixels between the pictures of a sheet."""


def read_pictures(path: Path) -> NDArray[np.integer[Any]]:
    """The array `images`, `(B, c, h, w)`; raises FileError if there is none."""
    arrays = read_npz(path)
    if "images" not in arrays:
        raise FileError(str(path), "holds no array", got="'images'", do="write 8-bit pictures (B, c, h, w) as 'images'")
    return arrays["images"]


def check_pictures_writable(path: Path, channels: int) -> None:
    """Fails before long work: an unknown ending, a folder that cannot be written, or colours that PNG does not have."""
    if path.suffix not in SUFFIXES:
        raise UnknownName(str(path), "ending", got=path.suffix, relation="is not one of", limit=", ".join(SUFFIXES))
    if path.suffix == ".png" and channels not in (1, 3):
        raise WrongShape(str(path), "channels", got=channels, relation="are not", limit="1 or 3", do="write .npz")
    check_file_writable(path)


def write_pictures(path: Path, rows: tuple[Pictures, ...], arrays: Mapping[str, NDArray[Any]]) -> None:
    """
    Args:
        path: PNG: the sheet. npz: the arrays.
        rows: Pictures `(B, c, h, w)`; of several, each row of the sheet has one of the second below one of the first.
    """
    if path.suffix == ".npz":
        write_npz(path, arrays)
        return
    with replacing(path) as name:
        Image.fromarray(sheet(rows)).save(name, format="PNG")


def sheet(rows: tuple[Pictures, ...]) -> Pictures:
    """Pictures side by side, about as many as one below the other: `(height, width)`, or with 3 colours."""
    batch, channels, h, w = rows[0].shape
    across = max(1, isqrt(batch * len(rows) - 1) + 1)
    down = -(-batch // across)
    found = np.full((down, len(rows), h + MARGIN, across, w + MARGIN, channels), 255, np.uint8)
    for k, pictures in enumerate(rows):
        for n, picture in enumerate(pictures):
            found[n // across, k, :h, n % across, :w] = picture.transpose(1, 2, 0)
    whole = found.reshape(down * len(rows) * (h + MARGIN), across * (w + MARGIN), channels)
    return whole[:-MARGIN, :-MARGIN].squeeze(-1) if channels == 1 else whole[:-MARGIN, :-MARGIN]
