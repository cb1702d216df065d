"""The page of a training run stands alone, shows what it is given, and escapes it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.commands.report.page import render_page
from spikeport.commands.report.training import lede, training_sections, write_training
from spikeport.train import Epoch
from spikeport.train.recipe import parse_recipe
from spikeport.train.report import TrainingReport
from tests.html_page import Page, assert_stands_alone
from tests.train.test_report import CONFUSION, RECIPE, layers, of_an_autoencoder, report


def rendered(made: TrainingReport) -> str:
    return render_page("Training run", lede(made), training_sections(made))


def test_the_page_stands_alone_with_all_its_sections() -> None:
    page = rendered(report())
    assert_stands_alone(page)
    wanted = ["overview", "training", "recipe", "confusion", "reproduce"]
    assert [name for name in Page(page).ids if name in wanted] == wanted


def test_the_page_shows_recipe_command_and_figures_escaped() -> None:
    text = Page(rendered(report())).text
    shown = (
        "# <b>bold</b> & more",
        "spikeport <x>",
        "95.00%",
        "90.00%",
        "1,234",
        "layer2",
        "A paper, Table 1",
        "torch",
    )
    assert [words for words in shown if words not in text] == []


def test_the_same_run_gives_the_same_page() -> None:
    assert rendered(report()) == rendered(report())


@pytest.mark.parametrize("classes", [2, 100])
def test_one_epoch_and_many_classes_are_drawn(classes: int) -> None:
    plain = parse_recipe("plain", RECIPE.split("keep")[0])
    history = [Epoch(1, 1.0, 0.5, layers=layers(1))]
    counts = np.eye(classes, dtype=np.int64)
    made = report(recipe=plain, history=history, kept=1, tested=replace(CONFUSION, counts=counts))
    text = Page(rendered(made)).text
    assert "Published" not in text and f"Confusion matrix of {classes} classes" in text


def test_an_autoencoders_page_shows_its_pictures() -> None:
    page = rendered(of_an_autoencoder(True))
    text = Page(page).text
    shown = ("Pictures", "reconstruction", "mmd", "training 0.25, test 0.125", "0.2625", "layer2")
    assert [words for words in shown if words not in text] == []
    assert "Confusion" not in text
    assert page.count("<image ") == 12


def test_an_ann_has_neither_neurons_nor_integers() -> None:
    text = Page(rendered(of_an_autoencoder(False))).text
    assert "Float mean squared error" in text
    assert [word for word in ("Gain", "Quantized", "Firing rate", "generates") if word in text] == []


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    write_training(tmp_path / "report.html", report())
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
