"""Every shipped recipe is one that runs, given its data: the papers' rows and the small ones."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from spikeport.errors import FileError, InputError
from spikeport.train import load_data, load_recipe, shipped_recipes
from spikeport.train.augment import parse_augmentation
from spikeport.train.autoencoders import build_autoencoder, pixels
from spikeport.train.data.catalogue import ENTRIES
from spikeport.train.models import MODELS, Source, build_model
from spikeport.train.recipe import SHIPPED, parse_recipe

FIGURES = {  # Table I of the ESVAE paper: MSE, IS, FID, FAD; Tables 1 to 4 of the TAID paper: IS, FID, FAD
    "ann-vae-mnist": (0.048, 5.947, 112.5, 17.09),
    "ann-vae-fashion": (0.050, 4.252, 123.7, 18.08),
    "ann-vae-cifar10": (0.105, 2.591, 229.6, 196.9),
    "ann-vae-celeba": (0.059, 3.231, 92.53, 156.9),
    "fsvae-mnist": (0.031, 6.209, 97.06, 35.54),
    "fsvae-fashion": (0.031, 4.551, 90.12, 15.75),
    "fsvae-cifar10": (0.066, 2.945, 175.5, 133.9),
    "fsvae-celeba": (0.051, 3.697, 101.6, 112.9),
    "taid-mnist": (None, 6.31, 98.2, 20.14),
    "taid-fashion": (None, 4.56, 93.24, 13.15),
    "taid-cifar10": (None, 3.53, 171.1, 120.5),
    "taid-celeba": (None, 4.31, 99.54, 105.3),
    "esvae-mnist": (0.013, 5.612, 117.8, 10.99),
    "esvae-fashion": (0.019, 6.227, 125.3, 11.13),
    "esvae-cifar10": (0.045, 3.758, 127.0, 14.74),
    "esvae-celeba": (0.034, 3.868, 85.33, 51.93),
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
    shape, classes = ENTRIES[recipe.data].shape, ENTRIES[recipe.data].classes
    size = int(recipe.data_options.get("size", shape[1] + 2 * int(recipe.data_options.get("pad", 0))))
    shape = (shape[0], size, size)
    with torch.device("meta"):
        if recipe.model in MODELS:
            build_model(recipe.model, Source(shape), classes, **recipe.model_options)
        else:
            assert recipe.data_options["symmetric"] and shape[1] in (32, 64)
            build_autoencoder(recipe.model, pixels(shape), **recipe.model_options)
    parse_augmentation(list(recipe.augment), 0)
    if recipe.data != "digits":
        with pytest.raises(FileError):  # the options are right; only the files are not there
            load_data(recipe.data, tmp_path, **recipe.data_options)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_row_of_a_table_is_what_was_published(name: str) -> None:
    paper = load_recipe(name).paper
    assert paper is not None and paper.accuracy == PUBLISHED[name]


@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_a_generative_model_are_those_published(name: str) -> None:
    paper = load_recipe(name).paper
    assert paper is not None
    assert (paper.mse, paper.inception_score, paper.fid, paper.fad) == FIGURES[name]


@pytest.mark.parametrize(
    ("name", "batch", "rate", "epochs", "decay", "latent"),
    [
        ("esvae-mnist", 256, 3e-3 * 256 / 250, 300, 1e-3, 32),
        ("esvae-fashion", 256, 3e-3 * 256 / 250, 300, 1e-3, 32),
        ("esvae-cifar10", 256, 6e-4 * 256 / 250, 300, 1e-3, 128),
        ("esvae-celeba", 64, 1e-3 * 64 / 250, 300, 1e-3, 128),
        ("fsvae-cifar10", 250, 1e-3, 150, 1e-3, 128),
        ("taid-fashion", 200, 1e-3, 300, 1e-3, 128),
        ("ann-vae-mnist", 250, 1e-3, 150, 1e-2, 128),
        ("fad-autoencoder-celeba", 250, 1e-3, 150, 1e-2, 128),
    ],
)
def test_the_courses_of_generative_models(
    name: str, batch: int, rate: float, epochs: int, decay: float, latent: int
) -> None:
    recipe = load_recipe(name)
    train, options = recipe.train, recipe.model_options
    assert (train.batch, train.epochs, train.weight_decay) == (batch, epochs, decay)
    assert train.learning_rate == pytest.approx(rate)
    assert (train.optimizer, train.schedule, options["latent"]) == ("adamw", "constant", latent)
    assert options.get("steps", 16) == 16
    assert train.bottleneck_factor == (10 if recipe.model == "esvae" else 1)
    assert ("flip" in recipe.augment) == (recipe.data in ("cifar10", "celeba"))


@pytest.mark.parametrize(("name", "batches"), [("fashion", 240), ("mnist", 240), ("cifar10", 200), ("celeba", 652)])
def test_the_anns_kl_is_weighed_by_the_batches_of_an_epoch(name: str, batches: int) -> None:
    assert load_recipe(f"ann-vae-{name}").model_options["weight"] == pytest.approx(1 / batches)


def test_the_small_autoencoders_are_of_one_size_and_course() -> None:
    recipes = [load_recipe(f"{name}-fashion-small") for name in ("esvae", "fsvae", "taid", "ann-vae")]
    courses = {replace(recipe.train, bottleneck_factor=1) for recipe in recipes}
    sizes = {(recipe.model_options["widths"], recipe.model_options["latent"]) for recipe in recipes}
    assert len(courses) == len(sizes) == 1
    assert {recipe.model_options.get("steps", 4) for recipe in recipes} == {4}


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
