"""How an interpreter for Lava is found, and how a worker that misbehaves is dealt with. Runs no Lava."""

import ast
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.deploy import lava_env
from spikeport.deploy.child import run_child
from spikeport.deploy.lava import run_lava
from spikeport.deploy.lava_env import WORKER, LavaEnv, find_lava, prepare
from spikeport.errors import DeployError, InputError, LavaMissing, WorkerError
from spikeport.program import LIF, Dense, Input, Output, Program
from tests.lava import lava_or_skip
from tests.processes import ended

HERE = LavaEnv("3.11", Path(sys.executable), "given")
PROGRAM = Program(
    groups=(LIF("g", (1,), du=0, dv=0, vth=1, bias_mant=np.zeros(1, np.int64)),),
    connections=(Dense("x", "g", np.ones((1, 2), np.int64)),),
    inputs=(Input("x", (2,), "spike"),),
    outputs=(Output("y", "g"),),
)
SPIKES = {"x": np.ones((3, 1, 2), np.int64)}


# Finding an interpreter ----------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with nothing on it: no uv, no Python but this test's, which claims to be 3.13."""
    for variable in ("SPIKEPORT_LAVA_PYTHON", "PYENV_ROOT", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    monkeypatch.setattr(lava_env, "find_uv", lambda: None)
    monkeypatch.setattr(sys, "executable", str(interpreter(tmp_path / "own" / "python", "3.13.0")))
    yield tmp_path


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def interpreter(path: Path, version: str, *parts: str) -> Path:
    """A script that answers the probe as a Python of that version would."""
    listed = ", ".join(f'"{part}"' for part in parts or ("ensurepip",))
    return script(path, f"""echo '{{"version": "{version}", "parts": [{listed}]}}'""")


def fake_uv(machine: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    uv = script(machine / "uv", body)
    monkeypatch.setattr(lava_env, "find_uv", lambda: uv)


def test_python_310_with_uv_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_uv(machine, monkeypatch, "exit 1")
    interpreter(machine / "bin" / "python3.11", "3.11.7")
    wanted = interpreter(machine / "bin" / "python3.10", "3.10.13")
    assert find_lava() == LavaEnv("3.10.13", wanted, "uv")


@pytest.mark.parametrize("root", [".pyenv", "elsewhere"])
def test_behind_a_shim_that_does_not_answer_pyenvs_folder_is_searched(
    machine: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    fake_uv(machine, monkeypatch, "exit 1")
    script(machine / "bin" / "python3.10", "echo 'pyenv: python3.10: command not found' >&2; exit 127")
    if root != ".pyenv":
        monkeypatch.setenv("PYENV_ROOT", str(machine / root))
    wanted = interpreter(machine / root / "versions" / "3.10.13" / "bin" / "python", "3.10.13")
    assert find_lava() == LavaEnv("3.10.13", wanted, "uv")


def test_uv_installs_one_where_there_is_none(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    managed = machine / "managed" / "python"
    answer = """{"version": "3.10.20", "parts": ["ensurepip"]}"""
    body = f"""
    if [ "$2" = install ]; then /bin/mkdir -p {managed.parent}; printf '#!/bin/sh\\necho '"'"'{answer}'"'" > {managed}
    /bin/chmod +x {managed}; exit 0; fi
    [ -e {managed} ] && echo {managed}"""
    fake_uv(machine, monkeypatch, body)
    interpreter(machine / "bin" / "python3.11", "3.11.7")
    assert find_lava(download=False).how == "venv"
    assert find_lava() == LavaEnv("3.10.20", managed, "uv")


@pytest.mark.parametrize("version", ["3.10.13", "3.11.7", "3.12.1"])
def test_without_uv_any_python_up_to_312_serves(machine: Path, version: str) -> None:
    wanted = interpreter(machine / "bin" / f"python{version.rsplit('.', 1)[0]}", version)
    assert find_lava() == LavaEnv(version, wanted, "venv")


def test_a_python_that_cannot_make_a_venv_is_passed_over(machine: Path) -> None:
    interpreter(machine / "bin" / "python3.11", "3.11.7", "nothing")
    wanted = interpreter(machine / "bin" / "python3.12", "3.12.1")
    assert find_lava().path == wanted


def test_nothing_found_is_one_line_that_says_how_to_get_one(machine: Path) -> None:
    with pytest.raises(LavaMissing, match=r"^lava: no interpreter .*pip install .*\[lava\]' brings uv") as caught:
        find_lava()
    assert "\n" not in str(caught.value)


def test_the_variable_forces_an_interpreter(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(machine / "bin" / "python3.11", "3.11.7")
    forced = interpreter(machine / "mine", "3.12.4", "lava", "ensurepip")
    monkeypatch.setenv("SPIKEPORT_LAVA_PYTHON", str(forced))
    assert find_lava() == LavaEnv("3.12.4", forced, "given")
    assert prepare(find_lava()) == forced


@pytest.mark.parametrize("version", [None, "3.9.18", "3.13.0"])
def test_a_forced_interpreter_that_will_not_do_is_refused(
    machine: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    path = interpreter(machine / "mine", version) if version else machine / "missing"
    monkeypatch.setenv("SPIKEPORT_LAVA_PYTHON", str(path))
    with pytest.raises(LavaMissing, match=r"SPIKEPORT_LAVA_PYTHON.*is not Python 3\.10 to 3\.12"):
        find_lava()


def test_an_environment_that_cannot_be_made_says_why(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_uv(machine, monkeypatch, "echo first >&2; echo 'error: no network' >&2; exit 2")
    env = LavaEnv("3.10.13", machine / "python", "uv")
    with pytest.raises(WorkerError, match=r"^lava environment: failed \(error: no network\) with exit code 2$"):
        prepare(env)


def test_the_cache_follows_the_platform(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lava_env.cache_folder() == machine / "cache"
    monkeypatch.delenv("SPIKEPORT_CACHE")
    assert lava_env.cache_folder() == machine / ".cache" / "spikeport"
    monkeypatch.setenv("XDG_CACHE_HOME", str(machine / "xdg"))
    assert lava_env.cache_folder() == machine / "xdg" / "spikeport"


def test_a_half_made_venv_is_made_again(machine: Path) -> None:
    """The fake interpreter makes a venv whose python is a script that logs its calls."""
    log = machine / "log"
    body = f"""
    /bin/mkdir -p $3/bin; printf '#!/bin/sh\\necho "$@" >> {log}\\n' > $3/bin/python; /bin/chmod +x $3/bin/python"""
    env = LavaEnv("3.11.7", script(machine / "python", body), "venv")
    python = prepare(env)
    assert prepare(env) == python
    assert log.read_text().count("pip install") == 1
    (python.parents[1] / "ready").unlink()
    prepare(env)
    assert log.read_text().count("--no-deps --ignore-requires-python") == 2
    assert "lava-nc==0.10.0" in log.read_text()


# The workers' own files ----------------------------------------------------------------------------------------

SCRIPTS = sorted(WORKER.parent.glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_workers_need_nothing_of_spikeport_and_python_310(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 10))
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
    assert not [name for name in names if name.startswith("spikeport")]


def test_no_file_of_the_workers_hides_a_module_of_python_or_lava() -> None:
    """A script's own folder comes first on its path."""
    top_level = {
        "lava",
        "nxcore",
        "numpy",
        "scipy",
        "h5py",
        "networkx",
        "asteval",
        "joblib",
        "sklearn",
        "threadpoolctl",
    }
    assert not {path.stem for path in SCRIPTS} & (top_level | sys.stdlib_module_names)


@pytest.mark.parametrize("name", ["lava_worker.py", "loihi_worker.py"])
def test_a_copied_worker_finds_what_lies_beside_it_from_any_folder(tmp_path: Path, name: str) -> None:
    env = lava_or_skip(download=False)
    shutil.copytree(WORKER.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lava.py").write_text("raise SystemExit(9)")  # not on the path of a script
    command = [prepare(env), tmp_path / "copy" / name, "--help"]
    assert "usage" in run_child(command, what=name, timeout_s=60, cwd=tmp_path / "elsewhere")


def test_the_worker_pins_every_package() -> None:
    found = lava_env.requirements(WORKER)
    assert "lava-nc==0.10.0" in found and "lava-dl==0.6.0" in found
    assert all("==" in requirement for requirement in found)


# A worker that misbehaves --------------------------------------------------------------------------------------


@pytest.fixture
def fake_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a worker; temporary files go where the test can look for what is left of them."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))

    def write(body: str) -> Path:
        path = tmp_path / "worker.py"
        path.write_text(body)
        return path

    return write


FAMILY = """
import multiprocessing, os, subprocess, sys, time
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
memory = SharedMemory(create=True, size=4096)
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
child.start()
stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
Path({notes!r}).write_text(f"{{memory.name}} {{os.getpid()}} {{child.pid}} {{stray.pid}}")
"""


def left_over(notes: Path) -> list[str]:
    segment, *pids = notes.read_text().split()
    alive = [pid for pid in pids if not ended(int(pid))]
    return alive + ([segment] if Path("/dev/shm", segment).exists() else [])


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")


@needs_proc
def test_a_worker_that_hangs_is_ended_with_its_children_and_shared_memory(
    tmp_path: Path, fake_worker: Callable[[str], Path]
) -> None:
    notes = tmp_path / "notes"
    worker = fake_worker(FAMILY.format(notes=str(notes)) + "time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(WorkerError, match=r"^lava worker: time \(2 s\) is up; raise the time limit"):
        run_lava(PROGRAM, SPIKES, env=HERE, worker=worker, timeout_s=2)
    assert time.monotonic() - start < 50  # and not after its 60
    assert left_over(notes) == []
    assert list((tmp_path / "temp").iterdir()) == []


@needs_proc
def test_a_worker_that_dies_leaves_no_children_behind(tmp_path: Path, fake_worker: Callable[[str], Path]) -> None:
    notes = tmp_path / "notes"
    worker = fake_worker(FAMILY.format(notes=str(notes)) + "os.kill(os.getpid(), 9)")
    with pytest.raises(WorkerError, match=r"was ended \(SIGKILL\); try again"):
        run_lava(PROGRAM, SPIKES, env=HERE, worker=worker)
    assert left_over(notes) == []


def test_a_crash_is_one_line_with_the_last_word_of_the_worker(fake_worker: Callable[[str], Path]) -> None:
    worker = fake_worker("raise ValueError('float du\\nhas no bits')")
    with pytest.raises(WorkerError) as caught:
        run_lava(PROGRAM, SPIKES, env=HERE, worker=worker)
    assert str(caught.value) == "lava worker: failed (has no bits) with exit code 1"


def test_a_worker_that_writes_nothing_is_told_from_one_that_did(fake_worker: Callable[[str], Path]) -> None:
    with pytest.raises(WorkerError, match="^lava worker: wrote no result"):
        run_lava(PROGRAM, SPIKES, env=HERE, worker=fake_worker(""))


def test_an_interpreter_that_is_gone_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=r"^lava worker: cannot be started \(No such file or directory\)$"):
        run_lava(PROGRAM, SPIKES, env=LavaEnv("3.10", tmp_path / "gone", "given"))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"refractory_steps": 3}, "refractory_steps"),
        ({"reset": "subtract"}, "soft reset"),
        ({"vth_low": -1, "reset_interval": 4}, "reset_interval together with vth_low"),
    ],
)
def test_what_lava_has_no_model_of_is_refused_before_anything_starts(changes: dict[str, Any], what: str) -> None:
    program = replace(PROGRAM, groups=(replace(PROGRAM.groups[0], **changes),))
    with pytest.raises(DeployError) as caught:
        run_lava(program, SPIKES, env=HERE)
    do = "simulate it: no model of Lava can say what it does"
    assert str(caught.value) == f"g: {what} has no fixed-point model in Lava; {do}"


def test_inputs_are_checked_before_anything_starts() -> None:
    with pytest.raises(InputError, match="input: names"):
        run_lava(PROGRAM, {"y": SPIKES["x"]}, env=HERE)
    for wrong in (np.ones((3, 2), np.int64), np.ones((3, 1, 3), np.int64), np.ones((3, 1, 2))):
        with pytest.raises(InputError, match=r"input x: array .* is not integers \(T, B, 2\)"):
            run_lava(PROGRAM, {"x": wrong}, env=HERE)
