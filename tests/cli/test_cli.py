"""The commands from a recipe to the energy, and bad input: exit 2, one line, nothing left behind."""

import hashlib
import io
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import nir
import numpy as np
import pytest
import torch

from spikeport import cli
from spikeport.cli.app import app
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate
from spikeport.train import load_data, load_run, predict
from tests.errors.lines import said

RECIPE = """
[data]
name = "digits"
[model]
name = "small_conv"
steps = 3
neuron = "alif"
channels = [2, 3]
votes = 2
tau = 0.5
threshold = 0.5
[train]
epochs = 1
batch = 100
learning_rate = 1e-2
seed = 0
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Strict JSON: without NaN, which many readers refuse."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def spikeport(*arguments: object) -> Ran:
    """Runs `main` in this process, as the installed command does."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["spikeport", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        with pytest.raises(SystemExit) as caught:
            cli.main()
    code = caught.value.code
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def done(*arguments: object) -> Ran:
    ran = spikeport(*arguments)
    assert ran.code == 0, ran.err
    return ran


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the commands make: run, net.nir, x.npz, net.h5."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "tiny.toml").write_text(RECIPE)
    done("train", folder / "tiny.toml", "-o", folder / "run", "--json")
    done("export", folder / "run", "-o", folder / "net.nir", "--samples", folder / "x.npz", "--json")
    done("compile", folder / "net.nir", "-o", folder / "net.h5", "--json")
    return folder


# ---------------------------------------------------------------- the whole way


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


@pytest.mark.parametrize(
    "command", ["train", "export", "finetune", "check", "compile", "run", "energy", "verify", "doctor", "demo"]
)
def test_every_command_explains_itself(command: str) -> None:
    out = done(command, "--help").out
    assert f"spikeport {command}" in out
    assert "--json" in out


def test_the_help_shows_every_command_once_in_the_order_of_the_work() -> None:
    heading, shown = "", {}
    for line in done("--help").out.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            heading = line[:-1]
        elif line.startswith("  ") and not line.startswith("   ") and heading not in ("", "Options"):
            shown.setdefault(heading, []).append(line.split()[0])
    assert list(shown) == [
        "First steps",
        "Train",
        "Compile",
        "Run",
        "Prove",
        "Estimate energy",
        "Autoencoders",
        "Measure",
    ]
    assert shown["Train"] == ["recipes", "train", "finetune", "export"]
    names = [name for group in shown.values() for name in group]
    assert len(names) == len(set(names)) == len(app.registered_commands) + len(app.registered_groups)


# ---------------------------------------------------------------- bad input


def edited(net: str, edit: Callable[[h5py.File], None]) -> Callable[[Path, Path], None]:
    """Copies the file of that name and changes it."""

    def prepare(made: Path, folder: Path) -> None:
        (folder / net).write_bytes((made / net).read_bytes())
        with h5py.File(folder / net, "r+") as file:
            edit(file)

    return prepare


def truncated(name: str) -> Callable[[Path, Path], None]:
    return lambda made, folder: void((folder / name).write_bytes((made / name).read_bytes()[:-100]))


def text(name: str, content: str = "hello\n") -> Callable[[Path, Path], None]:
    return lambda made, folder: void((folder / name).write_text(content))


def samples(**arrays: Any) -> Callable[[Path, Path], None]:
    return lambda made, folder: np.savez(folder / "x.npz", **arrays)


def one_array(made: Path, folder: Path) -> None:
    with (folder / "x.npz").open("wb") as file:
        np.save(file, X)


def void(_: object) -> None:
    """For calls whose result nobody wants."""


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


class Mkdir:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path]]:
        return Path.mkdir, (self.path,)


def foreign_run(weights: Callable[[Path], bytes]) -> Callable[[Path, Path], None]:
    def prepare(made: Path, folder: Path) -> None:
        (folder / "run").mkdir()
        (folder / "run/recipe.toml").write_text(RECIPE)
        (folder / "run/weights.pt").write_bytes(weights(folder))

    return prepare


