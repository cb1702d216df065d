"""`spikeport map`: tables, files, runs, exit codes, and bad input in one line each."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from spikeport.bench.scale import network
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.program_file import load_program, save_program
from spikeport.sim.board_run import BoardRun, save_board_run
from tests.cli.command import done, spikeport
from tests.cli.test_energy import BATCH, STEPS
from tests.cli.test_energy import net as host_net
from tests.errors.lines import said
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


# Searched, and written -----------------------------------------------------------------------------------------


def test_a_search_says_before_and_after_by_the_run(made: Path, tmp_path: Path) -> None:
    asked = ("map", made / "net.h5", "--input", made / "x.npz", "--json", "--cores")
    plain = done(*asked).json
    assert plain["search"] is None
    found = done(*asked, "--search", "--cores-at-most", "4", "-o", tmp_path / "m.json").json
    before, after = found["search"]["before"], found["search"]["after"]
    assert (before["cores"], before["chips"]) == (plain["cores_used"], plain["chips_used"])
    assert (after["cores"], after["chips"]) == (found["cores_used"], found["chips_used"])
    assert after["busiest_ns"] < before["busiest_ns"] and before["cores"] < after["cores"] <= 4
    assert (found["search"]["activity"], found["search"]["profile"]) == ("measured", "loihi2-estimate")
    assert found["activity"]["sops"] == plain["activity"]["sops"]
    assert after["fullest"] == pytest.approx(max(core["used"] for core in found["cores"]), abs=1e-4)  # rounded there
    priced = ("energy", made / "net.h5", "--input", made / "x.npz", "--profile", "loihi2-estimate", "--json")
    mapped = done(*priced, "--mapping", tmp_path / "m.json").json
    assert mapped["latency"]["busiest_cores"][0]["ns_mean"] == after["busiest_ns"]
    assert done(*priced).json["latency"]["busiest_cores"][0]["ns_mean"] == before["busiest_ns"]
    hops = [group["hops_x"] + group["hops_y"] for group in mapped["cores"]["groups"].values()]
    assert sum(hops) / (6 * 3) == after["hops"]


def test_a_search_without_a_run_takes_all_neurons_as_alike(made: Path) -> None:
    shown = done("map", made / "net.h5", "--search", "--cores-at-most", "3").out
    assert "The search went by a spike of every neuron in 10% of the steps, at the times of loihi2-estimate" in shown
    found = done("map", made / "net.h5", "--search", "--cores-at-most", "3", "--json").json
    assert (found["search"]["activity"], found["activity"]) == ("assumed", None)
    assert found["search"]["after"]["busiest_ns"] < found["search"]["before"]["busiest_ns"]
    other = done("map", made / "net.h5", "--search", "--profile", "loihi1-davies2018", "--json").json
    assert other["search"]["profile"] == "loihi1-davies2018"
    assert other["search"]["before"]["busiest_ns"] > found["search"]["before"]["busiest_ns"]


def test_a_written_mapping_is_read_as_it_was_shown(made: Path, tmp_path: Path) -> None:
    asked = ("map", made / "net.h5", "--input", made / "x.npz", "--json", "--cores")
    searched = done(*asked, "--search", "--cores-at-most", "5", "-o", tmp_path / "m.json").json
    read = done(*asked, "--mapping", tmp_path / "m.json", "-o", tmp_path / "again.json").json
    assert read == {**searched, "search": None}
    assert (tmp_path / "m.json").read_bytes() == (tmp_path / "again.json").read_bytes()
    further = done(*asked, "--mapping", tmp_path / "m.json", "--search").json["search"]
    assert further["before"] == searched["search"]["after"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.json", "m.json"]


def test_rules_of_one_chip_are_those_of_the_mapping_that_is_shown(tmp_path: Path) -> None:
    save_program(network(6e5), tmp_path / "large.h5")
    plain = done("map", tmp_path / "large.h5", "--json").json
    asked = ("map", tmp_path / "large.h5", "--search", "--cores-at-most", 2 * plain["cores_used"])
    found = done(*asked, "--json").json
    assert found["cores_used"] > plain["cores_used"]
    cores = [v["value"] for v in found["violations"] if v["id"] == "cores_fit_one_chip"]
    assert cores == [found["cores_used"]]
    shown = done(*asked).out
    assert "One chip does not hold this mapping: " in shown and "'spikeport check'" not in shown


def test_a_bound_that_no_mapping_keeps_is_exit_1(tmp_path: Path) -> None:
    group = LIF("a", (9000,), 4095, 0, 10, np.zeros(9000, int))
    program = Program((group,), (Dense("x", "a", np.ones((9000, 1), int)),), (Input("x", (1,), "spike"),),
                      (Output("y", "a"),), latency=1)  # fmt: skip
    save_program(program, tmp_path / "wide.h5")
    ran = spikeport("map", tmp_path / "wide.h5", "--search", "--cores-at-most", "2", "--json")
    assert (ran.code, ran.json["fits"], ran.json["search"]["kept"], ran.json["cores_used"]) == (1, True, False, 3)
    shown = spikeport("map", tmp_path / "wide.h5", "--search", "--cores-at-most", "2")
    assert "No mapping on at most 2 cores was found; this one has 3" in shown.out
    assert done("map", tmp_path / "wide.h5", "--search", "--cores-at-most", "3", "--json").json["search"]["kept"]


def test_the_page_has_the_search_and_how_to_repeat_it(made: Path, tmp_path: Path) -> None:
    asked = ("map", made / "net.h5", "--input", made / "x.npz", "--search", "--cores-at-most", "4")
    done(*asked, "--profile", "loihi1-davies2018", "--html", tmp_path / "map.html")
    text = (tmp_path / "map.html").read_text()
    assert_stands_alone(text)
    assert "What the search changed" in text and "By the times of loihi1-davies2018, " in text
    (command,) = [line for line in text.splitlines() if "spikeport map" in line]
    for words in ("--search", "--cores-at-most 4", "--profile loihi1-davies2018", f"--input {made / 'x.npz'}"):
        assert words in command
    again = command.partition("<code>")[2].partition("</code>")[0].split()
    done(*again[1:])
    assert (tmp_path / "map.html").read_text() == text


# Runs of a board -----------------------------------------------------------------------------------------------


def board_file(made: Path, path: Path, name: str, without: str = "") -> Path:
    """What the simulator recorded, as a board's run."""
    program = load_program(made / f"{name}.h5")
    with h5py.File(made / f"{name}-ran.h5") as file:
        recorded = {g.name: {"s": file[f"{g.name}/s"][()], "v": file[f"{g.name}/v"][()]} for g in program.groups}
    if without:
        del recorded[without]["s"]
    save_board_run(path, program, BoardRun(recorded, {"board": {"name": "made"}}))
    return path


