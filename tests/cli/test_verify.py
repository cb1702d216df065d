"""`spikeport verify`, `doctor` and `demo`: with Lava where there is one, and saying so where there is none."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import save_program
from tests.arrays import arrays_of
from tests.cli.command import in_child as spikeport
from tests.cli.schemas import SCHEMAS, faults
from tests.html_page import Page, assert_stands_alone
from tests.lava import lava_or_skip
from tests.reports import SECTIONS


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, Path]:
    """A Program of one layer, and three samples for it."""
    group = LIF("lif1", (5,), 4095, 512, 40, np.zeros(5, np.int16), reset_interval=8, reset_offset=2)
    weight = 2 * rng.integers(-60, 100, (5, 4))
    program = Program(
        (group,), (Dense("x", "lif1", weight),), (Input("x", (4,), "spike"),), (Output("y", "lif1"),), latency=1
    )
    save_program(program, tmp_path / "net.h5")
    np.savez(tmp_path / "x.npz", spikes=rng.integers(0, 2, (8, 3, 4)))
    return tmp_path / "net.h5", tmp_path / "x.npz"


def test_verify_finds_no_difference(files: tuple[Path, Path]) -> None:
    lava_or_skip(download=False)

    answer = spikeport("verify", files[0], "--input", files[1], "--json")

    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["differing"] == 0
    assert found["values"] == 3 * 9 * 5 * 3  # u, v, s of 5 neurons at 9 steps in 3 samples
    assert found["lava"]["lava-nc"] == "0.10.0"


def test_verify_exits_1_where_simulator_and_lava_differ(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lava_or_skip(download=False)
    from spikeport.commands.running import run as running

    simulate = running.simulate
    monkeypatch.setattr(running, "simulate", lambda program, x, **k: simulate(_other_threshold(program), x, **k))

    answer = running.verify(*files, 3, "models", 300.0)

    assert answer.exit_code == 1
    assert answer.data["differing"] > 0
    assert "step" in str(answer.data["first"])


def _other_threshold(program: Program) -> Program:
    return replace(program, groups=tuple(replace(g, vth=g.vth + 30) for g in program.groups))


def test_verify_without_an_interpreter_says_how_to_get_one(files: tuple[Path, Path]) -> None:
    answer = spikeport("verify", files[0], "--input", files[1], SPIKEPORT_LAVA_PYTHON="/nowhere/python")

    assert answer.returncode == 2
    last = answer.stderr.strip().splitlines()[-1]
    assert last == "error SP622: SPIKEPORT_LAVA_PYTHON: interpreter (/nowhere/python) is not Python 3.10 to 3.12"


def test_verify_kills_a_worker_that_takes_too_long(files: tuple[Path, Path]) -> None:
    lava_or_skip(download=False)

    answer = spikeport("verify", files[0], "--input", files[1], "--timeout", "0.05")

    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].startswith("error SP621: lava worker: ")


def test_run_on_lava_gives_the_simulators_file(files: tuple[Path, Path], tmp_path: Path) -> None:
    lava_or_skip(download=False)
    for backend in ("sim", "lava"):
        answer = spikeport(
            "run",
            files[0],
            "--input",
            files[1],
            "-o",
            tmp_path / f"{backend}.npz",
            "--backend",
            backend,
            "--record",
            "all",
        )
        assert answer.returncode == 0, answer.stderr

    sim, lava = arrays_of(tmp_path / "sim.npz"), arrays_of(tmp_path / "lava.npz")

    assert sorted(sim) == sorted(lava) == ["latency", "lif1/s", "lif1/u", "lif1/v", "program_sha256", "spikes"]
    for name in sim:
        assert np.array_equal(sim[name], lava[name]), name


def test_doctor_never_fails_without_lava() -> None:
    answer = spikeport("doctor", "--json", SPIKEPORT_LAVA_PYTHON="/nowhere/python")

    assert answer.returncode == 0
    checks = {check["name"]: check for check in json.loads(answer.stdout)["checks"]}
    assert "is not Python 3.10 to 3.12" in checks["lava worker"]["status"]


def test_demo_goes_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spikeport.commands import demo

    monkeypatch.setattr(demo, "load_recipe", _one_epoch)
    monkeypatch.setenv("SPIKEPORT_LAVA_PYTHON", "/nowhere/python")

    answer = demo.demo(tmp_path / "demo")

    assert answer.exit_code == 0
    assert answer.data["torch_spikes_differing"] == 0
    assert answer.data["torch_spikes_compared"] == 397 * 8 * (1024 + 512 + 100)
    assert answer.data["simulator_accuracy"] == answer.data["quantized_accuracy"]
    page = (tmp_path / "demo" / "report.html").read_text()
    assert_stands_alone(page)
    assert [name for name in Page(page).ids if name in SECTIONS] == SECTIONS
    assert "not compared: SPIKEPORT_LAVA_PYTHON" in page
    assert [*faults(json.loads(json.dumps({"schema": "spikeport-demo/1", **answer.data})), SCHEMAS["demo"])] == []


def _one_epoch(name: str):  # type: ignore[no-untyped-def]
    from spikeport.train import load_recipe

    recipe = load_recipe(name)
    return replace(recipe, train=replace(recipe.train, epochs=1))


def test_run_says_that_the_state_is_cleared_within_the_input(files: tuple[Path, Path], tmp_path: Path) -> None:
    np.savez(tmp_path / "long.npz", spikes=np.zeros((9, 1, 4), np.int64))

    quiet = spikeport("run", files[0], "--input", files[1], "-o", tmp_path / "y.npz")
    long = spikeport("run", files[0], "--input", tmp_path / "long.npz", "-o", tmp_path / "y.npz")

    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert long.returncode == 0
    assert long.stderr == (
        "note: 9 steps, but the state is cleared every 8; for samples of 9 steps compile with --steps 9\n"
    )


def test_verify_takes_no_npz_for_a_boards_run(files: tuple[Path, Path]) -> None:
    program, x = files
    found = spikeport("verify", program, "--input", x, "--run", x)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"error SP105: {x}: is an npz file, and no run of a board; "
        "compare runs of the simulator or of Lava with: spikeport bisect A.npz B.npz\n"
    )
