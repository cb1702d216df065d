"""`spikeport evaluate` from a run to its files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from spikeport.cli import main
from spikeport.train import Epoch, data_of, model_of, save_run
from spikeport.train.autoencoders import FadAutoencoder, Plan, pixels
from spikeport.train.recipe import parse_recipe
from tests.html_page import assert_stands_alone

RECIPE = """
[data]
name = "digits"
size = 16
symmetric = true
limit_train = 40
limit_test = 12
[model]
name = "{model}"
widths = [2, 3]
latent = 6
{more}
[train]
epochs = 1
batch = 20
learning_rate = 1e-3
seed = 1
[paper]
title = "A paper"
mse = 0.5
fad = 3.5
"""


def run_of(folder: Path, model: str, more: str = "steps = 3") -> Path:
    recipe = parse_recipe(model, RECIPE.format(model=model, more=more))
    save_run(folder, recipe, model_of(recipe, data_of(recipe)), [Epoch(1, 0.5, 0.25)])
    return folder


def called(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["spikeport", "evaluate", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    out = capsys.readouterr()
    return int(caught.value.code or 0), out.out, out.err


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda *arguments: called(capsys, monkeypatch, *arguments)


@pytest.mark.parametrize("model", ["esvae", "fsvae"])
def test_a_run_is_measured_in_all_its_parts(model: str, call: Any, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", model)
    torch.save(FadAutoencoder(Plan(pixels((1, 16, 16)), (2, 3), 4)).state_dict(), tmp_path / "fad.pth")
    code, out, err = call(
        run, "--fad", tmp_path / "fad.pth", "--samples", 20, "--epochs", 1, "-o", tmp_path / "out", "--json"
    )
    assert code == 0, err
    found = json.loads(out)
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == found
    assert_stands_alone((tmp_path / "out" / "evaluation.html").read_text())
    assert found["reconstruction"]["images"] == 12 and found["fad"]["samples"] == 20
    assert found["classification"]["train_images"] == 40 and found["published"]["FAD"] == 3.5
    assert {one["task"] for one in found["energy"]} == {"reconstruction", "generation"}
    assert [text.partition(":")[0] for text in found["not_measured"]] == ["inception"]


def test_the_table_shows_what_was_published(call: Any, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "esvae")
    code, out, _ = call(run, "--only", "reconstruction,rates", "--images", 5)
    assert code == 0
    row = next(line for line in out.splitlines() if "Reconstruction error" in line)
    assert " 0.5 " in row and "5 test images" in row
    assert "FAD" not in out and (run / "evaluation.html").is_file()


def test_rounded_and_float_networks_are_measured_apart(call: Any, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "esvae")
    for option, quantized in (((), True), (("--no-quantize",), False)):
        _, out, _ = call(run, "--only", "reconstruction", "--json", *option)
        assert json.loads(out)["quantized"] is quantized


def test_an_ann_has_no_latent_spikes_and_says_so(call: Any, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "ann_vae", "")
    code, out, _ = call(run, "--json")
    found = json.loads(out)
    assert code == 0 and found["quantized"] is False
    lacking = [text.partition(":")[0] for text in found["not_measured"]]
    assert lacking == ["fad", "inception", "robustness", "noise", "rates", "classification"]
    exact = next(one for one in found["energy"] if one["convention"] == "exact")
    assert exact["macs"] == exact["ann_macs"] > 0
    code, _, err = call(run, "--only", "noise")
    assert code == 2 and "noise needs a spiking latent space" in err


def test_what_cannot_be_measured_is_an_error_where_it_was_asked_for(call: Any, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "esvae")
    for part, words in (
        ("fad", "give --fad RUN_OR_FILE"),
        ("inception", "torch-fidelity"),
        ("beauty", "is not one of"),
    ):
        code, out, err = call(run, "--only", part)
        assert code == 2 and words in err and out == ""
    assert not (run / "evaluation.json").exists()


def test_a_network_for_other_images_is_an_error(call: Any, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", "esvae")
    torch.save(FadAutoencoder(Plan(pixels((1, 32, 32)), (2, 3), 4)).state_dict(), tmp_path / "fad.pth")
    code, _, err = call(run, "--fad", tmp_path / "fad.pth", "--images", 4, "--samples", 4)
    assert code == 2 and "FAD: images ((1, 16, 16)) are not (1, 32, 32)" in err


def test_a_classifiers_run_is_refused(call: Any, tmp_path: Path) -> None:
    text = RECIPE.format(model="small_conv", more='steps = 2\nneuron = "alif"\nchannels = [1, 2]\nvotes = 1').replace(
        "widths = [2, 3]\nlatent = 6\n", ""
    )
    recipe = parse_recipe("digits", text.replace("symmetric = true\n", ""))
    save_run(tmp_path / "run", recipe, model_of(recipe, data_of(recipe)), [Epoch(1, 0.5, 0.25)])
    code, _, err = call(tmp_path / "run")
    assert code == 2 and "model (small_conv) is not generative" in err
