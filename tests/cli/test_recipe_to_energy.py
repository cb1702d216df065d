"""The commands from a recipe to the energy."""

import hashlib
from dataclasses import replace
from pathlib import Path

import nir
import numpy as np

from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate
from spikeport.train import load_data, load_run, predict
from tests.cli.command import done, spikeport
from tests.cli.tiny import RECIPE


def test_train_writes_a_run_and_says_how_good_it_is(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(RECIPE)
    ran = done("train", tmp_path / "tiny.toml", "-o", tmp_path / "run", "--json")
    assert ran.err == ""
    answer = ran.json
    assert (answer["run"], answer["recipe"]) == (str(tmp_path / "run"), "tiny")
    assert (answer["epochs"], answer["test_images"]) == (1, 397)
    assert 0 <= answer["float_accuracy"] <= 1
    _, data, model = load_run(tmp_path / "run")
    right = predict(model, data.test.images) == data.test.labels
    assert answer["quantized_accuracy"] == right.mean()
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        *("checkpoint.pt", "history.json", "lock", "log.csv", "recipe.toml", "report.html", "weights.pt")
    ]


def test_export_writes_a_nir_file_and_the_test_images(made: Path) -> None:
    assert sorted(nir.read(made / "net.nir").nodes) == [
        *("conv1", "conv2", "flatten2", "input", "lif1", "lif2", "lif3", "linear3", "output")
    ]
    digits = load_data("digits").test
    with np.load(made / "x.npz") as file:
        assert file["spikes"].shape == (3, 397, 1, 8, 8)
        assert all(np.array_equal(step, digits.images) for step in file["spikes"])
        assert np.array_equal(file["labels"], digits.labels)


def test_finetune_trains_a_program_further_and_exports_it(made: Path, tmp_path: Path) -> None:
    arguments = ("finetune", made / "net.h5", "--input", made / "x.npz", "--epochs", 2, "-o", tmp_path / "net.nir")
    answer = done(*arguments, "--json").json
    assert (answer["nir"], answer["samples"], len(answer["history"])) == (str(tmp_path / "net.nir"), 397, 2)
    assert answer["accuracy_after"] > answer["accuracy_before"]
    done("compile", tmp_path / "net.nir", "-o", tmp_path / "net.h5", "--json")
    for net, accuracy in ((made, answer["accuracy_before"]), (tmp_path, answer["accuracy_after"])):
        ran = done("run", net / "net.h5", "--input", made / "x.npz", "-o", tmp_path / "y.npz", "--accuracy", "--json")
        assert ran.json["accuracy"] == accuracy


def test_check_says_that_it_fits(made: Path) -> None:
    for net in ("net.nir", "net.h5"):
        answer = done("check", made / net, "--json").json
        assert [(g["group"], g["proven"]) for g in answer.pop("overflow")] == [(f"lif{n}", True) for n in (1, 2, 3)]
        assert [(c["layer"], c["cores"]) for c in answer.pop("cores")] == [(f"lif{n}", 1) for n in (1, 2, 3)]
        assert answer.pop("would_fit") == {"changes": [], "together": None, "tried": 0}
        assert answer.pop("schema") == "spikeport-check/1"
        assert answer == {"file": str(made / net), "target": "loihi2", "fits": True, "violations": [], "remarks": []}


def test_check_lists_what_does_not_fit_and_exits_1(made: Path, tmp_path: Path) -> None:
    program = load_program(made / "net.h5")
    groups = tuple(replace(g, reset_interval=3) for g in program.groups)
    save_program(replace(program, groups=groups), tmp_path / "odd.h5")
    ran = spikeport("check", tmp_path / "odd.h5", "--json")
    assert ran.code == 1
    assert ran.json["fits"] is False
    assert [(v["id"], v["layer"], v["value"], v["limit"]) for v in ran.json["violations"]] == [
        ("reset_intervals_are_powers_of_two", name, 3, 4) for name in ("lif1", "lif2", "lif3")
    ]
    table = spikeport("check", tmp_path / "odd.h5")
    assert table.code == 1
    assert "does not fit loihi2" in table.out
    assert "reset every 4 steps" in " ".join(table.out.split())