@pytest.mark.parametrize("name", ["net", "host"])
def test_a_run_of_a_board_gives_what_its_spikes_give(made: Path, tmp_path: Path, name: str) -> None:
    samples = ("--input", made / ("x.npz" if name == "net" else "i.npz"))
    simulated = spikeport("map", made / f"{name}.h5", *samples, "--json", "--cores")
    whole, part = board_file(made, tmp_path / "y.h5", name), board_file(made, tmp_path / "part.h5", name, "out")
    for options in (samples, ()):
        if name == "net" and not options:
            assert "are not recorded; give the samples too" in refused("map", made / "net.h5", "--activity", whole)
            continue
        ran = spikeport("map", made / f"{name}.h5", *options, "--activity", whole, "--json", "--cores")
        assert (ran.code, ran.json) == (simulated.code, simulated.json)
    ran = spikeport("map", made / f"{name}.h5", *samples, "--activity", part, "--json", "--cores")
    assert ran.json == simulated.json
    assert ran.err.endswith("has no spikes of out; the simulator's are counted\n")
    if name == "host":
        found = refused("map", made / "host.h5", "--activity", part)
        assert "spikes of groups (out) are not recorded; give the samples too" in found


def test_spikes_of_a_board_are_counted_and_not_those_of_the_simulator(made: Path, tmp_path: Path) -> None:
    """One spike more of the hidden layer is 4 operations more, one for each neuron of the next."""
    program = load_program(made / "net.h5")
    with h5py.File(made / "net-ran.h5") as file:
        recorded = {g.name: {"s": file[f"{g.name}/s"][()]} for g in program.groups}
    silent = np.argwhere(recorded["hidden"]["s"][2:5, 0] == 0)[0]
    recorded["hidden"]["s"][2 + silent[0], 0, silent[1]] = 1
    save_board_run(tmp_path / "y.h5", program, BoardRun(recorded, {}))
    asked = ("map", made / "net.h5", "--input", made / "x.npz", "--json")
    more = done(*asked, "--activity", tmp_path / "y.h5").json["activity"]["sops"]
    assert more - done(*asked).json["activity"]["sops"] == 4
    refused("map", made / "host.h5", "--input", made / "i.npz", "--activity", tmp_path / "y.h5")
    np.savez(tmp_path / "few.npz", spikes=np.zeros((6, 2, 30), int))
    refused("map", made / "net.h5", "--input", tmp_path / "few.npz", "--activity", tmp_path / "y.h5")
    (tmp_path / "cut.h5").write_bytes((tmp_path / "y.h5").read_bytes()[:3000])
    refused("map", made / "net.h5", "--input", made / "x.npz", "--activity", tmp_path / "cut.h5")


