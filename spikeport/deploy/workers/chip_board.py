"""The board: which one it is, and the classes of lava-loihi that drive it."""

import importlib
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lava_classes import LAVA

GAVE_UP = 75
"""Exit code where the board did not answer; EX_TEMPFAIL of sysexits.h."""
GRACE_S = 5
"""In which Lava may stop what it has started."""


@contextmanager
def patience(wait_s: float) -> Iterator[None]:
    """Ends the process where the board has not answered after so many seconds: Lava itself waits without end."""
    late: list[bool] = []

    def give_up(*_: Any) -> None:
        late.append(True)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(GAVE_UP))  # where stopping hangs too
        signal.alarm(GRACE_S)
        sys.stderr.write(f"board: no answer in {wait_s:g} s; another run may have it\n")
        raise SystemExit(GAVE_UP)

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, wait_s)
    try:
        yield
    finally:
        if not late:
            signal.setitimer(signal.ITIMER_REAL, 0)


def leave_nothing() -> None:
    """A process that is asked to end (SIGTERM) removes its temporary folders; those that Lava forks just end."""
    own = os.getpid()

    def end(number: int, _: Any) -> None:
        if os.getpid() != own:
            os._exit(128 + number)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


def connect_board(wait_s: float) -> dict[str, str]:
    """Lava's own functions set its variables; which board it is. SLURM queues for no longer than `wait_s`."""
    loihi = importlib.import_module("lava.utils.loihi")
    generation = loihi.ChipGeneration[os.environ.get("LOIHI_GEN", "N3B3")]
    host = os.environ.get("NXSDKHOST")
    if host:
        binary = os.environ.get("HOST_BINARY", "nxcore/bin/nx_driver_server")
        loihi.use_ethernet_host(host, binary, generation)
    else:
        for name in ("SLURM_IMMEDIATE", "SALLOC_IMMEDIATE"):  # option --immediate of srun and salloc
            os.environ.setdefault(name, str(max(1, math.floor(wait_s))))
        # Lava looks a name up in sinfo's lines and fails on the empty one behind the last (lava-nc 0.10.0, slurm.py)
        chosen = {name: os.environ[name] for name in ("BOARD", "PARTITION") if os.environ.get(name)}
        loihi.use_slurm_host(None, None, generation)
        os.environ.update(chosen)
    names = ("LOIHI_GEN", "NXSDKHOST", "BOARD", "PARTITION")
    return {name.lower(): os.environ[name] for name in names if os.environ.get(name)}


def load_classes() -> None:
    """What is not public, by name, beside what `load_lava` loads."""
    wanted = {
        "lava.proc.embedded_io.spike": ("PyToNxAdapter", "PyToN3ConvAdapter", "NxToPyAdapter"),
        "lava.utils.loihi2_state_probes": ("StateProbe",),
        "lava.utils.loihi2_profiler": ("Loihi2Power", "Loihi2ExecutionTime", "Loihi2Activity"),
        "lava.magma.core.run_configs": ("Loihi2HwCfg",),
    }
    for module, names in wanted.items():
        loaded = importlib.import_module(module)
        vars(LAVA).update({name: getattr(loaded, name) for name in names})
