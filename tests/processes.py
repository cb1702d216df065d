"""What /proc says of other processes."""

import time
from collections.abc import Callable
from pathlib import Path


def ended(pid: int) -> bool:
    """Gone, or a zombie that its parent, the system's first process, has not yet asked about."""
    state = _fields(pid)[:1]
    return not state or state[0] in "ZX"


def children(parent: int) -> list[int]:
    """Living processes right below `parent`."""
    pids = (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if not ended(pid) and _fields(pid)[1:2] == [str(parent)]]


def _fields(pid: int) -> list[str]:
    """State, parent and so on; none if there is no such process."""
    return read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()


def read(path: Path) -> str:
    """Empty where there is no such file, or no longer."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
