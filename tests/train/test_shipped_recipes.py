"""Every shipped recipe is one that runs, given its data: the papers' rows and the small ones."""

import tomllib
from pathlib import Path

import pytest
import torch

from spikeport.errors import FileError, InputError
from spikeport.train import load_data, load_recipe, shipped_recipes
from spikeport.train.augment import parse_augmentation
from spikeport.train.models import MODELS, Source, build_model
from spikeport.train.recipe import SHIPPED, parse_recipe

SHAPES = {
    "digits": ((1, 8, 8), 10),
    "mnist": ((1, 28, 28), 10),
    "fashion-mnist": ((1, 28, 28), 10),
    "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100),
    "imagenet": ((3, 224, 224), 1000),
    "cifar10-dvs": ((2, 64, 64), 10),
    "dvs128-gesture": ((2, 128, 128), 11),
}
PUBLISHED = {  # seeds: Tables 5 to 7 of the ALIF paper, Tables I and II of the DA-LIF paper
    "alif-mnist": 99.78,
    "alif-mnist-tau50-vth20": 99.71,
    "alif-mnist-tau50-vth50": 99.62,
    "alif-mnist-fixed-tau25-vth20": 99.64,
    "alif-mnist-fixed-tau50-vth20": 99.52,
    "alif-mnist-fixed-tau50-vth50": 99.41,
    "alif-cifar10": 93.89,
    "plif-mnist": 99.72,
    "plif-cifar10": 93.72,
    "dalif-resnet19-cifar10-t1": 96.44,
    "dalif-resnet19-cifar10-t2": 96.55,
    "dalif-resnet19-cifar10": 96.72,
    "dalif-resnet20-cifar10-t1": 92.89,
    "dalif-resnet20-cifar10-t2": 93.65,
    "dalif-resnet20-cifar10": 94.16,
    "dalif-vgg16-cifar10": 94.55,
    "dalif-resnet19-cifar100-t1": 79.77,
    "dalif-resnet19-cifar100-t2": 80.59,
    "dalif-resnet19-cifar100": 80.16,
    "dalif-resnet20-cifar100-t1": 69.37,
    "dalif-resnet20-cifar100-t2": 72.07,
    "dalif-resnet20-cifar100": 73.25,
    "dalif-vgg16-cifar100": 74.36,
    "dalif-resnet18-imagenet": 68.09,
    "dalif-resnet34-imagenet": 70.58,
    "dalif-resnet19-cifar10dvs": 78.00,
    "dalif-resnet20-cifar10dvs": 82.10,
    "dalif-vgg16-cifar10dvs": 82.42,
    "dalif-vgg11-gesture": 98.61,
}


@pytest.mark.parametrize("name", shipped_recipes())
def test_model_data_and_augmentation_take_the_recipe(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    shape, classes = SHAPES[recipe.data]
    assert recipe.model in MODELS
    if name == "fashion-dalif":
        shape = (1, 32, 32)  # padded
    with torch.device("meta"):
        build_model(recipe.model, Source(shape), classes, **recipe.model_options)
    parse_augmentation(list(recipe.augment), 0)
    if recipe.data != "digits":
        with pytest.raises(FileError):  # the options are right; only the files are not there
            load_data(recipe.data, tmp_path, **recipe.data_options)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_row_of_a_table_is_what_was_published(name: str) -> None:
    paper = load_recipe(name).paper
    assert paper is not None and paper.accuracy == PUBLISHED[name]


def test_the_papers_hyperparameters() -> None:
    alif, dalif = load_recipe("alif-cifar10"), load_recipe("dalif-resnet19-cifar100-t2")
    train = alif.train
    assert (train.optimizer, train.learning_rate, train.batch, train.epochs, train.t_max) == (
        "adam",
        1e-3,
        16,
        1000,
        64,
    )
    assert (train.loss, alif.model_options["steps"], alif.model_options["channels"]) == ("mse", 8, 256)
    train = dalif.train
    assert (train.optimizer, train.learning_rate, train.momentum, train.epochs) == ("sgd", 0.1, 0.9, 1000)
    assert (train.weight_decay, train.batch, train.loss, dalif.model_options["steps"]) == (
        1e-4,
        128,
        "cross_entropy",
        2,
    )


# ---------------------------------------------------------------- base


def based(text: str) -> str:
    return parse_recipe("mine", text).text


def test_a_base_gives_what_is_not_said() -> None:
    recipe = parse_recipe("mine", 'base = "digits"\n[train]\nepochs = 3\n')
    below = load_recipe("digits")
    assert (recipe.train.epochs, recipe.train.batch, recipe.data) == (3, below.train.batch, "digits")
    assert recipe.model_options == below.model_options


def test_the_text_of_a_recipe_with_a_base_is_whole() -> None:
    text = based('base = "alif-mnist-tau50-vth20"\n[train]\nseed = 7\n')
    assert "base" not in tomllib.loads(text)
    assert parse_recipe("again", text).settings() == parse_recipe("mine", text).settings()


def test_what_a_paper_published_is_not_passed_on() -> None:
    assert parse_recipe("mine", 'base = "alif-mnist"').paper is None


@pytest.mark.parametrize("base", ['"nothing"', "3"])
def test_a_base_that_is_not_there_is_refused(base: str) -> None:
    with pytest.raises(InputError, match=r"recipe mine: base \((nothing|3)\) is not one of "):
        parse_recipe("mine", f"base = {base}\n")


def test_no_base_leads_back_to_itself() -> None:
    for name in shipped_recipes():
        table = tomllib.loads((SHIPPED / f"{name}.toml").read_text())
        assert table.get("base") != name
