"""`spikeport map`: tables, files, runs, exit codes, and bad input in one line each."""

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest

from spikeport.bench.scale import network
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import save_program
from tests.cli.test_cli import done, spikeport
from tests.cli.test_energy import BATCH, STEPS
from tests.cli.test_energy import net as host_net
from tests.html_page import assert_stands_alone


def net() -> Program:
    """Spikes in, two dense layers."""
    rng = np.random.default_rng(3)
    groups = tuple(LIF(name, (n,), 4095, 400, 60, np.zeros(n, int)) for name, n in (("hidden", 40), ("out", 4)))
    links = (
        Dense("x", "hidden", 2 * rng.integers(-10, 40, (40, 30))),
        Dense("hidden", "out", 2 * rng.integers(-9, 30, (4, 40))),
    )
    return Program(groups, links, (Input("x", (30,), "spike"),), (Output("y", "out"),), latency=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """net.h5 with x.npz, and what it did on it; host.h5, into which no spikes come, likewise."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(4)
    save_program(net(), folder / "net.h5")
    np.savez(folder / "x.npz", spikes=rng.integers(0, 2, (6, 3, 30)))
    save_program(host_net(), folder / "host.h5")
    np.savez(folder / "i.npz", spikes=np.repeat(rng.integers(0, 200, (1, BATCH, 1, 6, 6)), STEPS, axis=0))
    for name, given in (("net", "x"), ("host", "i")):
        for kind in ("npz", "h5"):
            written = folder / f"{name}-ran.{kind}"
            done("run", folder / f"{name}.h5", "--input", folder / f"{given}.npz", "-o", written, "--record", "all")
    return folder


def test_the_table_has_the_columns_that_loihi_users_know(made: Path) -> None:
    out = done("map", made / "net.h5").out
    for words in ("axons in", "neurons", "synapse words", "axon map", "x cores", "hidden", "30 (0.2%)", "Fits one"):
        assert words in out
    assert "chip 0" in out


def test_exact_counts_of_a_run(made: Path) -> None:
    found = done("map", made / "net.h5", "--input", made / "x.npz", "--json", "--cores").json
    energy = done("energy", made / "net.h5", "--input", made / "x.npz", "--json").json
    assert found["schema"] == "spikeport-map/1"
    assert found["activity"]["sops"] == energy["totals"]["counts"]["sops"] > 0
    listed = [(core["core"], core["sops"], core["messages_in"]) for core in found["cores"]]
    assert listed == [(core["core"], core["syn_ops"], core["spikes_in"]) for core in energy["cores"]["cores"]]
    assert found["fits"] and found["fits_one_chip"]
    assert "cores" not in done("map", made / "net.h5", "--input", made / "x.npz", "--json").json


@pytest.mark.parametrize("kind", ["npz", "h5"])
def test_a_recorded_run_gives_what_a_simulation_gives(made: Path, kind: str) -> None:
    for name, given, code in (("net", "x", 0), ("host", "i", 1)):  # no Loihi 2 resets every 6 steps
        samples = ("--input", made / f"{given}.npz", "--json", "--cores")
        recorded = ("--activity", made / f"{name}-ran.{kind}", "--json", "--cores")
        simulated = spikeport("map", made / f"{name}.h5", *samples)
        assert simulated.code == code
        assert spikeport("map", made / f"{name}.h5", *samples, *recorded[:2]).json == simulated.json
        if name == "host":  # what the host encodes is no spike, so the run alone says all
            assert spikeport("map", made / "host.h5", *recorded).json == simulated.json


def test_energy_reads_a_recorded_run_of_either_kind(made: Path) -> None:
    given = ("energy", made / "net.h5", "--input", made / "x.npz", "--json", "--activity")
    assert done(*given, made / "net-ran.h5").json == done(*given, made / "net-ran.npz").json


def test_files(made: Path, tmp_path: Path) -> None:
    page, lines = tmp_path / "map.html", tmp_path / "cores.csv"
    out = done("map", made / "net.h5", "--input", made / "x.npz", "--html", page, "--csv", lines).out
    assert f"{page} written" in out
    text = page.read_text()
    assert_stands_alone(text)
    assert "spikeport map" in text and "Busiest: core" in text
    cores = done("map", made / "net.h5", "--input", made / "x.npz", "--json", "--cores").json["cores"]
    with lines.open() as file:
        read = list(csv.DictReader(file))
    assert [(int(line["core"]), int(line["sops"])) for line in read] == [(c["core"], c["sops"]) for c in cores]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cores.csv", "map.html"]


def test_several_chips_fit_a_system_and_check_says_why_not_one(tmp_path: Path) -> None:
    save_program(network(6e5), tmp_path / "large.h5")
    found = done("map", tmp_path / "large.h5", "--html", tmp_path / "map.html", "--json").json
    checked = spikeport("check", tmp_path / "large.h5", "--json")
    assert (checked.code, checked.json["fits"]) == (1, False)
    assert (found["fits"], found["fits_one_chip"]) == (True, False)
    assert found["violations"] == checked.json["violations"]
    assert found["chips_used"] == len(found["chips"]) > 1
    crossing = found["between_chips"]["connections"]
    assert sum(one["across"] for one in crossing) > 0
    for one in crossing:
        assert one["across"] == sum(n for _, _, n in one["chips"])
    assert_stands_alone((tmp_path / "map.html").read_text())


def test_what_no_chip_holds_is_exit_1_with_what_is_over(tmp_path: Path) -> None:
    group = LIF("a", (2,), 4095, 0, 10, np.zeros(2, int))
    link = Dense("x", "a", np.ones((2, 5000), int))
    program = Program((group,), (link,), (Input("x", (5000,), "spike"),), (Output("y", "a"),), latency=1)
    save_program(program, tmp_path / "wide.h5")
    ran = spikeport("map", tmp_path / "wide.h5", "--target", "loihi1", "--json")
    checked = spikeport("check", tmp_path / "wide.h5", "--target", "loihi1", "--json")
    assert (ran.code, checked.code, ran.json["fits"]) == (1, 1, False)
    assert "fan_in_fits_one_core" in [v["id"] for v in ran.json["over"]]
    assert ran.json["violations"] == checked.json["violations"]
    shown = spikeport("map", tmp_path / "wide.h5", "--target", "loihi1", "--html", tmp_path / "map.html")
    assert "Does not fit loihi1: " in shown.out and shown.code == 1
    assert_stands_alone((tmp_path / "map.html").read_text())


def refused(*arguments: object) -> str:
    ran = spikeport(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1 and ran.err.startswith("error: ")
    return ran.err


def test_bad_input_is_one_line(made: Path, tmp_path: Path) -> None:
    program, x = made / "net.h5", made / "x.npz"
    (tmp_path / "not.h5").write_bytes(b"not HDF5")
    np.savez(tmp_path / "short.npz", spikes=np.zeros((6, 3, 29), int))
    assert "no such file" in refused("map", tmp_path / "none.h5")
    refused("map", x)
    assert "is not one of loihi1, loihi2" in refused("map", program, "--target", "loihi3")
    refused("map", program, "--input", tmp_path / "short.npz")
    assert "are not recorded; give the samples too" in refused("map", program, "--activity", made / "net-ran.h5")
    assert "no such file" in refused("map", program, "--input", x, "--activity", tmp_path / "none.h5")
    assert "is not a readable recorded run" in refused("map", program, "--input", x, "--activity", tmp_path / "not.h5")
    assert "is that of another Program" in refused("map", program, "--input", x, "--activity", made / "host-ran.h5")
    assert "read or written already" in refused("map", program, "--input", x, "--csv", x)
    assert "read or written already" in refused("map", program, "--csv", tmp_path / "a", "--html", tmp_path / "a")
    assert "cannot be written" in refused("map", program, "--html", tmp_path / "none" / "map.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["not.h5", "short.npz"]


def test_damaged_recordings_are_one_line(made: Path, tmp_path: Path) -> None:
    rng, whole = np.random.default_rng(5), (made / "net-ran.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    refused("map", made / "net.h5", "--input", made / "x.npz", "--activity", tmp_path / "cut.h5")
    with h5py.File(made / "net-ran.h5") as file, h5py.File(tmp_path / "links.h5", "w") as odd:
        odd.create_group("hidden")["s"] = h5py.ExternalLink("/etc/passwd", "s")
        odd.create_group("out")["s"] = file["out/s"][()] * 7
        odd["program_sha256"] = file["program_sha256"][()]
    refused("map", made / "net.h5", "--input", made / "x.npz", "--activity", tmp_path / "links.h5")
    for k in range(4):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole)))] ^= 1 << int(rng.integers(8))
        (tmp_path / f"{k}.h5").write_bytes(damaged)
        ran = spikeport("map", made / "net.h5", "--input", made / "x.npz", "--activity", tmp_path / f"{k}.h5")
        assert ran.code in (0, 2)
        assert ran.code == 0 or ran.err.count("\n") == 1
