"""Files that are there whole or not at all."""

import errno
import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from types import FrameType
from typing import Any

from spikeport.errors import FileError, FileUnwritable, PathTaken

OLD = ".old"
"""Of a folder that is replaced: where it is until the new one has its place."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """The name of a temporary file beside `path`, renamed to it at the end; after an error nothing is left behind.

    Of a link, what it points to is replaced. A pipe or a device, as /dev/stdout, is filled at the end.

    Raises:
        FileError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    place, filled = Path(os.path.realpath(path)), is_stream(path)
    made = _beside(Path(tempfile.gettempdir(), path.name) if filled else place, path.suffix)
    try:
        made.touch(0o600, exist_ok=False)
        yield str(made)
        if filled:
            with made.open("rb") as whole, path.open("wb") as into:
                shutil.copyfileobj(whole, into)
        else:
            made.chmod(0o644)
            made.replace(place)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        with suppress(FileNotFoundError, NotADirectoryError):
            made.unlink()


def _beside(path: Path, suffix: str = "") -> Path:
    """A hidden name that nothing has; made by who takes it, so that Ctrl-C in between leaves nothing."""
    return path.parent / f".{path.name}.{secrets.token_hex(8)}{suffix}"


def is_stream(path: Path) -> bool:
    """Whether a pipe or a device is there, which a file must not take the place of."""
    return path.exists() and not path.is_file() and not path.is_dir()


def unwritten(path: Path, error: OSError) -> FileError:
    """What is said of a file or folder that cannot be written, by the system's reason."""
    full = error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
    do = "make room, or choose another folder" if full else "choose a folder that you may write to"
    return FileUnwritable(str(path), "cannot be written", got=error.strerror or error, do=do)


class Sink(FileIO):
    """A new file for HDF5, which takes the process down if a write fails: this one keeps the error.

    What comes after it is dropped, for the file is lost anyway. Ctrl-C waits until HDF5 has control no more.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, "w+")
        self.error: OSError | None = None
        self.interrupted = False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view) and self.error is None:
            try:
                done += super().write(view[done:])
            except OSError as error:
                self.error = error
        return len(view)

    def readinto(self, buffer: Any) -> int:
        """HDF5 reads what it wrote; of what was dropped it gets zeros."""
        view = memoryview(buffer).cast("B")
        found = super().readinto(view) or 0
        if self.error is not None:
            view[found:] = bytes(len(view) - found)
            return len(view)
        return found

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0


CALLED_BY_HDF5 = {function.__code__ for function in (Sink.write, Sink.readinto, Sink.truncate)}
AGAIN_S = 0.1
"""Until Ctrl-C comes again, where it had to wait or was lost: what is raised while an object is freed is ignored."""


@contextmanager
def _interrupts_later(sink: Sink) -> Iterator[None]:
    """An exception out of one of the sink's functions ends in HDF5, which goes on with a broken file."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # Ctrl-C does not come here
        return

    def ask(number: int, frame: FrameType | None) -> None:
        sink.interrupted = True
        threading.Timer(AGAIN_S, again).start()
        if not any(inner.f_code in CALLED_BY_HDF5 for inner in _frames(frame)):
            before(number, frame)

    def again() -> None:
        if sink.interrupted:
            signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGINT, ask)
    try:
        yield
        if sink.interrupted:
            sink.interrupted = False
            before(signal.SIGINT, None)
    finally:
        sink.interrupted = False
        signal.signal(signal.SIGINT, before)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


@contextmanager
def replacing_hdf5(path: str | os.PathLike[str]) -> Iterator[Sink]:
    """As `replacing`, but a file that h5py.File takes in place of a name.

    Raises:
        FileError: the folder cannot be written, or the disk is full.
    """
    with replacing(path) as name, Sink(name) as sink, _interrupts_later(sink):
        try:
            yield sink
        finally:
            if sink.error is not None:
                raise sink.error


def check_writable(folder: Path) -> None:
    """Fails before long work rather than after it; a folder that was not there is left only if it can be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".spikeport-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise unwritten(folder, error) from error


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
    made = _beside(path)
    old = made / OLD
    try:
        made.mkdir(0o700)
        yield made
        made.chmod(0o755)
        if path.exists():
            path.rename(old)
        made.rename(path)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        if old.exists():  # it was cut off between the two
            old.rename(path)
        for left in (made, path / OLD):
            shutil.rmtree(left, ignore_errors=True)


def check_replaceable(path: Path, names: Collection[str]) -> None:
    """Raises FileError if something is there that `replacing_folder` would not replace."""
    if path.exists() and not path.is_dir():
        raise PathTaken(str(path), "is no folder", do="name a new one")
    if others := {file.name for file in path.iterdir()} - {*names} if path.exists() else set():
        got, relation = min(others), "would be lost with the folder"
        raise PathTaken(str(path), "holds", got=got, relation=relation, do="name a new folder")
