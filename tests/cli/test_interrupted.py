"""Ctrl-C at any moment: exit 130 with one line, nothing half-written, no process left."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spikeport.autoencoder_file import save_bundle
from spikeport.deploy.netx import read_netx
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import save_program
from tests.deploy.netx.netfile import dense, spikes, write_net
from tests.lava import lava_or_skip
from tests.processes import children, read, until
from tests.trained.nets import read_trained

pytestmark = pytest.mark.uncovered
LINE = "interrupted\n"
N = 300
COMMANDS = {
    "run": ("run", "net.h5", "--input", "x.npz", "-o", "y.npz", "--record", "all"),
    "run, streamed": ("run", "net.h5", "--input", "x.npz", "-o", "y.h5", "--record", "all"),
    "energy": ("energy", "net.h5", "--input", "x.npz", "--html", "e.html", "--csv", "e.csv"),
    "bundle": ("bundle", "net.h5", "--input", "x.npz", "-o", "b.zip"),
    "map": ("map", "net.h5", "--input", "x.npz", "-o", "m.json", "--html", "m.html", "--search"),
    "report": ("report", "net.h5", "--input", "x.npz", "-o", "r.html"),
    "compile": ("compile", "net.nir", "-o", "c.h5", "--steps", "20", "--calibrate", "many.npz"),
    "generate": ("generate", "bundle", "--count", "100000", "-o", "g.npz"),
    "convert": ("convert", "big.net", "-o", "big.h5"),
}
SHORT = {
    "compile": ("compile", "net.nir", "-o", "c.h5", "--steps", "20", "--calibrate", "few.npz"),
    "report": ("report", "small.h5", "-o", "r.html"),
    "generate": ("generate", "bundle", "--count", "2", "-o", "g.npz", "--decoder-input", "d.npz"),
    "convert": ("convert", "small.net", "-o", "c.h5"),
    "convert, back": ("convert", "small.h5", "-o", "c.net"),
}
"""Work that is at its end soon."""

WHOLE = {"energy": {"e.csv"}}
"""What may be there already when Ctrl-C comes between two files."""


def long_work(folder: Path, samples: int) -> Path:
    """A Program, and an input on which it takes some seconds."""
    rng = np.random.default_rng(0)
    groups = tuple(LIF(name, (N,), du=4095, dv=500, vth=900, bias_mant=np.zeros(N, int)) for name in "ab")
    pairs = (("input", "a"), ("a", "b"))
    links = tuple(Dense(source, target, 2 * rng.integers(-60, 64, (N, N))) for source, target in pairs)
    program = Program(groups, links, (Input("input", (N,), "spike"),), (Output("out", "b"),), latency=2)
    save_program(program, folder / "net.h5")
    np.savez(folder / "x.npz", spikes=(rng.random((2000, samples, N)) < 0.1).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    from tests.bundles import small_bundle

    folder = long_work(tmp_path_factory.mktemp("given"), samples=60)
    net = next(net for net in read_trained() if net.name == "snntorch_digits_dense")
    (folder / "net.nir").symlink_to(net.graph)
    np.savez(folder / "few.npz", spikes=net.spikes[:, :5])
    np.savez(folder / "many.npz", spikes=np.tile(net.spikes, (1, 20, 1)))
    save_bundle(small_bundle(), folder / "bundle")
    rng = np.random.default_rng(0)
    for name, size in (("small", 3), ("big", 1500)):
        write_net(folder / f"{name}.net", spikes(size), dense(2 * rng.integers(-60, 60, (size, size))))
    save_program(read_netx(folder / "small.net"), folder / "small.h5")
    return folder


@pytest.fixture
def folder(given: Path, tmp_path: Path) -> Path:
    for file in given.iterdir():
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


def begun(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Started, and so far that it answers Ctrl-C as a command: its own modules are loaded."""
    command = [sys.executable, "-m", "spikeport", *words]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "h5py" in read(Path(f"/proc/{run.pid}/maps")) or run.poll() is not None, 60)
    return run


def stopped(run: "subprocess.Popen[str]") -> tuple[int, str, str]:
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    # CPython ends itself by the signal where it came inside an exec of text, as imports have it: a shell sees 130 too
    return 130 if run.returncode == -signal.SIGINT else run.returncode, out, err


