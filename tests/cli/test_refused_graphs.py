"""`check` and `compile` of what is no good, or does not fit."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from spikeport.program_file import load_program
from tests.cli.command import done, listing, spikeport
from tests.cli.refused import DO_WRITE, Case, Prepare, assert_refused, text, truncated

COMPILE = ("compile", "{here}/net.nir", "-o", "{here}/out.h5")


def edited(net: str, edit: Callable[[h5py.File], None]) -> Prepare:
    """Copies the file of that name and changes it."""

    def prepare(made: Path, folder: Path) -> None:
        (folder / net).write_bytes((made / net).read_bytes())
        with h5py.File(folder / net, "r+") as file:
            edit(file)

    return prepare


def nan_weight(file: h5py.File) -> None:
    file["node/nodes/linear3/weight"][0, 0] = np.nan


def other_shape(file: h5py.File) -> None:
    bias = file["node/nodes/linear3/bias"][:-1]
    del file["node/nodes/linear3/bias"]
    file["node/nodes/linear3/bias"] = bias


def unknown_node(file: h5py.File) -> None:
    file["node/nodes/lif2/type"][()] = "ALIF"


def short_time_constant(file: h5py.File) -> None:
    file["node/nodes/lif3/tau"][0] *= 1e-3


BAD: dict[str, Case] = {
    "no NIR file": (COMPILE, text("other"), "{here}/net.nir: no such file"),
    "not a NIR file": (COMPILE, text("net.nir"), "{here}/net.nir: is not a readable NIR file ("),
    "truncated NIR file": (COMPILE, truncated("net.nir"), "{here}/net.nir: is not a readable NIR file ("),
    "NaN weight": (
        COMPILE,
        edited("net.nir", nan_weight),
        "linear3: weight (NaN or infinity) is not a finite number; train or export it again",
    ),
    "shape that does not match": (
        COMPILE,
        edited("net.nir", other_shape),
        "linear3: bias shape ((19,)) is not (20,)",
    ),
    "unknown node type": (
        COMPILE,
        edited("net.nir", unknown_node),
        "lif2: node type (ALIF) is not one of Input, Output, Flatten, Linear, Affine, Conv1d, Conv2d, ",
    ),
    "time constant below the step": (COMPILE, edited("net.nir", short_time_constant), "lif3: tau ("),
    "check of no NIR file": (
        ("check", "{here}/net.nir"),
        text("net.nir"),
        "{here}/net.nir: is not a readable NIR file (",
    ),
    "check of a damaged Program": (("check", "{here}/net.h5"), truncated("net.h5"), "{here}/net.h5: is damaged;"),
    "unknown chip": (
        ("compile", "{made}/net.nir", "-o", "{here}/out.h5", "--target", "loihi3"),
        text("other"),
        "target: chip (loihi3) is not one of loihi1, loihi2",
    ),
    "no steps": (
        ("compile", "{made}/net.nir", "-o", "{here}/out.h5", "--steps", "0"),
        text("other"),
        "options: steps (0) is not in [1, 32768]",
    ),
    "odd votes": (
        ("compile", "{made}/net.nir", "-o", "{here}/out.h5", "--classes", "3"),
        text("other"),
        "output: neurons (20) do not divide by classes 3",
    ),
    "Program that cannot be written": (
        ("compile", "{made}/net.nir", "-o", "{here}/file/out.h5"),
        text("file"),
        "{here}/file/out.h5: cannot be written (Not a directory)" + DO_WRITE,
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(case: Case, made: Path, tmp_path: Path) -> None:
    assert_refused(case, made, tmp_path)


def test_a_network_that_does_not_fit_is_not_written_and_exits_1(tmp_path: Path) -> None:
    """5,000 inputs of one neuron; a core of Loihi 1 takes 4,096."""
    one, zero = np.ones(1), np.zeros(1)
    nodes = {
        "input": nir.Input(np.array([5000])),
        "affine": nir.Affine(np.ones((1, 5000)), zero),
        "lif": nir.LIF(tau=2e-4 * one, r=one, v_leak=zero, v_threshold=one, v_reset=zero),
        "output": nir.Output(np.array([1])),
    }
    edges = [("input", "affine"), ("affine", "lif"), ("lif", "output")]
    nir.write(str(tmp_path / "net.nir"), nir.NIRGraph(nodes, edges))
    before = listing(tmp_path)
    ran = spikeport("compile", tmp_path / "net.nir", "-o", tmp_path / "net.h5", "--target", "loihi1")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"error SP413: {tmp_path}/net.nir: network (fan_in_fits_one_core at lif: 5000 against 4096) does not fit "
        "loihi1; use fewer channels or a smaller kernel; --anyway writes it for a simulator\n"
    )
    assert listing(tmp_path) == before
    options = ("-o", tmp_path / "net.h5", "--target", "loihi1", "--anyway", "--json")
    (broken,) = done("compile", tmp_path / "net.nir", *options).json["violations"]
    assert (broken["id"], broken["value"]) == ("fan_in_fits_one_core", 5000)
    assert load_program(tmp_path / "net.h5").shape_of("input") == (5000,)


def test_the_installed_command_reports_on_standard_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spikeport", "check", str(tmp_path / "net.nir")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"error SP101: {tmp_path}/net.nir: no such file\n"
