"""The loop learns, and the same seed gives the same weights, bit for bit."""

import numpy as np
import pytest
import torch
from torch import nn

from spikeport.train import accuracy, fit, load_data, model_of, predict
from spikeport.train.data import DataSet, Split
from spikeport.train.loop import Epoch
from spikeport.train.recipe import Recipe

OPTIONS = {"steps": 4, "neuron": "alif", "channels": (4, 8), "votes": 4, "tau": 0.5, "threshold": 0.5}


def recipe(epochs: int = 2, seed: int = 0, neuron: str = "alif") -> Recipe:
    options = {**OPTIONS, "neuron": neuron} if neuron == "alif" else {"steps": 4, "channels": (4, 8), "votes": 4}
    return Recipe("tiny", "", "digits", "small_conv", {**options, "neuron": neuron}, epochs, 50, 1e-2, seed)


@pytest.fixture(scope="module")
def digits() -> DataSet:
    data = load_data("digits")
    return DataSet("digits", 10, Split(data.train.images[:600], data.train.labels[:600]), data.test)


def trained(digits: DataSet, how: Recipe) -> tuple[nn.Sequential, list[Epoch]]:
    model = model_of(how, digits)
    return model, fit(model, digits.train, how)


@pytest.mark.parametrize("neuron", ["alif", "dalif"])
def test_a_tiny_run_learns(digits: DataSet, neuron: str) -> None:
    """Chance is 10 %; a few seconds on 600 images give far more."""
    model, history = trained(digits, recipe(epochs=5, neuron=neuron))
    assert [epoch.number for epoch in history] == [1, 2, 3, 4, 5]
    assert history[-1].loss < history[0].loss
    assert history[-1].accuracy > 0.6
    assert accuracy(model, digits.test) > 0.6


def test_the_same_seed_gives_the_same_weights(digits: DataSet) -> None:
    (one, first), (two, second) = (trained(digits, recipe()) for _ in range(2))
    assert first == second
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name]), name


def test_another_seed_gives_other_weights(digits: DataSet) -> None:
    one, two = (model_of(recipe(seed=seed), digits).state_dict() for seed in (0, 1))
    assert not torch.equal(one["0.main.synapse.weight"], two["0.main.synapse.weight"])


def test_every_epoch_is_reported(digits: DataSet) -> None:
    seen: list[Epoch] = []
    model = model_of(recipe(epochs=1), digits)
    assert fit(model, digits.train, recipe(epochs=1), seen.append) == seen


def test_predictions_do_not_depend_on_the_batch(digits: DataSet) -> None:
    model = model_of(recipe(), digits)
    images = digits.test.images[:50]
    assert np.array_equal(predict(model, images, batch=7), predict(model, images, batch=50))


def test_accuracy_is_the_share_of_right_classes(digits: DataSet) -> None:
    model = model_of(recipe(), digits)
    images = digits.test.images[:8]
    answers = predict(model, images)
    assert accuracy(model, Split(images, answers)) == 1
    answers[:2] = (answers[:2] + 1) % 10
    assert accuracy(model, Split(images, answers)) == 0.75
