"""What a run on a Loihi 2 needs of the machine, in the order in which it is missed.

Lava itself does not check: without lava-loihi its `Loihi2HwCfg` ends in a NameError (lava-nc 0.10.0, run_configs.py).
The variables are those that `lava.utils.loihi` sets and Intel's driver reads.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spikeport.deploy.child import Command, run_child
from spikeport.deploy.lava_env import INTERPRETER_VARIABLE, LavaEnv
from spikeport.errors import BoardMissing, WorkerError

CLOSED = ("lava.utils.loihi2_profiler", "lava.utils.loihi2_state_probes", "lava.proc.embedded_io", "nxcore")
"""Modules of lava-loihi that a run imports."""
GENERATIONS = ("N3B2", "N3B3", "N3C1", "N3D1")
"""Of the Loihi 2 in `lava.utils.loihi.ChipGeneration`."""
_PROBE = """
import importlib.util, json, sys
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
print(json.dumps({"version": sys.version.split()[0], "parts": [n for n in sys.argv[1:] if there(n)]}))
"""
_PROBE_S = 30.0
_SINFO_S = 10.0
JOIN = "Intel gives it to members of its research community (INRC)"


@dataclass(frozen=True)
class Need:
    """One thing that a run on the chip needs."""

    name: str
    found: str
    """"-": nothing."""
    do: str = ""
    """What the user can do; empty if it is there."""

    @property
    def met(self) -> bool:
        return not self.do


@dataclass(frozen=True)
class _Found:
    """What an interpreter says of itself."""

    version: str
    parts: tuple[str, ...]


def needs() -> tuple[Need, ...]:
    """All of them, met or not; nothing is run on a board."""
    return tuple(_needs(os.environ))


def chip_env() -> LavaEnv:
    """The interpreter that can drive the chip.

    Raises:
        LavaMissing: names the first thing that is missing.
    """
    for need in needs():
        if not need.met:
            do = f"{need.do}; 'spikeport doctor' lists all that a chip needs"
            raise BoardMissing("backend loihi", need.name, got=need.found, relation="is missing", do=do)
    path = _interpreter()
    found = None if path is None else _ask(path)
    assert path is not None and found is not None  # the first two needs
    return LavaEnv(found.version, path, "given")


def _needs(env: Mapping[str, str]) -> Iterator[Need]:
    path = _interpreter()
    known = None if path is None else _ask(path)
    version, parts = ("-", ()) if known is None else (known.version, known.parts)
    named = f"name the interpreter that has lava-loihi in {INTERPRETER_VARIABLE}"
    yield Need(
        "Python 3.10 for the chip", f"{version}, {path}" if known else "-", _unless(version[:5] == "3.10.", named)
    )
    yield Need("lava-nc", "found" if "lava.magma" in parts else "-", _unless("lava.magma" in parts, named))
    missing = [name for name in CLOSED if name not in parts]
    found = ", ".join(name for name in CLOSED if name in parts) or "-"
    yield Need("lava-loihi", found, _unless(not missing, f"install Intel's lava-loihi there; {JOIN}"))
    yield _generation(env.get("LOIHI_GEN", ""))
    yield from _board(env)


def _unless(met: bool, do: str) -> str:
    return "" if met else do


def _generation(value: str) -> Need:
    do = f"set it to your system's generation, one of {', '.join(GENERATIONS)}; most are N3B3"
    return Need("LOIHI_GEN", value or "-", _unless(value in GENERATIONS, do))


def _board(env: Mapping[str, str]) -> Iterator[Need]:
    """A host of one's own, or a board or partition of a SLURM cluster."""
    if host := env.get("NXSDKHOST"):
        yield Need("board", f"NXSDKHOST {host}")
        return
    chosen = [f"{name} {env[name]}" for name in ("BOARD", "PARTITION") if env.get(name)]
    do = "set NXSDKHOST to the address of your board's host, or PARTITION (or BOARD) to one that sinfo lists"
    yield Need("board", ", ".join(chosen) or "-", _unless(bool(chosen), do))
    yield _slurm(env)


def _slurm(env: Mapping[str, str]) -> Need:
    name = "SLURM partition"
    if shutil.which("sinfo") is None:
        return Need(name, "no sinfo", "log in to a host of the cluster, or set NXSDKHOST for a board of your own")
    try:
        rows = [line.split() for line in run_child(["sinfo", "-N"], what="sinfo", timeout_s=_SINFO_S).splitlines()[1:]]
    except WorkerError as error:
        return Need(name, str(error), "ask who runs the cluster: sinfo must answer")
    rows = [row for row in rows if len(row) >= 4]
    wanted, board = env.get("PARTITION", ""), env.get("BOARD", "")
    fitting = [row for row in rows if wanted in ("", row[2].rstrip("*")) and board in ("", row[0])]
    states = sorted({row[3] for row in fitting if "down" not in row[3]})
    listed = ", ".join(sorted({row[2].rstrip("*") for row in rows})) or "none"
    do = f"choose one that is up: sinfo lists {listed}"
    return Need(
        name, f"{wanted or board or 'any'}, {', '.join(states) or 'down or unknown'}", _unless(bool(states), do)
    )


def _interpreter() -> Path | None:
    """The one that is named, or the active environment's, or the PATH's."""
    if forced := os.environ.get(INTERPRETER_VARIABLE):
        return Path(forced)
    found = shutil.which("python3.10")
    return Path(found) if found else None


def _ask(path: Path) -> _Found | None:
    command: Command = [path, "-c", _PROBE, "lava.magma", *CLOSED]
    try:
        said = json.loads(run_child(command, what=str(path), timeout_s=_PROBE_S).splitlines()[-1])
        return _Found(said["version"], tuple(said["parts"]))
    except (WorkerError, ValueError, IndexError):
        return None
