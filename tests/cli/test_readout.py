"""Programs whose output reads the membrane, through every command that runs them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport import fixed
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate
from tests.cli.command import done, spikeport
from tests.cli.test_run_parts import npz
from tests.lava import lava_or_skip

STEPS, BATCH = 12, 20


def net(rng: np.random.Generator) -> Program:
    """Half of the hidden neurons give what the others take, so that no class is ahead in all samples."""
    h = LIF("h", (8,), 4095, 1000, 60, np.zeros(8, int))
    out = LIF("li", (6,), 4095, 819, fixed.VTH_MAX, rng.integers(-40, 40, 6), v_unit=1 / 512)
    weight = rng.integers(-60, 60, (2, 6, 4))
    links = (
        Dense("x", "h", 2 * rng.integers(-10, 60, (8, 4))),
        Dense("h", "li", 2 * np.concatenate([weight[0], -weight[0]], axis=1)),
    )
    outputs = (Output("mem", "li", 3, reads="v"), Output("hidden", "h"))
    return Program((h, out), links, (Input("x", (4,), "spike"),), outputs, latency=2)


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """net.h5, x.npz, and v, `(T, B, 3)` sums per class by the reference."""
    program = net(rng)
    x = (rng.random((STEPS, BATCH, 4)) < 0.3).astype(np.uint8)
    save_program(program, tmp_path / "net.h5")
    v = simulate(program, x, record=["li"], engine="reference").traces["li"].v[2:]
    np.savez(tmp_path / "v.npz", v=v, by_class=v.reshape(STEPS, BATCH, 3, 2).astype(np.int64).sum(axis=3))
    by_class = npz(tmp_path / "v.npz")["by_class"]
    labels = by_class[-1].argmax(axis=1)
    assert not np.array_equal(labels, by_class.max(axis=0).argmax(axis=1))
    np.savez(tmp_path / "x.npz", spikes=x, labels=labels)
    np.savez(tmp_path / "x1.npz", spikes=x[:5])
    np.savez(tmp_path / "x2.npz", spikes=x[5:])
    return tmp_path


def hdf5(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, x: found.update({name: x[()]}) if isinstance(x, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize("suffix", ["npz", "h5"])
def test_run_writes_every_output(folder: Path, suffix: str) -> None:
    y = folder / f"y.{suffix}"
    ran = done("run", folder / "net.h5", "--input", folder / "x.npz", "-o", y, "--record", "li")
    assert "v of li" in ran.out
    found = npz(y) if suffix == "npz" else hdf5(y)
    assert set(found) == {"latency", "program_sha256", "mem/v", "mem/v_unit", "hidden", "li/u", "li/v", "li/s"}
    assert np.array_equal(found["mem/v"], npz(folder / "v.npz")["v"]) and found["mem/v"].dtype == np.int64
    assert found["mem/v_unit"] == 1 / 512
    assert found["hidden"].shape == (STEPS, BATCH, 8) and found["hidden"].dtype == np.uint8
    assert np.array_equal(found["li/v"][2:], found["mem/v"]) and found["li/v"].dtype == np.int32


def test_run_decides_by_the_mean_and_by_what_is_named(folder: Path) -> None:
    by_class, labels = npz(folder / "v.npz")["by_class"], npz(folder / "x.npz")["labels"]
    wins = {"mean": by_class.mean(axis=0), "max": by_class.max(axis=0), "last": by_class[-1]}
    right = {how: int((score.argmax(axis=1) == labels).sum()) for how, score in wins.items()}
    assert right["last"] == BATCH > right["max"]
    run = ("run", folder / "net.h5", "--input", folder / "x.npz", "--accuracy", "-o")
    for how in wins:
        for y in ("y.npz", "y.h5"):
            answer = done(*run, folder / y, "--decide", how, "--json").json
            assert (answer["decide"], answer["correct"]) == (how, right[how])
    assert done(*run, folder / "y.npz", "--json").json["decide"] == "mean"
    assert "by v at the last step" in done(*run, folder / "y.npz", "--decide", "last").out
    assert spikeport(*run, folder / "y.npz", "--decide", "median").code == 2


@pytest.mark.parametrize("suffix", ["npz", "h5"])
def test_parts_of_a_run_hold_the_outputs_of_the_whole(folder: Path, suffix: str) -> None:
    run = ("run", folder / "net.h5")
    done(*run, "--input", folder / "x1.npz", "-o", folder / f"y1.{suffix}", "--state-out", folder / "s.npz")
    done(*run, "--input", folder / "x2.npz", "-o", folder / f"y2.{suffix}", "--state-in", folder / "s.npz")
    one, two = ((npz if suffix == "npz" else hdf5)(folder / f"y{n}.{suffix}") for n in (1, 2))
    assert len(one["mem/v"]) == 5 - 2
    assert np.array_equal(np.concatenate([one["mem/v"], two["mem/v"]]), npz(folder / "v.npz")["v"])


def test_a_part_without_an_answer_has_no_accuracy(folder: Path) -> None:
    x = npz(folder / "x.npz")
    np.savez(folder / "early.npz", spikes=x["spikes"][:2], labels=x["labels"])
    run = ("run", folder / "net.h5", "--input", folder / "early.npz", "-o", folder / "y.npz", "--json")
    answer = done(*run, "--state-out", folder / "s.npz").json
    assert answer["steps"] == 0 and "accuracy" not in answer


def test_an_output_of_a_recorded_groups_name_is_refused_before_anything_is_written(folder: Path) -> None:
    program = load_program(folder / "net.h5")
    named = replace(program, outputs=(replace(program.outputs[0], name="li"),))
    save_program(named, folder / "named.h5")
    run = ("run", folder / "named.h5", "--input", folder / "x.npz", "-o", folder / "y.npz")
    ran = spikeport(*run, "--record", "li")
    assert ran.code == 2 and "output: name in the file (li) is one of a recorded group" in ran.err
    assert not (folder / "y.npz").exists()
    done(*run)
    assert "li/v" in npz(folder / "y.npz")


@pytest.fixture
def full(folder: Path) -> Path:
    """A Program whose readout passes its threshold at the last step."""
    weight = np.full((1, 515), 255)
    weight[:, -1] = 1
    out = LIF("out", (1,), 4095, 4095, fixed.VTH_MAX, np.array([5]))
    link, entry = Dense("x", "out", weight), Input("x", (515,), "spike")
    save_program(Program((out,), (link,), (entry,), (Output("y", "out", reads="v"),), latency=1), folder / "full.h5")
    np.savez(folder / "ones.npz", spikes=np.ones((1, 2, 515), np.uint8))
    return folder


def test_a_readout_that_spikes_is_an_error_or_a_warning(full: Path) -> None:
    run: tuple[Any, ...] = ("run", full / "full.h5", "--input", full / "ones.npz", "-o", full / "y.npz")
    ran = spikeport(*run)
    assert ran.code == 1 and "out: v of neuron 0 at step 2 (8388549) passes 8388544" in ran.err
    assert not (full / "y.npz").exists()
    loose = done(*run, "--profile", "lava")
    assert "warning: spikes cleared a v that is read 2 times" in " ".join(loose.out.split())
    assert done(*run, "--profile", "lava", "--json").json["cleared"] == 2
    assert done(*run[:-1], full / "y.h5", "--profile", "lava", "--json").json["cleared"] == 2
    assert npz(full / "y.npz")["y/v"].ravel().tolist() == [0, 0]


def test_bisect_shows_the_operands_of_a_readout_that_spikes(full: Path) -> None:
    arguments = ("--program", full / "full.h5", "--input", full / "ones.npz", "--profiles", "strict,lava")
    answer = spikeport("bisect", *arguments, "--json").json
    assert (answer["first"]["group"], answer["first"]["variable"], answer["first"]["step"]) == ("out", "v", 2)
    assert (answer["first"]["a"], answer["first"]["b"]) == (8388549, 0)


def test_check_finds_an_input_under_which_a_readout_spikes(full: Path) -> None:
    (found,) = done("check", full / "full.h5", "--json", "--witness", full / "w.npz").json["overflow"]
    assert not found["proven"] and found["witness"]["what"] == "v" and "passes 8388544" in found["witness"]["raised"]
    assert spikeport("run", full / "full.h5", "--input", full / "w.npz", "-o", full / "y.npz").code == 1


def test_bisect_reads_a_run_that_holds_outputs(folder: Path) -> None:
    run = ("run", folder / "net.h5", "--input", folder / "x.npz", "--record", "all", "-o")
    done(*run, folder / "a.npz")
    done(*run, folder / "b.npz", "--profile", "lava")
    assert done("bisect", folder / "a.npz", folder / "b.npz", "--json").json["equal"]
    arrays = npz(folder / "b.npz")
    arrays["li/v"][7, 1, 3] += 1
    np.savez(folder / "b.npz", **arrays)
    answer = spikeport("bisect", folder / "a.npz", folder / "b.npz", "--json").json
    assert (answer["first"]["group"], answer["first"]["variable"], answer["first"]["step"]) == ("li", "v", 8)


def test_energy_counts_a_readout(folder: Path) -> None:
    run = ("energy", folder / "net.h5", "--input", folder / "x.npz", "--html", folder / "r.html", "--json")
    layers = [layer["counts"] for layer in done(*run).json["layers"]]
    assert [layer["name"] for layer in layers] == ["h", "li"] and layers[1]["spikes_out"] == 0 < layers[1]["sops"]
    assert "li" in (folder / "r.html").read_text()


def test_convert_says_that_a_net_file_does_not_hold_what_is_read(folder: Path) -> None:
    program = load_program(folder / "net.h5")
    groups = tuple(replace(g, bias_mant=np.zeros(g.shape, int)) for g in program.lifs)
    save_program(replace(program, groups=groups, outputs=program.outputs[:1]), folder / "plain.h5")
    ran = done("convert", folder / "plain.h5", "-o", folder / "plain.net")
    assert "that the output is v of li is no part of the file" in " ".join(ran.out.split())


@pytest.mark.parametrize("mode", ["models", "runtime"])
def test_lava_reads_the_same(folder: Path, mode: str) -> None:
    lava_or_skip()
    arguments = (folder / "net.h5", "--input", folder / "x.npz")
    answer = done("verify", *arguments, "--mode", mode, "--samples", 2, "--json").json
    steps = STEPS + 2
    of_state = {"models": 2 * (8 + 6) * steps, "runtime": 2 * 8 + 6 + 6 * steps}[mode]  # u and v of h, u and v of li
    assert answer["differing"] == 0 and answer["values"] == 2 * (of_state + (8 + 6) * steps)
    if mode == "models":
        run = ("run", *arguments, "--backend", "lava", "--decide", "last", "--json", "-o", folder / "y.npz")
        assert done(*run).json["correct"] == BATCH
        assert np.array_equal(npz(folder / "y.npz")["mem/v"], npz(folder / "v.npz")["v"])