def hostile(folder: Path) -> bytes:
    return pickle.dumps(Mkdir(folder / "sprung"))


def of_another_net(folder: Path) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, buffer)
    return buffer.getvalue()


def resting(made: Path, folder: Path) -> None:
    program = load_program(made / "net.h5")
    groups = tuple(replace(g, refractory_steps=2) for g in program.lifs)
    save_program(replace(program, groups=groups), folder / "resting.h5")


X = np.zeros((3, 2, 1, 8, 8), np.uint8)
COMPILE, RUN = ("compile", "{here}/net.nir", "-o", "{here}/out.h5"), ("run", "{made}/net.h5", "-o", "{here}/y.npz")
RUN_X = (*RUN, "--input", "{here}/x.npz")
ENERGY_X = ("energy", "{made}/net.h5", "--input", "{here}/x.npz")
DO_WRITE = "; choose a folder that you may write to"
DO_NPZ = "; write it with numpy.savez, integers only"

Prepare = Callable[[Path, Path], None]
BAD: dict[str, tuple[tuple[str, ...], Prepare, str]] = {
    # train
    "no recipe": (
        ("train", "{here}/none.toml", "-o", "{here}/run"),
        text("other"),
        "{here}/none.toml: no such recipe; name a TOML file, or one that spikeport recipes lists",
    ),
    "recipe that is no TOML": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml"),
        "recipe r: is not TOML (",
    ),
    "recipe with an unknown model": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml", RECIPE.replace("small_conv", "resnet")),
        "model: name (resnet) is not one of alif_net, ann_vae, esvae, ",
    ),
    "recipe with an illegal decay": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml", RECIPE.replace("tau = 0.5", "tau = 2")),
        "ALIF: tau (2) is not in (0, 1)",
    ),
    "recipe with unknown data": (
        ("train", "{here}/r.toml", "-o", "{here}/run"),
        text("r.toml", RECIPE.replace("digits", "emnist")),
        "data: name (emnist) is not one of digits, mnist, ",
    ),
    "recipe that is not named": (
        ("train", "-o", "{here}/run"),
        text("other"),
        "train: no recipe; name a TOML file or a",
    ),
    "setting without a section": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--set", "epochs=3"),
        text("other"),
        "recipe tiny: setting (epochs=3) is not SECTION.KEY=VALUE; write it as --set train.epochs=3",
    ),
    "nothing to resume": (
        ("train", "-o", "{here}/run", "--resume"),
        text("other"),
        "{here}/run/checkpoint.pt: no such file; begin a run with: spikeport train RECIPE -o RUN",
    ),
    "16 bits without a GPU": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--precision", "16", "--accelerator", "cpu"),
        text("other"),
        "train: precision (16) needs a GPU; use bf16 or 32",
    ),
    "batches that are larger than the data": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--set", "train.batch=2000", "--set", "train.drop_last=true"),
        text("other"),
        "train: samples (1400) fill no batch of 2000; lower train.batch",
    ),
    "unknown augmentation": (
        ("train", "{made}/tiny.toml", "-o", "{here}/run", "--set", 'data.augment=["blur"]'),
        text("other"),
        "augment: name (blur) is not one of crop, flip",
    ),
    "run that cannot be written": (
        ("train", "{made}/tiny.toml", "-o", "{here}/file/run"),
        text("file"),
        "{here}/file/run: cannot be written (Not a directory)" + DO_WRITE,
    ),
    # finetune
    "fine-tuning without labels": (
        ("finetune", "{made}/net.h5", "--input", "{here}/x.npz", "-o", "{here}/net.nir"),
        samples(spikes=X),
        "{here}/x.npz: holds no labels; add an array 'labels' of shape (B,)",
    ),
    "fine-tuning with labels that are no class": (
        ("finetune", "{made}/net.h5", "--input", "{here}/x.npz", "-o", "{here}/net.nir"),
        samples(spikes=X, labels=np.array([0, 10])),
        "labels: range (0..10) is not in [0, 10)",
    ),
    "fine-tuning for no epoch": (
        ("finetune", "{made}/net.h5", "--input", "{made}/x.npz", "--epochs", "0", "-o", "{here}/net.nir"),
        text("other"),
        "fine-tuning: epochs (0) is not in [1, 1000000]",
    ),
    "fine-tuning what is not LIF": (
        ("finetune", "{here}/resting.h5", "--input", "{made}/x.npz", "-o", "{here}/net.nir"),
        resting,
        "lif1: refractory_steps (2) is not 0; only neurons without one can be trained",
    ),
    # export
    "no run": (
        ("export", "{here}", "-o", "{here}/net.nir"),
        text("other"),
        "{here}: lacks recipe.toml; make a run with: spikeport train RECIPE -o RUN",
    ),
    "checkpoint that runs code": (
        ("export", "{here}/run", "-o", "{here}/net.nir"),
        foreign_run(hostile),
        "{here}/run/weights.pt: is not a checkpoint of tensors (",
    ),
    "checkpoint of another network": (
        ("export", "{here}/run", "-o", "{here}/net.nir"),
        foreign_run(of_another_net),
        "{here}/run/weights.pt: is not a checkpoint of this recipe; train again",
    ),
    "NIR file that cannot be written": (
        ("export", "{made}/run", "-o", "{here}/file/net.nir"),
        text("file"),
        "{here}/file/net.nir: cannot be written (Not a directory)" + DO_WRITE,
    ),
    "samples that cannot be written": (
        ("export", "{made}/run", "-o", "{here}/net.nir", "--samples", "{here}/none/x.npz"),
        text("other"),
        "{here}/none/x.npz: cannot be written (No such file or directory)" + DO_WRITE,
    ),
    "samples in place of a folder": (
        ("export", "{made}/run", "-o", "{here}/net.nir", "--samples", "{here}"),
        text("other"),
        "{here}: cannot be written (Is a directory)" + DO_WRITE,
    ),
    # check and compile
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
    # run
    "no Program": (
        ("run", "{here}/net.h5", "--input", "{made}/x.npz", "-o", "{here}/y.npz"),
        text("net.h5"),
        "{here}/net.h5: is not a spikeport Program; make one with: spikeport compile net.nir",
    ),
    "truncated Program": (
        ("run", "{here}/net.h5", "--input", "{made}/x.npz", "-o", "{here}/y.npz"),
        truncated("net.h5"),
        "{here}/net.h5: is damaged; compile it again, or copy it again",
    ),
    "no input": (RUN_X, text("other"), "{here}/x.npz: no such file"),
    "input that is no npz": (RUN_X, text("x.npz"), "{here}/x.npz: is not a readable npz file (it is no zip file)"),
    "truncated input": (RUN_X, truncated("x.npz"), "{here}/x.npz: is not a readable npz file ("),
    "input that is one array": (
        RUN_X,
        one_array,
        "{here}/x.npz: is not an npz file; write it with numpy.savez",
    ),
    "empty input": (RUN_X, text("x.npz", ""), "{here}/x.npz: is not a readable npz file ("),
    "input of objects": (
        RUN_X,
        samples(spikes=np.array([{}, None], object)),
        "{here}/x.npz: is not a readable npz file (Object arrays cannot be loaded when allow_pickle=False)" + DO_NPZ,
    ),
    "input of another name": (
        RUN_X,
        samples(images=X),
        "{here}/x.npz: holds no array ('spikes'); see 'spikeport run --help' for its layout",
    ),
    "input of the wrong shape": (
        RUN_X,
        samples(spikes=X[..., :7]),
        "input input: shape ((3, 2, 1, 8, 7)) is not (T, B, 1, 8, 8)",
    ),
    "input without time": (
        RUN_X,
        samples(spikes=X[0]),
        "input input: shape ((2, 1, 8, 8)) is not (T, B, 1, 8, 8)",
    ),
    "input of the wrong type": (
        RUN_X,
        samples(spikes=X / 255),
        "input input: type (float64) is not an integer array; round it to integers first",
    ),
    "input out of range": (
        RUN_X,
        samples(spikes=X.astype(np.int16) - 1),
        "input input: value (-1) is not in [0, 255]",
    ),
    "labels missing": (
        (*RUN_X, "--accuracy"),
        samples(spikes=X),
        "{here}/x.npz: holds no labels; add an array 'labels' of shape (B,)",
    ),
    "labels of the wrong length": (
        RUN_X,
        samples(spikes=X, labels=np.arange(3)),
        "{here}/x.npz: labels (int64, shape (3,)) are not one integer for each sample",
    ),
    "labels of the wrong type": (
        RUN_X,
        samples(spikes=X, labels=np.ones(2)),
        "{here}/x.npz: labels (float64, shape (2,)) are not one integer for each sample",
    ),
    "unknown backend": (
        (*RUN_X, "--backend", "gpu"),
        samples(spikes=X),
        "backend: name (gpu) is not one of ",
    ),
    "unknown group": (
        (*RUN_X, "--record", "lif1,lif9"),
        samples(spikes=X),
        "record: group (lif9) is not one of lif1, lif2, lif3",
    ),
    "result that cannot be written": (
        ("run", "{made}/net.h5", "--input", "{made}/x.npz", "-o", "{here}/file/y.npz"),
        text("file"),
        "{here}/file/y.npz: cannot be written (Not a directory)" + DO_WRITE,
    ),
    # energy
    "energy of the wrong shape": (
        ENERGY_X,
        samples(spikes=X[..., :7]),
        "input input: shape ((3, 2, 1, 8, 7)) is not (T, B, 1, 8, 8)",
    ),
    "unknown prices": (
        (*ENERGY_X, "--profile", "free"),
        samples(spikes=X),
        "energy: profile ('free') is not one of cmos45-fp16, cmos45-fp32",
    ),
    "report that cannot be written": (
        (*ENERGY_X, "--html", "{here}/x.npz/report.html"),
        samples(spikes=X),
        "{here}/x.npz/report.html: cannot be written (Not a directory)" + DO_WRITE,
    ),
}


