"""Where a data set's files lie below the folder that a library was given."""

from collections.abc import Sequence
from pathlib import Path

from spikeport.errors import DataSetDamaged, DataSetMissing


def given(name: str, folder: Path | None) -> Path:
    """The folder, which is there.

    Raises:
        InputError: none was given.
        FileError: it is no folder.
    """
    if folder is None:
        do = "name the one that torchvision, tonic or npm keeps it in, as --data DIR"
        raise DataSetMissing(f"data {name}", "the folder is not given", do=do)
    if not folder.is_dir():
        raise DataSetMissing(str(folder), "is not a folder", do=f"name the folder that holds {name}")
    return folder


def found(name: str, folder: Path | None, known: Sequence[str]) -> Path:
    """The first of the known paths that is there below the folder.

    Raises:
        FileError: none of them; the message has them all.
    """
    folder = given(name, folder)
    for path in known:
        if (folder / path).exists():
            return folder / path
    raise DataSetMissing(str(folder), f"does not hold {name}", do="looked for " + ", ".join(known))


def content(path: Path, least: int = 0, most: int = 1 << 33) -> bytes:
    """A file's bytes.

    Raises:
        FileError: it is missing or unreadable, or not of `least` to `most` bytes.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if least <= size <= most else b""
    except OSError as error:
        raise DataSetDamaged(
            str(path), "cannot be read", got=error.strerror, do="keep the data set's files together"
        ) from error
    if not least <= size <= most:
        limit = f"{least:,}" if least == most else f"[{least:,}, {most:,}]"
        raise DataSetDamaged(str(path), "number of bytes", got=f"{size:,}", relation="is not", limit=limit, do=AGAIN)
    return raw


AGAIN = "the file is damaged or of another kind: fetch it again"
