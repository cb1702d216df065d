"""Time and memory of what is done one after the other."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
FORGET_PEAK = "5"
"""Linux, proc_pid_clear_refs(5): the peak of resident memory is what is resident now."""


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Prints how long it took, and the most resident memory of the whole process meanwhile where Linux tells."""
    told = _forget_peak()
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    print(f"  {name:<9} {seconds:8.1f} s" + (f"  {_peak_bytes() / 2**30:6.2f} GiB" if told else ""), flush=True)


def _forget_peak() -> bool:
    try:
        CLEAR.write_text(FORGET_PEAK)
    except OSError:  # not Linux, or not allowed
        return False
    return True


def _peak_bytes() -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
