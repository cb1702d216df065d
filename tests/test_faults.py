"""What goes wrong from outside: a full disk, a worker that is killed, two runs at once, many runs.

A file size limit stands for the full disk: the write fails half way, as there.
"""

import gc
import gzip
import io
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from spikeport import Program, cli
from spikeport.deploy.child import GRACE_S, run_child
from spikeport.deploy.lava import Mode, run_lava
from spikeport.errors import FileError, WorkerError
from spikeport.lock import locked
from spikeport.program import LIF, Dense, Input, Output
from spikeport.program_file import save_program
from tests.cli.command import done
from tests.lava import lava_or_skip
from tests.processes import children, read, until


def program(n: int = 12) -> Program:
    rng = np.random.default_rng(0)
    connections = (
        Dense("input", "a", 2 * rng.integers(-60, 64, (n, n))),
        Dense("a", "b", 2 * rng.integers(-60, 64, (n, n))),
    )
    groups = tuple(LIF(name, (n,), du=4095, dv=500, vth=9, bias_mant=np.zeros(n, int)) for name in "ab")
    return Program(groups, connections, (Input("input", (n,), "spike"),), (Output("out", "b"),), latency=2)


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, made the working one, with a Program and an input."""
    monkeypatch.chdir(tmp_path)
    save_program(program(), tmp_path / "net.h5")
    spikes = np.random.default_rng(1).integers(0, 2, (200, 2, 12))
    np.savez(tmp_path / "x.npz", spikes=spikes)
    return tmp_path


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def limited(size: int, *words: str) -> tuple[int, str]:
    """Exit code and standard error of a command on a full disk, in this process."""
    err = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["spikeport", *words]),
        redirect_stdout(io.StringIO()),
        redirect_stderr(err),
        pytest.raises(SystemExit) as caught,
        full_disk(size),
    ):
        cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code, err.getvalue()


# ---------------------------------------------------------------- a full disk


@pytest.mark.parametrize("size", [0, 100, 600, 2048])
@pytest.mark.parametrize("output", ["y.npz", "y.h5"])
def test_a_run_on_a_full_disk_leaves_the_old_result(net: Path, size: int, output: str) -> None:
    """HDF5 itself would end the process by a signal, here or when the interpreter ends."""
    (net / output).write_text("old")
    before = sorted(net.iterdir())
    words = ("run", "net.h5", "--input", "x.npz", "-o", output, "--record", "a,b")
    want = f"error SP102: {output}: cannot be written (File too large); make room, or choose another folder\n"
    assert limited(size, *words) == (2, want)
    gc.collect()
    assert sorted(net.iterdir()) == before and (net / output).read_text() == "old"


@pytest.mark.parametrize("size", [0, 300, 700, 3000])
def test_a_program_that_does_not_fit_on_the_disk_leaves_the_old_one(net: Path, size: int) -> None:
    old = (net / "net.h5").read_bytes()
    with pytest.raises(FileError) as caught, full_disk(size):
        save_program(program(40), "net.h5")
    assert str(caught.value) == "net.h5: cannot be written (File too large); make room, or choose another folder"
    gc.collect()
    assert sorted(path.name for path in net.iterdir()) == ["net.h5", "x.npz"]
    assert (net / "net.h5").read_bytes() == old


@pytest.mark.parametrize("option", ["--html", "--csv"])
def test_a_page_on_a_full_disk_leaves_nothing(net: Path, option: str) -> None:
    want = "error SP102: page: cannot be written (File too large); make room, or choose another folder\n"
    done("energy", net / "net.h5", "--input", net / "x.npz")  # what numba compiles is on disk from then on
    assert limited(100, "energy", "net.h5", "--input", "x.npz", option, "page") == (2, want)
    assert sorted(path.name for path in net.iterdir()) == ["net.h5", "x.npz"]


def test_a_full_temporary_folder_is_no_fault_of_the_nir_file(net: Path) -> None:
    source = Path(__file__).parent / "vectors" / "nir" / "1.0.5_layers.nir.gz"
    (net / "net.nir").write_bytes(gzip.decompress(source.read_bytes()))
    do = "make room there, or name another folder in TMPDIR"
    want = f"error SP102: {tempfile.gettempdir()}: no room (reading net.nir); {do}\n"
    assert limited(100, "check", "net.nir") == (2, want)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [("profiles",), ("profiles", "--json")])
def test_standard_output_on_a_full_disk_is_one_line(words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "spikeport", *words]
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    want = "error SP102: standard output: cannot be written (No space left on device)\n"
    assert (found.returncode, found.stderr) == (2, want)


# ---------------------------------------------------------------- two at once


def test_two_trainings_in_one_folder_are_refused(tmp_path: Path) -> None:
    words = ("train", "digits", "-o", str(tmp_path / "run"), "--set", "train.epochs=1")
    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run"):
        code, err = limited(resource.RLIM_INFINITY, *words)
    do = "wait for it, or name another folder"
    holder = f"process {os.getpid()} on {socket.gethostname()}"
    assert (code, err) == (2, f"error SP108: {tmp_path / 'run'}: is in use by ({holder}); {do}\n")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["lock"]


def test_many_processes_that_write_one_file_leave_one_whole_file(net: Path) -> None:
    commands = [
        [sys.executable, "-m", "spikeport", "run", "net.h5", "--input", "x.npz", "-o", "y.h5", "--record", "a"]
        for _ in range(2)
    ]
    runs = [subprocess.Popen(c, cwd=net, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for c in commands]
    assert [run.communicate()[1] for run in runs] == [b""] * 2
    assert [run.returncode for run in runs] == [0] * 2
    alone = subprocess.run([*commands[0][:-3], "alone.h5", *commands[0][-2:]], cwd=net, capture_output=True)
    assert alone.returncode == 0
    assert sorted(path.name for path in net.iterdir()) == ["alone.h5", "net.h5", "x.npz", "y.h5"]
    assert (net / "y.h5").read_bytes() == (net / "alone.h5").read_bytes()


# ---------------------------------------------------------------- the worker


def test_a_worker_that_is_killed_is_named_with_its_signal() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(WorkerError) as caught:
        run_child([sys.executable, "-c", code], what="lava worker", timeout_s=20)
    do = "try again, with fewer samples if it took too much memory"
    assert str(caught.value) == f"lava worker: was ended (SIGKILL); {do}"


@pytest.mark.uncovered
def test_a_command_that_is_killed_with_its_worker_running_leaves_no_process(net: Path) -> None:
    """SIGTERM, as a batch system sends it: what the worker made goes as well."""
    lava_or_skip(download=False)
    command = [sys.executable, "-m", "spikeport", "run", "net.h5", "--input", "x.npz", "-o", "y.npz"]
    run = subprocess.Popen([*command, "--backend", "lava"], cwd=net, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: bool(children(run.pid)), 60)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=60)
    assert run.returncode != 0
    until(lambda: not children(run.pid), 2 * GRACE_S + 5)
    assert sorted(path.name for path in net.iterdir()) == ["net.h5", "x.npz"]


@pytest.mark.parametrize("mode", ["models", "runtime"])
def test_many_runs_on_lava_leave_no_process_memory_or_file(
    mode: Mode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many as SPIKEPORT_RUNS says."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    env = lava_or_skip(download=False)
    x = {"input": np.random.default_rng(2).integers(0, 2, (6, 1, 12))}
    want = run_lava(program(), x, env=env, mode=mode).traces["b"].s
    files, others, before = len(os.listdir("/proc/self/fd")), children(os.getpid()), orphans()
    for _ in range(int(os.environ.get("SPIKEPORT_RUNS", "3"))):
        assert np.array_equal(run_lava(program(), x, env=env, mode=mode).traces["b"].s, want)
        assert children(os.getpid()) == others and not list(tmp_path.iterdir())
        assert len(os.listdir("/proc/self/fd")) == files
    until(lambda: orphans() <= before, 5)  # others' memory may be there for a moment before it is mapped


def orphans() -> set[str]:
    """Shared memory under the names that Python gives, which no living process has mapped."""
    named = {path.name for path in Path("/dev/shm").glob("psm_*")}
    maps = "".join(text for path in Path("/proc").glob("[0-9]*/maps") if (text := read(path)))
    return {name for name in named if name not in maps}
