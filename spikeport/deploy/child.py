"""A child process that leaves nothing behind: no process, no shared memory, no file.

Lava's runtime forks a process per Lava process, blocks for ever when one of them fails, and leaves them
behind when it is killed. So a child runs in its own session and carries a mark in its environment that
all its descendants inherit; whoever bears the mark when the child is done is ended as well.
"""

import os
import re
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeAlias

from spikeport.errors import WorkerError, WorkerTimeout
from spikeport.progress import Task, working

Command: TypeAlias = Sequence[str | Path]
MARK = "SPIKEPORT_CHILD"
DONE = "SPIKEPORT_DONE"
LOOK_S = 0.2
GRACE_S = 2.0  # Python's resource tracker outlives its process by some milliseconds
_SEGMENT = re.compile(r"(/dev/shm/psm_\w+)")  # the names that Python gives to shared memory


def run_child(
    command: Command,
    *,
    what: str,
    timeout_s: float,
    cwd: Path | None = None,
    extra: str = "",
    samples: int | None = None,
) -> str:
    """Runs a command to its end and gives its standard output.

    Args:
        what: Names the child in errors.
        extra: What the user can do if the time is up.
        samples: So many are to be done, of which the child tells by a byte each in the file DONE of its environment.

    Raises:
        WorkerError: the command cannot be started, ends with another code than 0, or the time is up.
    """
    mark = uuid.uuid4().hex
    # An interpreter of another version must not see this one's PYTHONPATH or PYTHONHOME.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env |= {MARK: mark, "OMP_NUM_THREADS": "1"}
    # Files, not pipes: a descendant that holds a pipe open would keep us waiting.
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.NamedTemporaryFile() as done,
        working(Path(what).name, samples, "samples" if samples else "") as task,
    ):
        env[DONE] = done.name
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=env, start_new_session=True
            )
        except OSError as error:
            raise WorkerError(what, "cannot be started", got=error.strerror) from error
        ended = False
        try:
            code = _awaited(process, timeout_s, Path(done.name), task)
            ended = True
        except subprocess.TimeoutExpired:
            late = WorkerTimeout(what, "time", got=f"{timeout_s:g} s", relation="is up", do=extra)
            late.said = _text(err)
            raise late from None
        finally:
            _end_family(process, mark, ended)
        if code < 0:
            do = "try again, with fewer samples if it took too much memory"
            raise WorkerError(what, "was ended", got=signal.Signals(-code).name, do=do)
        if code:
            said = _text(err)
            failed = WorkerError(what, "failed", got=_last_line(said), relation="with exit code", limit=code)
            failed.said = said
            raise failed
        return _text(out)


def _awaited(process: subprocess.Popen[bytes], timeout_s: float, done: Path, task: Task) -> int:
    """The exit code; tells meanwhile how many samples the child has done."""
    deadline, seen = time.monotonic() + timeout_s, 0
    while True:
        left = deadline - time.monotonic()
        try:
            return process.wait(min(LOOK_S, max(left, 0.0)))
        except subprocess.TimeoutExpired:
            if left <= LOOK_S:
                raise
        now = done.stat().st_size
        task.advance(now - seen)
        seen = now


def _end_family(process: subprocess.Popen[bytes], mark: str, ended: bool) -> None:
    """Ends whoever is left. They are asked first: srun then gives up its place in the queue."""
    if ended:
        _await_family(mark)
    segments = _signal_family(mark, signal.SIGTERM)
    _await_family(mark)
    while any(_family(mark)):
        segments |= _signal_family(mark, signal.SIGKILL)
        time.sleep(0.01)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # for systems without /proc
    process.wait()
    for segment in segments:
        Path(segment).unlink(missing_ok=True)


def _await_family(mark: str) -> None:
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and any(_family(mark)):
        time.sleep(0.01)


def _signal_family(mark: str, number: signal.Signals) -> set[str]:
    """Sends it to all, and gives the shared memory that they had."""
    family = list(_family(mark))
    segments = {segment for pid in family for segment in _segments(pid)}
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    return segments


def _family(mark: str) -> Iterator[int]:
    """Living processes that bear the mark; none where the system has no /proc."""
    sought = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or it is another user's
            if sought in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def _segments(pid: int) -> set[str]:
    with suppress(OSError):
        return set(_SEGMENT.findall(Path(f"/proc/{pid}/maps").read_text()))
    return set()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"