def listing(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in sorted(folder.rglob("*"))}


@pytest.mark.parametrize(("arguments", "prepare", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    made: Path, tmp_path: Path, arguments: tuple[str, ...], prepare: Prepare, message: str
) -> None:
    prepare(made, tmp_path)
    before = listing(tmp_path)
    ran = spikeport(*(a.format(here=tmp_path, made=made) for a in arguments))
    assert ran.code == 2
    assert ran.out == ""
    assert said(ran.err).startswith(message.replace("{here}", str(tmp_path)))
    assert ran.err.count("\n") == 1 and ran.err.endswith("\n")
    assert listing(tmp_path) == before


def test_accuracy_of_a_program_that_does_not_vote_is_refused(made: Path, tmp_path: Path) -> None:
    program = load_program(made / "net.h5")
    output = replace(program.outputs[0], classes=0)
    save_program(replace(program, outputs=(output,)), tmp_path / "net.h5")
    before = listing(tmp_path)
    ran = spikeport("run", tmp_path / "net.h5", "--input", made / "x.npz", "-o", tmp_path / "y.npz", "--accuracy")
    assert (ran.code, ran.err) == (
        2,
        f"error SP215: {tmp_path}/net.h5: classes of the output (0) is not above 0; compile with --classes N\n",
    )
    assert listing(tmp_path) == before


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


def test_a_damaged_input_file_is_refused_wherever_a_byte_is_wrong(made: Path, tmp_path: Path) -> None:
    with np.load(made / "x.npz") as file:
        np.savez_compressed(tmp_path / "x.npz", spikes=file["spikes"][:, :20])
    data = (tmp_path / "x.npz").read_bytes()
    for position in range(0, len(data), 41):
        (tmp_path / "x.npz").write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        ran = spikeport("run", made / "net.h5", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
        assert ran.code in (0, 2)
        if ran.code == 2:
            assert said(ran.err).count("\n") == 1


def test_the_installed_command_reports_on_standard_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spikeport", "check", str(tmp_path / "net.nir")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"error SP101: {tmp_path}/net.nir: no such file\n"