@pytest.mark.parametrize("seconds", [0.0, 1.5])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_interrupted_leaves_nothing(folder: Path, name: str, seconds: float) -> None:
    before = sorted(folder.iterdir())
    run = begun(folder, *COMMANDS[name])
    time.sleep(seconds)
    ended = stopped(run)
    if ended[0] == 0:
        pytest.skip("it was done before")
    assert ended[:2] == (130, "") and ended[2].endswith(LINE)
    written = {path.name for path in folder.iterdir()} - {path.name for path in before}
    assert written <= WHOLE.get(name, set())


AT_THE_END = """
import os, signal, sys
replace = os.replace
def pressed(*names):
    signal.raise_signal(signal.SIGINT)
    replace(*names)
os.replace = pressed
from spikeport.cli import main
main()
"""


@pytest.mark.parametrize("name", SHORT)
def test_a_file_that_is_written_but_has_no_name_yet_is_gone(folder: Path, name: str) -> None:
    before = sorted(folder.iterdir())
    command = [sys.executable, "-c", AT_THE_END, *SHORT[name]]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", LINE)
    assert sorted(folder.iterdir()) == before


IMPORTING = """
import runpy, signal, sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Pressed())
sys.argv = ["spikeport", "doctor"]
{start}
"""
STARTS = (
    "runpy.run_module('spikeport', run_name='__main__')",
    "from spikeport.cli import main; main()",  # as the installed command does
)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("module", ["spikeport.cli.app", "typer", "spikeport.errors", "spikeport.commands.doctor"])
def test_ctrl_c_while_the_command_line_is_imported_is_one_line(module: str, start: str) -> None:
    command = [sys.executable, "-c", IMPORTING.format(module=module, start=start)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode in (130, -signal.SIGINT), run.stdout, run.stderr) == (True, "", LINE)


def test_nothing_is_imported_before_ctrl_c_is_one_line() -> None:
    code = "import sys; before = {*sys.modules}; import spikeport.cli; print(*{*sys.modules} - before)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {*ran.stdout.split()} == {"spikeport", "spikeport.cli"}


def test_what_was_there_stays(folder: Path) -> None:
    (folder / "y.npz").write_text("old")
    assert stopped(begun(folder, *COMMANDS["run"])) == (130, "", LINE)
    assert (folder / "y.npz").read_text() == "old"


def test_json_says_it_too(folder: Path) -> None:
    code, out, err = stopped(begun(folder, *COMMANDS["run"], "--json"))
    assert (code, err) == (130, LINE)
    assert '"message": "spikeport: interrupted"' in out and out.startswith('{"error": ')


def test_a_score_that_is_interrupted_goes_on(folder: Path) -> None:
    """What is there are whole shards."""
    words = ("score", "net.h5", "--data", "x.npz", "-o", "score", "--shard", "4")
    run = begun(folder, *words)
    until(lambda: len([*folder.glob("score/**/*.npz")]) > 1, 60)
    assert stopped(run) == (130, "", LINE)
    assert not [path for path in (folder / "score").rglob("*") if path.name.startswith(".")]
    again = subprocess.run(
        [sys.executable, "-m", "spikeport", *words, "--resume"], cwd=folder, capture_output=True, text=True
    )
    assert again.returncode == 0 and "is not whole" not in again.stderr


def test_lava_is_ended_with_the_command(folder: Path) -> None:
    lava_or_skip(download=False)
    before = sorted(folder.iterdir())
    run = begun(folder, *COMMANDS["run"], "--backend", "lava")
    until(lambda: bool(_lava_workers(run.pid)), 60)
    found = _lava_workers(run.pid)
    code, out, err = stopped(run)
    assert (code, out, err.splitlines()[-1:]) == (130, "", [LINE.strip()])
    until(lambda: not any("lava_worker" in read(Path(f"/proc/{pid}/cmdline")) for pid in found), 5)
    assert sorted(folder.iterdir()) == before


def _lava_workers(parent: int) -> list[int]:
    """Those that run a Program."""
    return [pid for pid in children(parent) if "--mode" in read(Path(f"/proc/{pid}/cmdline")).split("\0")]
