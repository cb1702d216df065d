"""`spikeport report` on files and folders, as a user gives them."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spikeport.commands.report import beside
from spikeport.commands.report.of_program import Asked
from spikeport.commands.report.report import report
from spikeport.deploy import compile_graph
from spikeport.errors import FileError, LavaMissing, OverflowDetected, SpikeportError
from spikeport.export import to_nir, write_nir
from spikeport.program_file import load_program, save_program
from spikeport.sim import simulate
from spikeport.train import SpikingLayer, load_data, load_recipe, model_of, save_run, set_quantize
from spikeport.train.loop.history import Epoch, LayerFigures, neurons
from tests.html_page import Page, assert_stands_alone
from tests.reports import SECTIONS, arrays, program

TRAINED = [*SECTIONS[:3], "training", "recipe", *SECTIONS[3:]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """net.h5 and x.npz; and run, digits.nir, digits.h5 and digits.npz of a network that nobody trained."""
    here = tmp_path_factory.mktemp("report")
    save_program(program(), here / "net.h5")
    np.savez(here / "x.npz", **arrays())
    given = ("model.channels=[2, 3]", "model.votes=2", "model.steps=4")
    recipe, data = load_recipe("digits", given), load_data("digits")
    model = model_of(recipe, data)
    with torch.no_grad():
        model(torch.from_numpy(data.train.images[:50]))  # batch norm sees some images
    layers = tuple(LayerFigures(name, 0.1, *found) for name, found in neurons(model).items())
    save_run(here / "run", recipe, model, [Epoch(1, 0.5, 0.4, layers=layers), Epoch(2, 0.4, 0.5, layers=layers)])
    set_quantize(model.eval(), True)
    write_nir(to_nir(model, torch.from_numpy(data.test.images[:1])), here / "digits.nir")
    save_program(compile_graph(here / "digits.nir"), here / "digits.h5")
    x = np.broadcast_to(data.test.images[:20], (4, 20, 1, 8, 8))
    np.savez(here / "digits.npz", spikes=x, labels=data.test.labels[:20])
    return here


def page_of(path: Path) -> str:
    html = path.read_text(encoding="utf-8")
    assert_stands_alone(html)
    return html


def test_a_program_alone(folder: Path, tmp_path: Path) -> None:
    answer = report(Asked(folder / "net.h5", tmp_path / "r.html"))
    assert answer.exit_code == 0 and answer.data["sections"] == SECTIONS
    text = Page(page_of(tmp_path / "r.html")).text
    assert "5" * 64 in text and f"spikeport report {folder / 'net.h5'} -o" in text


def test_a_program_with_its_samples_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    words = ["report", folder / "net.h5", "--input", folder / "x.npz", "--samples", 2, "-o", "r.html", "--json"]
    command = [sys.executable, "-m", "spikeport", *map(str, words)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    said = json.loads(ran.stdout)
    assert said["schema"] == "spikeport-report/1" and said["bytes"] == (tmp_path / "r.html").stat().st_size
    text = Page(page_of(tmp_path / "r.html")).text
    assert "the first 2 of 3, 6 steps each" in text and "Simulator accuracy" in text


def test_the_graph_gives_the_waterfall(folder: Path, tmp_path: Path) -> None:
    asked = Asked(folder / "digits.h5", tmp_path / "r.html", folder / "digits.npz", nir=folder / "digits.nir")
    assert report(asked).exit_code == 0
    text = Page(page_of(tmp_path / "r.html")).text
    assert "the file that the Program was compiled from" in text
    assert "the graph, stepped by its convention" in text and "the Program, simulated" in text
    assert load_program(folder / "digits.h5").nir_sha256 in text


def test_another_compilation_of_the_graph_is_noticed(folder: Path, tmp_path: Path) -> None:
    save_program(replace(load_program(folder / "digits.h5"), latency=7), tmp_path / "other.h5")
    report(Asked(tmp_path / "other.h5", tmp_path / "r.html", folder / "digits.npz", nir=folder / "digits.nir"))
    assert "gives another Program, so there is no waterfall" in Page(page_of(tmp_path / "r.html")).text


def test_a_run_that_differs_exits_1_and_says_so_first(folder: Path, tmp_path: Path) -> None:
    net = program()
    spikes = simulate(net, arrays()["spikes"], record=["out"]).traces["out"].s.copy()
    np.savez(tmp_path / "same.npz", **{"out/s": spikes})
    spikes[2, 0, 1] ^= 1
    np.savez(tmp_path / "other.npz", **{"out/s": spikes})
    given = Asked(folder / "net.h5", tmp_path / "r.html", folder / "x.npz")
    assert report(replace(given, run=tmp_path / "same.npz")).exit_code == 0
    answer = report(replace(given, run=tmp_path / "other.npz"))
    assert answer.exit_code == 1 and answer.data["compared"][0]["differing"] == 1
    html = page_of(tmp_path / "r.html")
    assert 'class="banner" role="note">a recorded run, other.npz and the simulator part: 1 of' in html


def test_lava_that_is_not_there_is_said_to_be(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*given: object) -> None:
        raise LavaMissing("lava", "is not here")

    monkeypatch.setattr(beside, "compare_with_lava", gone)
    answer = report(Asked(folder / "net.h5", tmp_path / "r.html", folder / "x.npz", verify=True))
    assert answer.exit_code == 0
    assert "not compared: lava: is not here" in Page(page_of(tmp_path / "r.html")).text


def test_samples_longer_than_the_program_clears_are_warned_of(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "long.npz", spikes=arrays(steps=9)["spikes"])
    report(Asked(folder / "net.h5", tmp_path / "r.html", tmp_path / "long.npz"))
    assert "The samples have 9 steps, but the state is cleared every 8" in Page(page_of(tmp_path / "r.html")).text


def test_a_training_run_becomes_its_program(folder: Path, tmp_path: Path) -> None:
    answer = report(Asked(folder / "run", tmp_path / "r.html", samples=20))
    assert answer.exit_code == 0 and answer.data["sections"] == TRAINED
    assert answer.data["compared"] == [{"against": "torch", "values": 20, "differing": 0}]
    text = Page(page_of(tmp_path / "r.html")).text
    assert load_program(folder / "digits.h5").nir_sha256 in text  # as 'spikeport export' would have written it
    first = (tmp_path / "r.html").read_bytes()
    report(Asked(folder / "run", tmp_path / "r.html", samples=20))
    assert (tmp_path / "r.html").read_bytes() == first


def test_a_network_whose_integers_overflow_still_has_a_page(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(model: SpikingLayer, x: torch.Tensor) -> torch.Tensor:
        if model.quantize and not model.training:
            raise OverflowDetected("layer", "v", got=1, relation="leaves", limit=0)
        return forward(model, x)

    forward = SpikingLayer.forward
    monkeypatch.setattr(SpikingLayer, "forward", overflow)
    answer = report(Asked(folder / "run", tmp_path / "r.html", samples=20))
    assert answer.data["sections"] == TRAINED
    text = Page(page_of(tmp_path / "r.html")).text
    assert "The network has no Program that runs: layer: v (1) leaves 0" in text
    assert "the integers overflow; train with [loss] limits" in text


REFUSED = {
    "nothing there": (dict(subject="none.h5"), "none.h5: no such file"),
    "a folder that is no run": (dict(subject="."), "lacks recipe.toml"),
    "not a Program": (dict(subject="x.npz"), "is not a spikeport Program"),
    "a run without its input": (dict(subject="net.h5", run="x.npz"), "--run and --verify need the samples that ran"),
    "Lava without input": (dict(subject="net.h5", verify=True), "--run and --verify need"),
    "samples below 0": (dict(subject="net.h5", samples=-1), r"samples \(-1\) are below 0"),
    "no recorded run": (dict(subject="net.h5", input="x.npz", run="x.npz"), "no recorded groups"),
    "samples of another network": (dict(subject="net.h5", input="digits.npz"), "shape"),
    "a run with an input": (dict(subject="run", input="x.npz"), r"options \(--input\) do not apply to a run"),
    "over what is read": (dict(subject="net.h5", output="net.h5"), "choose another name"),
    "over what is read of a run": (dict(subject="run", output="run/weights.pt"), "choose another name"),
    "no folder": (dict(subject="net.h5", output="none/r.html"), "cannot be written"),
}


MARKUP = """<img src=x onerror="alert('1')"> & 'quotes'"""


def test_names_of_files_are_text_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    here = tmp_path / MARKUP
    here.mkdir()
    for name, suffix in (("net.h5", "h5"), ("x.npz", "npz"), ("digits.nir", "nir")):
        (here / f"{MARKUP}.{suffix}").write_bytes((folder / name).read_bytes())
    net, x, nir = (here / f"{MARKUP}.{suffix}" for suffix in ("h5", "npz", "nir"))
    np.savez(
        here / f"y{MARKUP}.npz", **{"out/s": simulate(program(), arrays()["spikes"], record=["out"]).traces["out"].s}
    )
    report(Asked(net, here / "r.html", x, here / f"y{MARKUP}.npz", nir))
    html = page_of(here / "r.html")
    assert not re.search(r"<img|onerror=\"", html)
    assert Page(html).text.count(MARKUP) >= 5


def test_names_and_recipes_of_runs_are_text_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / MARKUP
    shutil.copytree(folder / "run", run)
    with (run / "recipe.toml").open("a") as file:
        file.write("# <script>alert(1)</script> \"'\n")
    report(Asked(run, tmp_path / "r.html", samples=5))
    html = page_of(tmp_path / "r.html")
    assert not re.search(r"<img|<script|onerror=\"", html)
    text = Page(html).text
    assert f"Training run: {MARKUP}" in text and "# <script>alert(1)</script> \"'" in text


@pytest.mark.parametrize("given, said", REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_and_nothing_is_written(
    folder: Path, given: dict, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    paths = {name: Path(x) if isinstance(x, str) else x for name, x in given.items()}
    with pytest.raises(SpikeportError, match=said) as raised:
        report(Asked(**{"output": Path("r.html"), **paths}))
    assert raised.value.exit_code == 2
    assert sorted(folder.iterdir()) == before


def test_a_damaged_history_is_named(folder: Path, tmp_path: Path) -> None:
    other = json.dumps([Epoch(1, 0.5, 0.4).to_json()])  # of a network without layers
    for text in ("{", "[]", other, '[{"number": 1}]', "[" * 100_000, "\udcff"):
        for name in ("recipe.toml", "weights.pt"):
            (tmp_path / "run").mkdir(exist_ok=True)
            (tmp_path / "run" / name).write_bytes((folder / "run" / name).read_bytes())
        (tmp_path / "run" / "history.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(FileError, match="history"):
            report(Asked(tmp_path / "run", tmp_path / "r.html"))
    (tmp_path / "run" / "history.json").unlink()
    with pytest.raises(FileError, match="lacks history.json"):
        report(Asked(tmp_path / "run", tmp_path / "r.html"))
