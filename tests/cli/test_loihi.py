"""`--backend loihi` on the command line: without a chip, dry, and on a machine with stand-ins; and what is done with
a board's run, with differences that were put in."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport.cli import main
from spikeport.deploy.loihi_machine import CLOSED
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate
from spikeport.sim.board_run import BoardRun, save_board_run
from tests.cli.command import in_child as spikeport
from tests.cli.schemas import SCHEMAS, faults
from tests.deploy.fake_board import fake_machine
from tests.deploy.test_lava import script
from tests.lava import lava_or_skip
from tests.processes import ended, until

Within = Callable[..., subprocess.CompletedProcess[str]]
Recorded = dict[str, dict[str, np.ndarray]]
NOTHING = {"SPIKEPORT_LAVA_PYTHON": "/nowhere/python", "NXSDKHOST": "", "PARTITION": "", "BOARD": "", "LOIHI_GEN": ""}


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator) -> Path:
    """`net.h5` of two layers and `x.npz`, three samples of ten steps."""
    groups = (
        LIF("lif1", (5,), 4095, 512, 20, np.zeros(5, np.int16), reset_interval=16, reset_offset=2),
        LIF("lif2", (3,), 1024, 0, 30, np.zeros(3, np.int16), reset_interval=16, reset_offset=3),
    )
    links = (
        Dense("x", "lif1", 2 * rng.integers(-5, 9, (5, 4))),
        Dense("lif1", "lif2", 2 * rng.integers(-5, 9, (3, 5))),
    )
    program = Program(groups, links, (Input("x", (4,), "spike"),), (Output("y", "lif2", classes=3),), latency=2)
    save_program(program, tmp_path / "net.h5")
    np.savez(tmp_path / "x.npz", spikes=rng.integers(0, 2, (10, 3, 4)))
    return tmp_path


def made(files: Path, change: Callable[[Recorded], object] = lambda recorded: None, **tables: Any) -> Path:
    """A board's run that the simulator made, as a chip writes it down, with something changed."""
    program = load_program(files / "net.h5")
    with np.load(files / "x.npz") as file:
        traces = simulate(program, file["spikes"], record=["lif1", "lif2"], engine="reference").traces
    recorded: Recorded = {}
    for name, trace in traces.items():
        assert np.any(trace.s)
        recorded[name] = {"u": trace.u.copy(), "v": np.where(trace.s != 0, 128, trace.v), "s": trace.s.copy()}
    change(recorded)
    save_board_run(files / "y.h5", program, BoardRun(recorded, {"board": {"name": "made"}}, **tables))
    return files / "y.h5"


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Within:
    """The command line in this process, which spares its start."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["spikeport", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return subprocess.CompletedProcess(sys.argv, int(ended.value.code or 0), *capsys.readouterr())

    return run


def given(files: Path) -> tuple[object, ...]:
    return files / "net.h5", "--input", files / "x.npz"


# Without a chip ------------------------------------------------------------------------------------------------


def test_without_a_chip_one_line_names_the_first_thing_that_is_missing(files: Path) -> None:
    before = sorted(files.iterdir())
    ran = spikeport("run", *given(files), "--backend", "loihi", "-o", files / "y.h5", **NOTHING)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1 and "NameError" not in ran.stderr
    assert ran.stderr.startswith(
        "error SP623: backend loihi: Python 3.10 for the chip (-) is missing; name the interpreter"
    )
    assert ran.stderr.rstrip().endswith("'spikeport doctor' lists all that a chip needs")
    assert sorted(files.iterdir()) == before


def test_doctor_lists_everything_that_a_chip_needs() -> None:
    ran = spikeport("doctor", "--json", **NOTHING)
    assert ran.returncode == 0, ran.stderr
    checks = {check["name"]: check for check in json.loads(ran.stdout)["checks"]}
    needed = ["Python 3.10 for the chip", "lava-nc", "lava-loihi", "LOIHI_GEN", "board", "SLURM partition"]
    assert list(checks)[-len(needed) :] == needed
    assert all(checks[name]["status"].startswith("missing; --backend loihi: ") for name in needed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--backend", "lava", "--dry-run"), "--dry-run and --power are for --backend loihi"),
        (("--power",), "--dry-run and --power are for --backend loihi"),
        (("--backend", "loihi", "--state-out", "s.npz"), "backend loihi: run cannot be cut"),
        (("--backend", "loihi", "--dry-run", "--profile", "loihi1"), "is not the arithmetic of Loihi 2"),
        (("--backend", "loihi", "--record", "lif9"), "record: group (lif9) is not one of lif1, lif2"),
        (("--backend", "loihi2"), "is not one of sim, lava, loihi"),
    ],
)
def test_what_cannot_be_asked_of_a_board_is_refused(
    files: Path, within: Within, arguments: tuple[str, ...], message: str
) -> None:
    ran = within("run", *given(files), *arguments)
    assert ran.returncode == 2 and message in ran.stderr, ran.stderr


def test_a_dry_run_fails_on_what_the_chip_cannot_have(files: Path, within: Within) -> None:
    program = load_program(files / "net.h5")
    lif = LIF("lif1", (5,), 4095, 512, 20, np.zeros(5, np.int16), reset_interval=10, reset_offset=2)
    wrong = Program((lif, program.groups[1]), program.connections, program.inputs, program.outputs, latency=2)
    save_program(wrong, files / "wrong.h5")
    ran = within("run", files / "wrong.h5", "--input", files / "x.npz", "--backend", "loihi", "--dry-run")
    assert ran.returncode == 1
    assert "network (reset_intervals_are_powers_of_two at lif1: 10 against 16) does not fit loihi2" in ran.stderr


def test_a_dry_run_shows_processes_adapters_and_probes(files: Path, within: Within) -> None:
    lava_or_skip(download=False)
    ran = within("run", *given(files), "--backend", "loihi", "--dry-run", "--record", "lif1")
    assert ran.returncode == 0, ran.stderr
    for shown in ("LIFReset", "PyToNxAdapter", "NxToPyAdapter", "StateProbe", "lif1/u", "12 steps, 2 of them latency"):
        assert shown in ran.stdout
    assert "nothing ran" in ran.stdout and not (files / "y.npz").exists()


# On a machine with stand-ins -----------------------------------------------------------------------------------


def test_a_board_runs_and_its_run_is_verified(files: Path, tmp_path: Path, within: Within) -> None:
    board = fake_machine(tmp_path / "machine").environment
    with np.load(files / "x.npz") as file:
        np.savez(files / "x.npz", spikes=file["spikes"][:, :1], labels=np.array([1]))
    asked = ("--backend", "loihi", "--record", "all", "--power", "-o", files / "y.h5", "--accuracy")
    ran = spikeport("run", *given(files), *asked, "--json", **board)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["steps"], found["samples"], found["board"]["nxsdkhost"]) == (10, 1, "10.0.0.7")
    assert [found["offsets"][name] for name in ("input", "output", "probe")] == [1, 2, 1]
    assert [*faults(found, SCHEMAS["run"])] == []
    assert (
        found["accuracy"]
        == json.loads(within("run", *given(files), "-o", files / "s.npz", "--json").stdout)["accuracy"]
    )
    verified = within("verify", *given(files), "--run", files / "y.h5", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["values"] == 12 * 3 * 8  # u, v, s of 8 neurons at 12 steps
    assert [*faults(json.loads(verified.stdout), SCHEMAS["verify-run"])] == []
    assert spikeport("doctor", "--json", **board).stdout.count("missing; --backend loihi") == 0
    priced = within("energy", *given(files), "--activity", files / "y.h5", "--json")
    measured = json.loads(priced.stdout)["measured"]
    assert (measured["step_s"], measured["power_w"]["total"]) == (2e-5, 2.0)
    assert [*faults(json.loads(priced.stdout), SCHEMAS["energy"])] == []


def test_a_board_that_is_taken_is_given_up_when_the_time_is_up(files: Path, tmp_path: Path, within: Within) -> None:
    """lava-loihi waits for SLURM; here its interpreter does."""
    parts = ", ".join(f'"{name}"' for name in ("lava.magma", *CLOSED))
    answer = f"""echo '{{"version": "3.10.1", "parts": [{parts}]}}'"""
    script(tmp_path / "machine" / "python", f'case "$1" in -c) {answer};; *) sleep 60;; esac')
    board = {
        "SPIKEPORT_LAVA_PYTHON": str(tmp_path / "machine" / "python"),
        "LOIHI_GEN": "N3B3",
        "NXSDKHOST": "10.0.0.7",
    }
    (files / "y.h5").write_text("as it was")
    ran = spikeport("run", *given(files), "--backend", "loihi", "-o", files / "y.h5", "--timeout", "1", **board)
    assert ran.returncode == 1
    assert "loihi worker: time (1 s) is up; raise --timeout, or run fewer samples" in ran.stderr
    assert (files / "y.h5").read_text() == "as it was"


BUSY = "srun: error: Unable to allocate resources: Requested nodes are busy"
QUEUED = "srun: job 7 queued and waiting for resources"
ADVICE = "'squeue -p kp' shows who has it: wait longer with --wait, or set PARTITION or BOARD to one that sinfo lists"


@pytest.mark.parametrize(
    ("srun", "said"),
    [
        (f"echo '{BUSY}' >&2; echo $SLURM_IMMEDIATE $SALLOC_IMMEDIATE > RECORD; exit 1", BUSY),
        (f"trap 'echo 3 3 > RECORD; exit 1' TERM; echo '{QUEUED}' >&2; while :; do /bin/sleep 0.1; done", QUEUED),
        ("trap 'echo 3 3 > RECORD; exit 1' TERM; while :; do /bin/sleep 0.1; done", "no answer in 3 s"),
    ],
    ids=["refused", "queued", "silent"],
)
def test_a_board_that_others_have_is_one_line_and_srun_gives_up_its_place(
    files: Path, tmp_path: Path, srun: str, said: str
) -> None:
    machine = fake_machine(tmp_path / "machine")
    record = machine.root / "record"
    board = machine.on_a_cluster(srun.replace("RECORD", str(record)))
    board["TMPDIR"] = str(files / "temporary")
    (files / "temporary").mkdir()
    (files / "y.h5").write_text("as it was")
    before = sorted(path.name for path in files.iterdir())
    ran = spikeport("run", *given(files), "--backend", "loihi", "-o", files / "y.h5", "--wait", 3, **board)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == f"error SP624: board: was not given ({said}); {ADVICE}", ran.stderr
    assert "Traceback" not in ran.stderr
    assert record.read_text().split() == ["3", "3"]  # how long srun is to wait, or that it was asked to end
    assert (files / "y.h5").read_text() == "as it was" and sorted(path.name for path in files.iterdir()) == before
    assert list((files / "temporary").iterdir()) == []


@pytest.mark.uncovered
def test_a_run_that_is_interrupted_while_it_waits_leaves_nothing(files: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    srun = f"trap 'echo asked > {here}.asked; exit 1' TERM; echo $$ > {here}; while :; do /bin/sleep 0.1; done"
    board = fake_machine(tmp_path / "machine").on_a_cluster(srun)
    (files / "temporary").mkdir()
    command = [sys.executable, "-m", "spikeport", "run", *map(str, given(files)), "--backend", "loihi", "-o", "y.h5"]
    environment = {**os.environ, **board, "TMPDIR": str(files / "temporary")}
    run = subprocess.Popen(command, cwd=files, env=environment, stderr=subprocess.DEVNULL)
    while not here.exists() and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    assert run.wait() == 130
    assert (tmp_path / "here.asked").exists() and not (files / "y.h5").exists()
    assert list((files / "temporary").iterdir()) == []
    until(lambda: ended(int(here.read_text())), 5)  # its parent is gone: the system takes its time to forget it


def test_a_board_that_slurm_gives_runs(files: Path, tmp_path: Path) -> None:
    board = fake_machine(tmp_path / "machine").on_a_cluster("exit 0")
    ran = spikeport("run", *given(files), "--backend", "loihi", "-o", files / "y.h5", "--json", **board)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["board"] == {"loihi_gen": "N3C1", "partition": "kp"}


def test_a_board_whose_host_refuses_is_one_line(files: Path, tmp_path: Path) -> None:
    board = {**fake_machine(tmp_path / "machine").environment, "NXSDKHOST": "127.0.0.1"}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        board["DRIVER_PORT"] = str(taken.getsockname()[1])
        ran = spikeport("run", *given(files), "--backend", "loihi", "-o", files / "y.h5", **board)
    assert ran.returncode == 1 and not (files / "y.h5").exists()
    said = ran.stderr.splitlines()[-1]
    assert said.startswith(
        "error SP624: board: was not given (ConnectionRefusedError: [Errno 111] Connection refused); end the"
    )


@pytest.mark.parametrize("wait", ["0", "-1", "nan", "inf"])
def test_a_wait_that_is_none_is_refused(files: Path, tmp_path: Path, wait: str) -> None:
    board = fake_machine(tmp_path / "machine").environment
    ran = spikeport("run", *given(files), "--backend", "loihi", "-o", files / "y.h5", "--wait", wait, **board)
    assert ran.returncode == 2 and "wait: seconds" in ran.stderr


# A board's run, wherever it comes from -------------------------------------------------------------------------


def test_a_chips_placeholder_is_no_difference_and_is_told(files: Path, within: Within) -> None:
    run = made(files)
    ran = within("verify", *given(files), "--run", run)
    assert ran.returncode == 0, ran.stderr
    assert "0 of 864 recorded values differ" in ran.stdout
    assert "v = 128 where s: after a spike the chip's register of v holds its refractory counter" in ran.stdout


DIFFERENCES: dict[str, tuple[Callable[[Recorded], object], str, str]] = {
    "a bit of u": (
        lambda r: r["lif1"]["u"].__setitem__((4, 1, 3), r["lif1"]["u"][4, 1, 3] ^ 64),
        "step 5, lif1, sample 1, neuron 3: u is",
        "u after",
    ),
    "a bit of v": (
        lambda r: r["lif2"]["v"].__setitem__((7, 2, 0), r["lif2"]["v"][7, 2, 0] ^ 1),
        "step 8, lif2, sample 2, neuron 0: v is",
        "v after",
    ),
    "a spike": (
        lambda r: r["lif2"]["s"].__setitem__((3, 0, 1), 1 - r["lif2"]["s"][3, 0, 1]),
        "step 4, lif2, sample 0, neuron 1: s is",
        "spike",
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_an_injected_difference_is_found_and_named(files: Path, within: Within, name: str) -> None:
    change, where, operand = DIFFERENCES[name]
    run = made(files, change)
    verified = within("verify", *given(files), "--run", run)
    assert verified.returncode == 1
    assert where in verified.stdout
    bisected = within("bisect", run, "--program", files / "net.h5", "--input", files / "x.npz", "--json")
    assert bisected.returncode == 1
    found = json.loads(bisected.stdout)
    assert where.startswith("step {step}, {group}, sample {sample}, neuron {neuron}".format(**found["first"]))
    assert found["first_operand"] == operand


def test_a_run_without_v_is_compared_in_u_and_s(files: Path, within: Within) -> None:
    def only_u(recorded: Recorded) -> None:
        for of_group in recorded.values():
            del of_group["v"], of_group["s"]
        recorded["lif2"]["u"][9, 0, 2] += 1

    run = made(files, only_u)
    ran = within("verify", *given(files), "--run", run)
    assert ran.returncode == 1
    assert "1 of 288 recorded values differ" in ran.stdout and "not compared: v, s" in ran.stdout
    bisected = within("bisect", run, "--program", files / "net.h5", "--input", files / "x.npz")
    assert "first difference: step 10, lif2, sample 0, neuron 2: u is" in bisected.stdout


def test_measured_energy_stands_beside_the_estimate(files: Path, within: Within) -> None:
    """2 W of which 1.5 W are idle, at 25 us a step: 250 us for 10 steps, 500 uJ, 125 uJ without the idle board's."""
    tables = {
        "power_w": {"total": np.array([1.5, 2.5])},
        "static_power_w": {"total": np.array([1.5])},
        "step_s": {"execution": np.array([20e-6, 30e-6])},
    }
    run = made(files, **tables)
    asked = ("energy", *given(files), "--activity", run, "--profile", "loihi2-estimate")
    found = json.loads(within(*asked, "--json").stdout)["measured"]
    assert found["inference_s"] == pytest.approx(250e-6, rel=1e-12)  # float sums of given floats
    assert found["energy_pj"] == pytest.approx(500e6, rel=1e-12)
    assert found["dynamic_energy_pj"] == pytest.approx(125e6, rel=1e-12)
    shown = within(*asked).stdout
    assert "measured on the board, beside the estimate" in shown
    assert "250 µs" in shown and "500 µJ" in shown and "125 µJ" in shown
    assert "note: 2 steps are a short run for a power meter" in shown


