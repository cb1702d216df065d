"""The loop learns, and the same seed gives the same weights, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from spikeport.errors import ExportError, InputError, OverflowDetected
from spikeport.train import (
    ChipCheck,
    Epoch,
    Hooks,
    SpikingLayer,
    Train,
    Watch,
    accuracy,
    fit,
    load_data,
    model_of,
    predict,
)
from spikeport.train.data import DataSet, Split
from spikeport.train.recipe import Recipe

OPTIONS = {"steps": 4, "neuron": "alif", "channels": (4, 8), "votes": 4, "tau": 0.5, "threshold": 0.5}


def recipe(epochs: int = 2, seed: int = 0, neuron: str = "alif", **course: Any) -> Recipe:
    options = {**OPTIONS, "neuron": neuron} if neuron == "alif" else {"steps": 4, "channels": (4, 8), "votes": 4}
    train = Train(epochs=epochs, batch=50, learning_rate=1e-2, seed=seed, **course)
    return Recipe("tiny", "", "digits", {}, (), "small_conv", {**options, "neuron": neuron}, train)


@pytest.fixture(scope="module")
def digits() -> DataSet:
    data = load_data("digits")
    return DataSet("digits", 10, Split(data.train.images[:600], data.train.labels[:600]), data.test)


def trained(digits: DataSet, how: Recipe) -> tuple[nn.Sequential, list[Epoch]]:
    model = model_of(how, digits)
    return model, fit(model, digits, how)


@pytest.mark.parametrize("neuron", ["alif", "dalif"])
def test_a_tiny_run_learns(digits: DataSet, neuron: str) -> None:
    """Chance is 10 %; a few seconds on 600 images give far more."""
    model, history = trained(digits, recipe(epochs=5, neuron=neuron))
    assert [epoch.number for epoch in history] == [1, 2, 3, 4, 5]
    assert history[-1].loss < history[0].loss
    assert history[-1].accuracy > 0.6
    assert accuracy(model, digits) > 0.6


def test_the_same_seed_gives_the_same_weights(digits: DataSet) -> None:
    (one, first), (two, second) = (trained(digits, recipe()) for _ in range(2))
    assert first == second
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name]), name


def test_another_seed_gives_other_weights(digits: DataSet) -> None:
    one, two = (model_of(recipe(seed=seed), digits).state_dict() for seed in (0, 1))
    assert not torch.equal(one["0.main.synapse.weight"], two["0.main.synapse.weight"])


class Listener(Watch):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def begin(self, epoch: int, steps: int, done: int) -> None:
        self.heard.append((epoch, steps, done))

    def step(self, figures: Callable[[], dict[str, float]]) -> None:
        self.heard.append(figures()["accuracy"])

    def end(self, epoch: Epoch) -> None:
        self.heard.append(epoch)


def test_every_epoch_and_step_is_told(digits: DataSet) -> None:
    listener, how = Listener(), recipe(epochs=1)
    history = fit(model_of(how, digits), digits, how, hooks=Hooks(watch=listener))
    begun, *steps, ended = listener.heard
    assert begun == (1, 12, 0)
    assert len(steps) == 12
    assert [ended] == history
    assert steps[-1] == history[0].accuracy


def test_predictions_do_not_depend_on_the_batch(digits: DataSet) -> None:
    model = model_of(recipe(), digits)
    images = digits.test.images[:50]
    assert np.array_equal(predict(model, images, batch=7), predict(model, images, batch=50))


def test_accuracy_is_the_share_of_right_classes(digits: DataSet) -> None:
    model = model_of(recipe(), digits)
    images = digits.test.images[:8]
    answers = predict(model, images)
    assert accuracy(model, replace(digits, test=Split(images, answers.copy()))) == 1
    answers[:2] = (answers[:2] + 1) % 10
    assert accuracy(model, replace(digits, test=Split(images, answers))) == 0.75


def test_the_best_weights_are_kept_and_are_those_of_their_epoch(digits: DataSet) -> None:
    how = recipe(epochs=4, keep="best", select_on="test", schedule="constant")
    model, history = trained(digits, how)
    best = max(history, key=lambda epoch: epoch.selected or 0.0)
    assert accuracy(model, digits) == best.selected
    shorter = model_of(how, digits)
    fit(shorter, digits, replace(how, train=replace(how.train, epochs=best.number)))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, shorter.state_dict()[name]), name


def test_weights_are_rounded_from_the_epoch_that_is_named(digits: DataSet) -> None:
    seen = []

    class Looks(Watch):
        def step(self, figures: Callable[[], dict[str, float]]) -> None:
            seen.append({layer.quantize for layer in model.modules() if isinstance(layer, SpikingLayer)})

    how = recipe(epochs=3, quantize="after:1")
    model = model_of(how, digits)
    fit(model, digits, how, hooks=Hooks(watch=Looks()))
    assert seen == [{False}] * 12 + [{True}] * 24


def test_only_epochs_that_round_as_the_last_one_does_can_be_the_best(digits: DataSet) -> None:
    """The rate is 0 but for the first epoch: all later ones are as good, and the first is not a choice."""
    how = recipe(epochs=3, quantize="after:1", keep="best", select_on="test", schedule="multistep", milestones=(1,))
    saved: list[dict[str, torch.Tensor]] = []

    class Looks(Watch):
        def end(self, epoch: Epoch) -> None:
            saved.append({name: tensor.clone() for name, tensor in model.state_dict().items()})

    model = model_of(how, digits)
    fit(model, digits, how, hooks=Hooks(watch=Looks()))
    kept = [all(torch.equal(t, weights[name]) for name, t in model.state_dict().items()) for weights in saved]
    assert not kept[0] and any(kept[1:])


def test_a_loss_that_is_no_number_ends_the_run(digits: DataSet) -> None:
    model = model_of(recipe(), digits)
    with pytest.raises(InputError, match=r"recipe tiny: loss of epoch 1, step 1 \(nan\) is not finite; lower"):
        fit(Poisoned(model), digits, recipe(epochs=1))


def test_weights_that_are_no_numbers_end_the_run(digits: DataSet) -> None:
    model = model_of(recipe(), digits)
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(ExportError, match=r"image layer: weight \(NaN or infinity\) is not a finite number"):
        fit(model, digits, recipe(epochs=1))


class Poisoned(nn.Module):
    """Answers NaN."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.model(x) * float("nan")
        return found


