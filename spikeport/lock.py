"""One process at a time in a folder. The kernel drops the lock when its holder dies, however it dies."""

import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from spikeport.atomic import unwritten
from spikeport.errors import FileInUse, FileUnwritable

NAME = "lock"
HELD = (errno.EAGAIN, errno.EACCES)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds `folder/lock`, which says who does; it stays behind, empty.

    A lock left by a process of this host that is dead is taken over. One left by another host is not: whether that
    process is dead cannot be seen from here, and not every network file system carries locks between hosts.

    Raises:
        FileError: another process is at work in the folder, or it cannot be written.
    """
    path = folder / NAME
    try:
        file = path.open("a+")
    except OSError as error:
        raise unwritten(folder, error) from error
    with file:
        _take(path, file)
        _say(path, file, {"pid": os.getpid(), "host": socket.gethostname()})
        try:
            yield
        finally:
            _say(path, file, None)


def _take(path: Path, file: IO[str]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in HELD:
            raise FileUnwritable(
                str(path), "cannot be locked", got=error.strerror, do="name a folder elsewhere"
            ) from error
        do = "wait for it, or name another folder"
        raise FileInUse(str(path.parent), "is in use by", got=_shown(_holder(file)), do=do) from error
    left = _holder(file)
    if left and left.get("host") != socket.gethostname():
        do = f"if it no longer runs there, delete {path}"
        raise FileInUse(str(path.parent), "was left locked by", got=_shown(left), do=do)


def _holder(file: IO[str]) -> dict[str, Any]:
    """Who holds it, or held it last and was killed; empty if nobody did, or its line is not whole."""
    file.seek(0)
    try:
        said = json.loads(file.read(1000))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _shown(holder: dict[str, Any]) -> str:
    return f"process {holder['pid']} on {holder['host']}" if {"pid", "host"} <= holder.keys() else "another process"


def _say(path: Path, file: IO[str], holder: dict[str, Any] | None) -> None:
    try:
        file.truncate(0)
        file.write("" if holder is None else json.dumps(holder) + "\n")
        file.flush()
    except OSError as error:
        raise unwritten(path.parent, error) from error
