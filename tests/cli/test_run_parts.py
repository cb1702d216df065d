"""`spikeport run` to HDF5, and in parts."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from spikeport.commands.running import run as running
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import save_program
from tests.cli.command import done, spikeport

STEPS = 20


@pytest.fixture
def net(tmp_path: Path, rng: np.random.Generator) -> Path:
    groups = tuple(LIF(n, (6,), 2000, 128, 4, np.zeros(6, int)) for n in ("g1", "g2"))
    weight = 2 * rng.integers(-20, 60, (2, 6, 6))
    links = (Dense("x", "g1", weight[0]), Dense("g1", "g2", weight[1], delay=2))
    program = Program(groups, links, (Input("x", (6,), "spike"),), (Output("y", "g2", 3),), latency=4)
    save_program(program, tmp_path / "net.h5")
    x = (rng.random((STEPS, 3, 6)) < 0.3).astype(np.uint8)
    for name, part in (("x", x), ("x1", x[:7]), ("x2", x[7:]), ("early", x[:2])):
        np.savez(tmp_path / f"{name}.npz", spikes=part, labels=np.array([0, 1, 2]))
    return tmp_path


def npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def hdf5(path: Path) -> dict[str, np.ndarray]:
    names = ("spikes", "latency", "program_sha256", *(f"{g}/{v}" for g in ("g1", "g2") for v in "uvs"))
    with h5py.File(path) as file:
        return {name: file[name][()] for name in names}


def test_an_output_named_h5_holds_what_npz_holds(net: Path) -> None:
    arguments = ("run", net / "net.h5", "--input", net / "x.npz", "--record", "all", "--accuracy", "--json")
    plain = done(*arguments, "-o", net / "y.npz").json
    streamed = done(*arguments, "-o", net / "y.h5").json
    assert plain | {"output": str(net / "y.h5")} == streamed
    want, got = npz(net / "y.npz"), hdf5(net / "y.h5")
    assert want["spikes"].any() and want.keys() == got.keys()
    assert all(np.array_equal(want[name], got[name]) and want[name].dtype == got[name].dtype for name in want)


def test_large_recordings_are_streamed_by_themselves(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RECORD_LIMIT_BYTES", 1000)
    arguments = ("run", net / "net.h5", "--input", net / "x.npz", "-o", net / "y.npz", "--json")
    assert done(*arguments).json["output"] == str(net / "y.npz")
    (net / "y.npz").unlink()
    ran = done(*arguments, "--record", "g1,g2")
    assert ran.json["output"] == str(net / "y.h5") and "as HDF5" in ran.err
    assert hdf5(net / "y.h5")["g1/u"].shape == (STEPS + 4, 3, 6) and not (net / "y.npz").exists()


@pytest.mark.parametrize("suffix", ["npz", "h5"])
@pytest.mark.parametrize("parts", [["x1", "x2"]])
def test_a_run_in_two_commands_is_the_run_in_one(net: Path, suffix: str, parts: list[str]) -> None:
    run = ("run", net / "net.h5", "--record", "all")
    done(*run, "--input", net / "x.npz", "-o", net / f"y.{suffix}")
    done(*run, "--input", net / "x1.npz", "-o", net / f"y1.{suffix}", "--state-out", net / "s.npz")
    done(*run, "--input", net / "x2.npz", "-o", net / f"y2.{suffix}", "--state-in", net / "s.npz")
    read = npz if suffix == "npz" else hdf5
    whole, first, second = (read(net / f"{name}.{suffix}") for name in ("y", "y1", "y2"))
    assert len(first["spikes"]) == 7 - 4
    for name in whole.keys() - {"latency", "program_sha256"}:
        assert np.array_equal(np.concatenate([first[name], second[name]]), whole[name])


def test_a_part_too_short_for_an_answer_has_none(net: Path) -> None:
    ran = done("run", net / "net.h5", "--input", net / "early.npz", "-o", net / "y.npz", "--state-out", net / "s.npz")
    assert npz(net / "y.npz")["spikes"].shape == (0, 3, 6)
    assert "s.npz written: the next part starts with --state-in" in ran.out


def test_what_cannot_go_on_is_one_line_and_exit_2(net: Path) -> None:
    run = ("run", net / "net.h5", "--input", net / "x.npz", "-o", net / "y.npz")
    for more, words in (
        (("--state-in", net / "none.npz"), "no such file"),
        (("--state-in", net / "x.npz"), "is not a state"),
        (("--state-out", net / "none" / "s.npz"), "cannot be written"),
        (("--state-out", net / "s.npz", "--backend", "lava"), "backend lava: run cannot be cut"),
    ):
        ran = spikeport(*run, *more)
        assert ran.code == 2 and words in ran.err and ran.err.count("\n") == 1
        assert not (net / "y.npz").exists()