def test_compile_writes_the_program_of_the_file(made: Path, tmp_path: Path) -> None:
    answer = done("compile", made / "net.nir", "-o", tmp_path / "net.h5", "--json").json
    program = load_program(tmp_path / "net.h5")
    assert (answer["program"], answer["target"]) == (str(tmp_path / "net.h5"), "loihi2")
    assert answer["latency"] == program.latency == 2
    assert answer["nir_sha256"] == program.nir_sha256 == hashlib.sha256((made / "net.nir").read_bytes()).hexdigest()
    assert [g["name"] for g in answer["groups"]] == ["lif1", "lif2", "lif3"]
    assert [g["vth"] for g in answer["groups"]] == [g.vth for g in program.groups]


def test_compile_takes_what_the_user_says(made: Path, tmp_path: Path) -> None:
    options = ("--target", "loihi1", "--steps", 20, "--classes", 4)
    done("compile", made / "net.nir", "-o", tmp_path / "net.h5", *options)
    program = load_program(tmp_path / "net.h5")
    assert (program.chip, program.groups[0].reset_interval, program.outputs[0].classes) == ("loihi1", 32, 4)


def test_run_gives_the_accuracy_that_torch_has(made: Path, tmp_path: Path) -> None:
    arguments = ("--input", made / "x.npz", "-o", tmp_path / "y.npz", "--record", "lif2", "--accuracy", "--json")
    answer = done("run", made / "net.h5", *arguments).json
    _, data, model = load_run(made / "run")
    correct = int((predict(model, data.test.images) == data.test.labels).sum())
    assert (answer["correct"], answer["accuracy"]) == (correct, correct / 397)
    assert (answer["steps"], answer["samples"], answer["latency"], answer["backend"]) == (3, 397, 2, "sim")
    program = load_program(made / "net.h5")
    with np.load(made / "x.npz") as file:
        expected = simulate(program, file["spikes"], record=["lif2"])
    with np.load(tmp_path / "y.npz") as file:
        assert sorted(file.files) == ["latency", "lif2/s", "lif2/u", "lif2/v", "program_sha256", "spikes"]
        assert np.array_equal(file["spikes"], expected.spikes)
        assert int(file["spikes"].sum()) == answer["spikes"]
        assert np.array_equal(file["lif2/v"], expected.traces["lif2"].v)


def test_run_without_labels_gives_spikes_only(made: Path, tmp_path: Path) -> None:
    with np.load(made / "x.npz") as file:
        np.savez(tmp_path / "x.npz", spikes=file["spikes"][:, :5])
    answer = done("run", made / "net.h5", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz", "--json").json
    assert "accuracy" not in answer
    assert answer["samples"] == 5


def test_energy_prices_the_operations(made: Path, tmp_path: Path) -> None:
    arguments = ("--input", made / "x.npz", "--html", tmp_path / "report.html", "--json")
    answer = done("energy", made / "net.h5", *arguments).json
    assert answer["program"] == "net.h5"
    assert answer["profile"]["name"] == "cmos45-fp32"
    assert answer["model"]["samples"] == 397
    assert (tmp_path / "report.html").read_text().startswith("<!")


def test_people_get_tables(made: Path, tmp_path: Path) -> None:
    out = done("compile", made / "net.nir", "-o", tmp_path / "net.h5").out
    assert "lif3" in out and f"{tmp_path}/net.h5 written" in out
    out = done("run", made / "net.h5", "--input", made / "x.npz", "-o", tmp_path / "y.npz").out
    assert "accuracy" in out and "of 397" in out
    out = done("energy", made / "net.h5", "--input", made / "x.npz").out
    assert "lif1" in out and "SOPs" in out