def test_a_validation_split_that_is_not_there_is_refused(digits: DataSet) -> None:
    with pytest.raises(InputError) as caught:
        trained(digits, recipe(select_on="validation"))
    assert str(caught.value) == (
        "recipe tiny: validation split is missing; hold out a share of the training images, such as"
        " data.validation = 0.1"
    )


def test_the_check_of_each_epoch_is_in_its_record(digits: DataSet) -> None:
    found = ChipCheck(1, 2, 0.5)
    how = recipe(epochs=2)
    history = fit(model_of(how, digits), digits, how, hooks=Hooks(check=lambda model: found))
    assert [epoch.check for epoch in history] == [found, found]


def test_a_network_whose_integers_overflow_is_not_selected(digits: DataSet) -> None:
    how = recipe(epochs=1, select_on="test")
    model = model_of(how, digits)

    def overflow(*_: object) -> None:
        if not model.training:
            raise OverflowDetected("SpikingLayer", "v", got=1, relation="leaves", limit="24 bits")

    model[0].register_forward_pre_hook(overflow)
    (epoch,) = fit(model, digits, how)
    assert epoch.selected is None


def test_augmented_runs_repeat_too(digits: DataSet) -> None:
    how = replace(recipe(epochs=1), augment=("crop:1", "flip"))
    (one, first), (two, second) = (trained(digits, how) for _ in range(2))
    plain, _ = trained(digits, recipe(epochs=1))
    assert first == second
    assert torch.equal(one[0].synapse.weight, two[0].synapse.weight)
    assert not torch.equal(one[0].synapse.weight, plain[0].synapse.weight)