def test_counts_are_those_of_the_recorded_spikes(files: Path, within: Within) -> None:
    """A board that sent one spike more made 3 operations more, one for each neuron of the next layer."""
    whole = within("energy", *given(files), "--activity", made(files), "--json")
    base = json.loads(whole.stdout)

    def one_more(recorded: Recorded) -> None:
        step, sample, neuron = np.argwhere(recorded["lif1"]["s"][2:11] == 0)[0]
        recorded["lif1"]["s"][2 + step, sample, neuron] = 1

    more = json.loads(within("energy", *given(files), "--activity", made(files, one_more), "--json").stdout)
    assert sops(more) - sops(base) == 3

    def unheard(recorded: Recorded) -> None:
        del recorded["lif1"]["s"]

    ran = within("energy", *given(files), "--activity", made(files, unheard), "--json")
    assert "has no spikes of lif1; the simulator's are counted" in ran.stderr
    assert sops(json.loads(ran.stdout)) == sops(base)


def sops(document: Mapping[str, Any]) -> int:
    """Of all samples."""
    return int(document["totals"]["counts"]["sops"])


def test_bad_runs_are_one_line_and_exit_2(files: Path, within: Within) -> None:
    run = made(files)
    whole = run.read_bytes()
    (files / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (files / "text.h5").write_text("no HDF5 at all")
    with h5py.File(files / "plain.h5", "w") as file:
        file["lif1/s"] = np.zeros((2, 1, 5), int)
    other = load_program(files / "net.h5")
    save_program(Program(other.groups, other.connections, other.inputs, other.outputs, latency=1), files / "other.h5")
    for arguments, message in (
        ((files / "net.h5", files / "gone.h5"), "gone.h5: no such file"),
        ((files / "net.h5", files / "cut.h5"), "cut.h5: is not a readable board run"),
        ((files / "net.h5", files / "text.h5"), "text.h5: is not a readable board run"),
        ((files / "net.h5", files / "plain.h5"), "plain.h5: is no run of a board"),
        ((files / "other.h5", run), "run is that of another Program"),
    ):
        ran = within("verify", arguments[0], "--input", files / "x.npz", "--run", arguments[1])
        assert ran.returncode == 2, ran.stdout + ran.stderr
        assert message in ran.stderr and ran.stderr.count("\n") == 1, ran.stderr
    with np.load(files / "x.npz") as file:
        np.savez(files / "less.npz", spikes=file["spikes"][:, :2])
    ran = within("verify", files / "net.h5", "--input", files / "less.npz", "--run", run)
    assert ran.returncode == 2 and "samples (2) are fewer than the run's 3" in ran.stderr
