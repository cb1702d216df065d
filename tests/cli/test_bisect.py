"""`spikeport bisect`: its three ways to be asked, its exit codes and its JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import save_program
from tests.cli.command import in_child as spikeport


@pytest.fixture
def files(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder with `net.h5`, `x.npz`, the run `a.npz`, and `b.npz`, in which one bit of v is flipped."""
    group = LIF("lif1", (5,), 1024, 512, 40, np.zeros(5, np.int16))
    program = Program(
        (group,), (Dense("x", "lif1", np.full((5, 4), 20)),), (Input("x", (4,), "spike"),), (Output("y", "lif1"),)
    )
    save_program(program, tmp_path / "net.h5")
    np.savez(tmp_path / "x.npz", spikes=rng.integers(0, 2, (8, 3, 4)))
    ran = spikeport(
        "run", tmp_path / "net.h5", "--input", tmp_path / "x.npz", "--record", "all", "-o", tmp_path / "a.npz"
    )
    assert ran.returncode == 0, ran.stderr
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    arrays["lif1/v"][4, 1, 3] ^= 1 << 5
    np.savez(tmp_path / "b.npz", **arrays)
    return tmp_path


def test_equal_runs_exit_0_and_different_ones_1(files: Path) -> None:
    assert spikeport("bisect", files / "a.npz", files / "a.npz").returncode == 0
    ran = spikeport("bisect", files / "a.npz", files / "b.npz")
    assert ran.returncode == 1
    assert "first difference: step 5, lif1, sample 1, neuron 3: v is" in ran.stdout


def test_operands_are_shown_in_hex_with_the_rule(files: Path) -> None:
    given = ("--program", files / "net.h5", "--input", files / "x.npz")
    ran = spikeport("bisect", files / "a.npz", files / "b.npz", *given)
    assert ran.returncode == 1
    assert "first operand that differs: v after; not by the rule: B" in ran.stdout
    assert "0xa00" in ran.stdout  # vth << 6
    found = json.loads(spikeport("bisect", files / "a.npz", files / "b.npz", *given, "--json").stdout)
    assert (found["first"]["group"], found["first"]["step"], found["first"]["neuron"]) == ("lif1", 5, 3)
    assert found["first_operand"] == "v after" and found["equal"] is False
    assert [o["name"] for o in found["operands"]][:4] == ["u before", "u decayed", "a", "a << 6"]


def test_the_simulator_stands_in_for_a_missing_run(files: Path) -> None:
    given = ("--program", files / "net.h5", "--input", files / "x.npz")
    assert spikeport("bisect", files / "a.npz", *given).returncode == 0
    assert spikeport("bisect", files / "b.npz", *given).returncode == 1
    assert spikeport("bisect", *given, "--profiles", "strict,lava").returncode == 0
    assert spikeport("bisect", *given, "--profiles", "strict,loihi1").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.npz"], "bisect: runs (1) are not 2; give two recorded runs, or --program and --input"),
        (["a.npz", "x.npz"], "holds no recorded groups; record them with 'spikeport run --record all'"),
        (["a.npz", "none.npz"], "no such file"),
        (["--program", "net.h5", "--input", "x.npz", "--profiles", "exact,lava"], "is not one of strict, lava, loihi1"),
        (["--program", "net.h5", "--input", "x.npz"], "bisect: profiles () are not two; say strict,lava"),
    ],
)
def test_bad_input_exits_2_with_one_line(files: Path, arguments: list[str], message: str) -> None:
    ran = spikeport("bisect", *(files / x if "." in x else x for x in arguments))
    assert ran.returncode == 2
    assert len(ran.stderr.splitlines()) == 1 and message in ran.stderr
