"""Files that are there whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from spikeport.errors import FileError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """The name of a temporary file beside `path`, renamed to it at the end; after an error nothing is left behind.

    Raises:
        FileError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        yield name
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileError(str(path), "cannot be written", got=error.strerror or error, do=do) from error
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Fails before long work rather than after it; a folder that was not there is left only if it can be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".spikeport-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileError(str(folder), "cannot be written", got=error.strerror, do=do) from error


@contextmanager
def replacing_folder(path: str | os.PathLike[str], names: Collection[str]) -> Iterator[Path]:
    """A temporary folder beside `path`, renamed to it at the end; after an error nothing is left behind.

    Args:
        names: Of files; a folder with others in it is not replaced.

    Raises:
        FileError: the folder cannot be written, the disk is full, or something else has that name.
    """
    path = Path(path)
    check_replaceable(path, names)
    made = None
    try:
        made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        yield made
        made.chmod(0o755)
        old = made / ".old"
        if path.exists():
            path.rename(old)
        try:
            made.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        shutil.rmtree(path / ".old", ignore_errors=True)
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileError(str(path), "cannot be written", got=error.strerror or error, do=do) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def check_replaceable(path: Path, names: Collection[str]) -> None:
    """Raises FileError if something is there that `replacing_folder` would not replace."""
    if path.exists() and not path.is_dir():
        raise FileError(str(path), "is no folder", do="name a new one")
    if others := {file.name for file in path.iterdir()} - {*names} if path.exists() else set():
        got, relation = min(others), "would be lost with the folder"
        raise FileError(str(path), "holds", got=got, relation=relation, do="name a new folder")
