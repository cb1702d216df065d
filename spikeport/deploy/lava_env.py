"""Where Lava can run: an interpreter, and an environment with Lava in it.

Lava's last release wants Python 3.10 and numpy 1; spikeport runs on neither. In this order:

1. `SPIKEPORT_LAVA_PYTHON`, a path; used as it is if it has Lava installed.
2. Python 3.10 that is on the machine or that uv installs; `uv run --script` makes the environment.
3. Python 3.10, 3.11 or 3.12 with pip; the environment is a venv in the cache folder.
   The worker bridges the one line of Lava that Python 3.11 refuses.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from spikeport.deploy.child import Command, run_child
from spikeport.errors import LavaMissing, WorkerError
from spikeport.extras import install

WORKER = Path(__file__).with_name("workers") / "lava_worker.py"
"""A script; what it imports lies beside it and nowhere else, so the folder can be copied to where Lava is."""
INTERPRETER_VARIABLE = "SPIKEPORT_LAVA_PYTHON"
_PROBE = """
import importlib.util, json, sys
parts = [name for name in ("lava", "ensurepip") if importlib.util.find_spec(name)]
print(json.dumps({"version": ".".join(map(str, sys.version_info[:3])), "parts": parts}))
"""
_PROBE_S = 20.0
_DOWNLOAD_S = 300.0


@dataclass(frozen=True)
class LavaEnv:
    """An interpreter for Lava, and how Lava gets into its environment."""

    version: str
    """Its version, such as "3.10.13"."""
    path: Path
    how: Literal["given", "uv", "venv"]
    """`given`: the interpreter has Lava; `uv`, `venv`: `prepare` makes an environment from it."""


def find_lava(*, download: bool = True) -> LavaEnv:
    """The best interpreter for Lava on this machine. Installs no Lava: see `prepare`.

    Args:
        download: Whether uv may install a Python 3.10 if there is none.

    Raises:
        LavaMissing: there is none; the message says how to get one.
    """
    if forced := os.environ.get(INTERPRETER_VARIABLE):
        return _forced(Path(forced))
    uv = find_uv()
    if uv is not None:
        for path in chain(_interpreters("3.10", uv), _install_python(uv) if download else ()):
            if found := _probe(path, "3.10"):
                return LavaEnv(found["version"], path, "uv")
    for version in ("3.10", "3.11", "3.12"):
        for path in _interpreters(version, uv):
            if (found := _probe(path, version)) and "ensurepip" in found["parts"]:
                return LavaEnv(found["version"], path, "venv")
    raise LavaMissing(
        "lava",
        "no interpreter that can run it",
        got="looked for Python 3.10, 3.11 and 3.12",
        do=f"{install('lava')} brings uv, which installs one; or name one in {INTERPRETER_VARIABLE}",
    )


def prepare(env: LavaEnv, *, worker: Path = WORKER, timeout_s: float = 1200.0) -> Path:
    """The interpreter that has Lava installed. The first call downloads about 150 MB; later ones take no second.

    Raises:
        WorkerError: the environment cannot be made, for example without a network.
    """
    if env.how == "given":
        return env.path
    if env.how == "venv":
        return _prepare_venv(env, worker, timeout_s)
    uv = find_uv()
    if uv is None:
        raise LavaMissing("lava", "uv is gone", do=install("lava"))
    command: Command = [uv, "run", "--quiet", "--script", "--python", env.path, worker, "--check"]
    found = run_child(command, what="lava environment", timeout_s=timeout_s, cwd=cache_folder())
    return Path(json.loads(found.splitlines()[-1])["executable"])


def find_uv() -> Path | None:
    """uv's executable: of the Python package, or on the PATH."""
    if importlib.util.find_spec("uv") is not None:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    found = shutil.which("uv")
    return Path(found) if found else None


