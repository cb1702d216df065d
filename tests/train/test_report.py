"""What a report tells of a training run."""

from dataclasses import replace

import numpy as np

from spikeport.train import ChipCheck, Epoch
from spikeport.train.loop.history import LayerFigures
from spikeport.train.loop.tested import Confusion, Pictures
from spikeport.train.recipe import parse_recipe
from spikeport.train.report import TrainingReport, environment, headline_rows, layer_rows

RECIPE = """# <b>bold</b> & more
[data]
name = "digits"
[model]
name = "small_conv"
[train]
epochs = 3
batch = 50
learning_rate = 1e-3
seed = 0
keep = "best"
select_on = "test"
check = "loihi2"
[paper]
title = "A paper"
table = "Table 1"
accuracy = 90.5
"""


CONFUSION = Confusion(np.array([[8, 2], [0, 10]]), 0.95, 0.9)


def layers(k: int) -> tuple[LayerFigures, ...]:
    return tuple(LayerFigures(f"layer{n}", 0.1 * n, 0.9, 0.5 + 0.01 * k, 0.4) for n in (1, 2))


def report(**more: object) -> TrainingReport:
    history = [
        Epoch(k, 1 / k, 0.5 + 0.1 * k, 0.0, 1000.0 * k, 1e-3 / k, layers(k), selected, ChipCheck(0, 5, 0.25))
        for k, selected in ((1, 0.7), (2, 0.9), (3, 0.8))
    ]
    made = TrainingReport(
        parse_recipe("mine", RECIPE),
        history,
        layers(0),
        CONFUSION,
        1234,
        2,
        "spikeport <x>",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_figures_are_those_of_the_kept_epoch() -> None:
    rows = {name: (value, note) for name, value, note in headline_rows(report())}
    assert rows["Epoch kept"] == ("2", "the best of 3, 90.00%, chosen on the test split, as the papers do")
    assert rows["Published accuracy"] == ("90.50%", "A paper, Table 1; ours is -0.50 points from it")
    assert rows["Synaptic operations (SOPs)"][0] == "2,000"
    assert rows["On loihi2"] == ("0 design rules broken, 5 cores", "no input brings |v| above 25.0% of its word")


def test_a_network_whose_integers_overflow_has_no_quantized_accuracy() -> None:
    rows = {
        name: (value, note) for name, value, note in headline_rows(report(tested=replace(CONFUSION, quantized=None)))
    }
    assert rows["Quantized accuracy"] == ("–", "the integers overflow; train with [loss] limits, or longer")
    assert rows["Published accuracy"][1].endswith("ours is +4.50 points from it")


GREY = np.full((4, 1, 8, 8), 128, np.uint8)


def of_an_autoencoder(layered: bool, **more: object) -> TrainingReport:
    parts = {"reconstruction": 0.25, "mmd": 0.5}
    history = [Epoch(k, 0.3, None, layers=layers(k) if layered else (), selected=0.125, parts=parts) for k in (1, 2, 3)]
    tested = Pictures(20, 0.25, 0.2625 if layered else None, GREY, GREY, GREY[: 4 * layered], spiking=layered)
    text = RECIPE.replace('check = "loihi2"\n', "").replace("accuracy = 90.5", "mse = 0.25\nfad = 11.13")
    first = layers(0) if layered else ()
    return report(recipe=parse_recipe("mine", text), history=history, first=first, tested=tested, **more)


def test_an_autoencoders_figures_are_beside_the_published_ones() -> None:
    rows = {name: (value, note) for name, value, note in headline_rows(of_an_autoencoder(True))}
    quantized = ("0.2625", "integer weights, 20 test images, pixels in [-1, 1]")
    assert rows["Quantized mean squared error"] == quantized
    assert rows["Float mean squared error"] == ("0.2500", "the same weights, not rounded")
    assert rows["Published mean squared error"] == ("0.25", "A paper, Table 1; ours is +0.0125 from it")
    assert rows["Published FAD"] == ("11.13", "A paper, Table 1")
    assert rows["Epoch kept"][1] == "the best of 3, 0.1250, chosen on the test split, as the papers do"
    plain = of_an_autoencoder(True).tested
    assert isinstance(plain, Pictures)
    rows = {name: (value, note) for name, value, note in headline_rows(report(tested=replace(plain, quantized=None)))}
    assert rows["Quantized mean squared error"][0] == "–"


def test_an_ann_has_neither_neurons_nor_integers() -> None:
    names = [name for name, _, _ in headline_rows(of_an_autoencoder(False))]
    assert "Float mean squared error" in names
    assert not any(absent in name for name in names for absent in ("Quantized", "Firing rate", "SOPs"))


def test_rows_of_layers_are_those_of_the_kept_epoch() -> None:
    assert layer_rows(report())[1] == ("layer2", "20.00%", "0.9000", "0.5200", "0.4000")


def test_the_environment_names_what_it_ran_on() -> None:
    names = dict(environment(report(device="cuda", processes=4)))
    assert {"spikeport", "Python", "torch", "lightning-fabric"} <= names.keys()
    assert names["device"] == "cuda, processes: 4"
