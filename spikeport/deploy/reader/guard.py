"""A NIR file as nested tables of plain values, read by a child process under limits of time, memory and size.

HDF5 keeps no checksum of most of what it holds, and its library believes what it reads: of 3,000 files with one
flipped bit two hung h5py 3.16 for good. What goes wrong in the child is one FileError here.
"""

import importlib.util
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

from spikeport.deploy.reader import child
from spikeport.errors import FileKind, FileTooLarge, FileUnreadable, FileUnwritable, no_file
from spikeport.errors.catalogue import CLASSES
from spikeport.program_file import FORMAT

CPU_S = 2
"""Of the child, and one more for each `BYTES_PER_S` of the file, 4 at most: it does not depend on who else runs. The
start takes 0.15 s."""
WALL_PER_CPU = 15
"""Seconds that may pass for each of those, start included: for a child that sleeps, or a machine that is busy."""
BYTES_PER_S = 1 << 21
MEMORY = 1 << 30
"""Of the child's addresses, h5py and numpy included, which take 110 MiB."""
MAX_BYTES = 1 << 28
"""Of all arrays of a file together; so many float32 are `MAX_VALUES`, and 512 MiB as float64."""
MAX_VALUES = 1 << 26
ENV = {"OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PRELOAD": "::"}
"""OpenBLAS takes memory for every thread; a filter that HDF5 does not know must not be looked for on disk."""
_TAIL = struct.calcsize("<Q") + len(child.MAGIC)


def read_tables(path: Path) -> dict[str, Any]:
    """The fields of the file's top node; a graph's `nodes` hold those of its nodes, and so on.

    Values are str, read-only arrays of numbers, lists of nested lists of str, and dictionaries for groups.

    Raises:
        FileError: missing, not HDF5, not NIR, damaged, larger than the limits, or the child came to grief over it.
    """
    if not path.is_file():
        raise no_file(path)
    _check_start(path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise FileTooLarge(
            str(path), "file", got=f"{size} bytes", relation="exceeds", limit=MAX_BYTES, do="make it less"
        )
    request = {
        "path": str(path.absolute()),
        "folders": folders(),
        "memory": MEMORY,
        "cpu_s": min(CPU_S + size // BYTES_PER_S, 4),
        "max_bytes": MAX_BYTES,
        "max_values": MAX_VALUES,
    }
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = run(request, out, err)
        if code == child.FULL:
            do = "make room there, or name another folder in TMPDIR"
            raise FileUnwritable(tempfile.gettempdir(), "no room", got=f"reading {path}", do=do)
        if code:
            raise FileUnreadable(str(path), "is not a readable NIR file", got=grief(code, err), do=child.DAMAGED)
        told, arrays = _opened(path, out)
    if "error" in told:
        raise CLASSES[told["error"].pop("code")](str(path), **told["error"])
    return _table(told["node"], arrays)


def _check_start(path: Path) -> None:
    """Raises FileKind for what its first bytes say is a Program or a zip file, which people name by mistake."""
    with path.open("rb") as file:
        start = file.read(len(FORMAT))
    if start == FORMAT.encode():
        do = "check, run, map and energy take it as it is"
        raise FileKind(str(path), "is a Program, compiled already, and no NIR file", do=do)
    if start.startswith(b"PK\x03\x04"):
        raise FileKind(str(path), "is a zip file, as of arrays or a bundle, and no NIR file", do="name the .nir file")


def run(request: dict[str, Any], out: IO[bytes], err: IO[bytes], script: str | None = None) -> int:
    """Runs the child to its end, or ends it; gives its exit code, the negative signal if a signal ended it.

    Args:
        request: With `cpu_s`, from which the limit of the clock follows.
        script: Another child than `child.py`, which takes the request alike.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, "-I", "-S", script or child.__file__, json.dumps(request)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=kept | ENV, start_new_session=True
    )
    # wait(timeout) would wake every 50 ms only
    timer = threading.Timer(wall_s(request), _end, [process.pid])
    timer.start()
    try:
        return process.wait()
    except BaseException:
        _end(process.pid)
        process.wait()
        raise
    finally:
        timer.cancel()


def wall_s(request: dict[str, Any]) -> float:
    return WALL_PER_CPU * max(1, request["cpu_s"])


def _end(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def folders() -> list[str]:
    """Where the child finds h5py and numpy: it starts without site-packages, in a third of the time."""
    specs = [importlib.util.find_spec(name) for name in ("numpy", "h5py")]
    return sorted({str(Path(spec.origin).parents[1]) for spec in specs if spec is not None and spec.origin})


def grief(code: int, err: IO[bytes]) -> str:
    """What became of a child that did not end well, for people."""
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        return "reading it took more than a few seconds, or was ended"
    if code < 0:
        return f"reading it ended with {signal.Signals(-code).name}"
    err.seek(0)
    lines = err.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else f"reading it ended with exit code {code}"


def _opened(path: Path, out: IO[bytes]) -> tuple[dict[str, Any], Any]:
    """The child's JSON, and the memory in which its arrays lie."""
    size = os.fstat(out.fileno()).st_size
    if size > _TAIL:
        data = mmap.mmap(out.fileno(), size, access=mmap.ACCESS_READ)
        (length,) = struct.unpack("<Q", data[size - _TAIL : size - len(child.MAGIC)])
        if data[size - len(child.MAGIC) :] == child.MAGIC and length <= size - _TAIL:
            return json.loads(data[size - _TAIL - length : size - _TAIL]), data
    raise FileUnreadable(str(path), "is not a readable NIR file", got="reading it gave nothing", do=child.DAMAGED)


def _table(value: Any, data: Any) -> Any:
    if isinstance(value, dict):
        return {name: _table(inner, data) for name, inner in value.items()}
    if isinstance(value, list):
        dtype, shape, at = value
        if dtype == "text":
            return np.array(at, dtype=object).reshape(shape)
        if not prod(shape):
            return np.zeros(shape, np.dtype(dtype))
        return np.frombuffer(data, np.dtype(dtype), prod(shape), at).reshape(shape)
    return value