def _forced(path: Path) -> LavaEnv:
    found = _probe(path, "3.")
    if not found or found["version"].rsplit(".", 1)[0] not in ("3.10", "3.11", "3.12"):
        got = f"{path}, {found['version']}" if found else str(path)
        raise LavaMissing(INTERPRETER_VARIABLE, "interpreter", got=got, relation="is not", limit="Python 3.10 to 3.12")
    if "lava" in found["parts"]:
        return LavaEnv(found["version"], path, "given")
    return LavaEnv(found["version"], path, "uv" if find_uv() and found["version"].startswith("3.10.") else "venv")


def _interpreters(version: str, uv: Path | None) -> Iterator[Path]:
    """Where `python<version>` may be. A shim of pyenv is among them and will not answer the probe."""
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    for root in _pyenv_roots():
        yield from sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True)
    if uv is not None:
        yield from _ask([uv, "python", "find", "--no-python-downloads", version])


def _pyenv_roots() -> Iterator[Path]:
    if root := os.environ.get("PYENV_ROOT"):
        yield Path(root)
    if pyenv := shutil.which("pyenv"):
        yield from _ask([pyenv, "root"])
    yield Path.home() / ".pyenv"


def _install_python(uv: Path) -> Iterator[Path]:
    """Has uv fetch a Python 3.10 of its own; nothing if it cannot."""
    installed = list(_ask([uv, "python", "install", "--quiet", "3.10"], _DOWNLOAD_S, even_silent=True))
    if installed:
        yield from _ask([uv, "python", "find", "--no-python-downloads", "3.10"])


def _ask(command: Command, timeout_s: float = _PROBE_S, *, even_silent: bool = False) -> Iterator[Path]:
    """The path that a command prints; nothing if the command fails, for which there are many good reasons."""
    try:
        answer = run_child(command, what="lava", timeout_s=timeout_s).strip()
    except WorkerError:
        return
    if answer or even_silent:
        yield Path(answer)


def _probe(path: Path, version: str) -> dict[str, str] | None:
    """What the interpreter says of itself; None if it does not answer or is of another version."""
    try:
        found = json.loads(run_child([path, "-I", "-c", _PROBE], what=str(path), timeout_s=_PROBE_S))
    except (WorkerError, ValueError):
        return None
    return found if f"{found['version']}.".startswith(version if version.endswith(".") else f"{version}.") else None


def _prepare_venv(env: LavaEnv, worker: Path, timeout_s: float) -> Path:
    packages = requirements(worker)
    return make_venv(env.path, f"lava-{env.version}", packages, what="lava environment", timeout_s=timeout_s)


def make_venv(
    interpreter: Path, name: str, packages: Sequence[str], *, what: str, timeout_s: float, beside: Sequence[Path] = ()
) -> Path:
    """The interpreter of a venv in the cache folder, made once per interpreter and list of requirements.

    Args:
        packages: Every package with its version: there is no resolver, since Lava declares Python 3.10 only.
        what: Names it in errors.
        beside: Folders whose packages it sees as well; its own go first.

    Raises:
        WorkerError: it cannot be made.
    """
    made_of = " ".join([str(interpreter), *packages, *map(str, beside)])
    folder = cache_folder() / f"{name}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    with (cache_folder() / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first calls at once must not both make it
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            run_child([interpreter, "-m", "venv", folder], what=what, timeout_s=timeout_s)
            install: Command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-requires-python"]
            run_child([*install, *packages], what=what, timeout_s=timeout_s)
            for site in folder.glob("lib/python*/site-packages") if beside else ():
                (site / "beside.pth").write_text("".join(f"{path}\n" for path in beside))
            (folder / "ready").touch()
    return python


def requirements(worker: Path) -> list[str]:
    """The packages that the worker's inline metadata (PEP 723) names."""
    lines = worker.read_text().split("# /// script\n")[1].split("# ///\n")[0].splitlines()
    metadata = tomllib.loads("\n".join(line.removeprefix("#").removeprefix(" ") for line in lines))
    return list(metadata["dependencies"])


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("SPIKEPORT_CACHE") or Path(base) / "spikeport")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