# Bad input -----------------------------------------------------------------------------------------------------


def refused(*arguments: object) -> str:
    ran = spikeport(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said(ran.err).count("\n") == 1
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


def test_options_that_do_not_go_together_are_one_line(made: Path, tmp_path: Path) -> None:
    program, x = made / "net.h5", made / "x.npz"
    assert "--cores-at-most needs --search" in refused("map", program, "--cores-at-most", "3")
    assert "--cores-at-most (0) is below 1" in refused("map", program, "--search", "--cores-at-most", "0")
    assert "--profile needs --search or a run" in refused("map", program, "--profile", "loihi2-estimate")
    assert "has no times of a core" in refused("map", program, "--search", "--profile", "cmos45-fp32")
    assert "is not one of" in refused("map", program, "--search", "--profile", "loihi7")
    assert "read or written already" in refused("map", program, "--search", "-o", program)
    assert "read or written already" in refused("map", program, "--html", tmp_path / "a", "-o", tmp_path / "a")
    assert "no such file" in refused("map", program, "--mapping", tmp_path / "none.json")
    done("map", program, "-o", tmp_path / "m.json")
    assert "read or written already" in refused("map", program, "--mapping", tmp_path / "m.json", "-o",
                                                tmp_path / "m.json")  # fmt: skip
    assert "is not loihi1" in refused("map", program, "--target", "loihi1", "--mapping", tmp_path / "m.json")
    assert "groups" in refused("map", made / "host.h5", "--mapping", tmp_path / "m.json")
    energy = ("energy", program, "--input", x, "--mapping", tmp_path / "m.json")
    assert "does not go with --no-cores" in refused(*energy, "--no-cores")
    assert "do not apply to shapes" in refused("energy", "dalif-cifar100", "--mapping", tmp_path / "m.json")


Change = Callable[[dict[str, Any]], object]
DAMAGES: dict[str, tuple[Change, str]] = {
    "no groups": (lambda m: m.pop("groups"), "groups are not a list of objects"),
    "a group": (lambda m: m["groups"].pop(), "are not hidden, out"),
    "a name": (lambda m: m["groups"][0].update(name=[]), "are not hidden, out"),
    "a shape": (lambda m: m["groups"][0].update(shape=[41, 1, 1]), "shape of hidden"),
    "an empty block": (lambda m: m["groups"][0].update(block=[0, 1, 1]), "block of hidden"),
    "a large block": (lambda m: m["groups"][0].update(block=[41, 1, 1]), "block of hidden"),
    "a word": (lambda m: m["groups"][0].update(block="aaa"), "block of hidden"),
    "few cores": (lambda m: m["groups"][0].update(cores=[]), "are not a list of 1"),
    "no number": (lambda m: m["groups"][1].update(cores=[True]), "cores of out"),
    "below 0": (lambda m: m["groups"][1].update(cores=[-1]), "cores of out"),
    "far away": (lambda m: m["groups"][1].update(cores=[10**18]), "cores of out"),
    "too many on one": (
        lambda m: m["groups"][0].update(block=[4, 1, 1], cores=[7] * 10),
        "core 7 (hidden) has more blocks than it holds",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_mapping_is_one_line(made: Path, tmp_path: Path, name: str) -> None:
    change, message = DAMAGES[name]
    done("map", made / "net.h5", "-o", tmp_path / "m.json")
    document = json.loads((tmp_path / "m.json").read_text())
    change(document)
    (tmp_path / "m.json").write_text(json.dumps(document))
    assert message in refused("map", made / "net.h5", "--mapping", tmp_path / "m.json")


NO_MAPPING = [
    *[(content, "SP103") for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000)],
    *[(content, "SP105") for content in (b"[1]", b"null")],
    (b'{"chip": 3}', "SP109"),
]


@pytest.mark.parametrize(("content", "code"), NO_MAPPING)
def test_what_is_no_mapping_is_one_line(made: Path, tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "m.json").write_bytes(content)
    assert f"error {code}: " in refused("map", made / "net.h5", "--mapping", tmp_path / "m.json")
