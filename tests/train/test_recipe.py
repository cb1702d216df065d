"""A recipe says everything that decides a run, and nothing that is not understood."""

from pathlib import Path

import pytest

from spikeport.errors import FileError, InputError
from spikeport.train import load_recipe, shipped_recipes
from spikeport.train.recipe import parse_recipe
from spikeport.train.settings import Loss, Paper, Train

GOOD = """
[data]
name = "digits"
[model]
name = "small_conv"
steps = 4
channels = [2, 3]
[train]
epochs = 2
batch = 10
learning_rate = 1e-3
seed = 7
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_recipe_is_read_from_its_text() -> None:
    recipe = parse_recipe("mine", GOOD)
    assert (recipe.name, recipe.text, recipe.data, recipe.model) == ("mine", GOOD, "digits", "small_conv")
    assert recipe.model_options == {"steps": 4, "channels": (2, 3)}
    assert recipe.train == Train(epochs=2, batch=10, learning_rate=1e-3, seed=7)
    assert (recipe.loss, recipe.paper, recipe.augment, recipe.data_options) == (Loss(), None, (), {})


def test_every_section_is_read() -> None:
    text = GOOD.replace('name = "digits"', 'name = "digits"\naugment = ["flip"]\nsize = 3')
    text += 'optimizer = "sgd"\nmilestones = [3, 5]\nquantize = "after:7"\n'
    text += "[loss]\nsops = 0.5\nsops_target = 1e5\n[paper]\ntitle = 'ALIF'\naccuracy = 99.1\n"
    recipe = parse_recipe("mine", text)
    assert (recipe.augment, recipe.data_options) == (("flip",), {"size": 3})
    assert (recipe.train.optimizer, recipe.train.milestones) == ("sgd", (3, 5))
    assert [recipe.train.quantized(epoch) for epoch in (7, 8)] == [False, True]
    assert (recipe.loss, recipe.paper) == (Loss(sops=0.5, sops_target=1e5), Paper(title="ALIF", accuracy=99.1))


def test_a_setting_replaces_what_the_file_says() -> None:
    settings = ["train.epochs=5", "train.schedule=linear", 'model.neuron="alif"', "loss.sops=2"]
    recipe = parse_recipe("mine", GOOD, settings)
    assert (recipe.train.epochs, recipe.train.schedule) == (5, "linear")
    assert (recipe.model_options["neuron"], recipe.loss.sops) == ("alif", 2)
    assert parse_recipe("mine", recipe.text) == recipe


@pytest.mark.parametrize("setting", ["epochs=3", "train.epochs", "other.x=1", "train.=1", "=", ""])
def test_a_setting_of_another_form_is_refused(setting: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe("mine", GOOD, [setting])
    assert "is not SECTION.KEY=VALUE; write it as --set train.epochs=3" in str(caught.value)


def test_equal_settings_are_the_same_run_whatever_the_text() -> None:
    more = parse_recipe("other", "# a comment\n" + GOOD + 'optimizer = "adam"')
    assert more.settings() == parse_recipe("mine", GOOD).settings()
    assert more.settings() != parse_recipe("mine", GOOD, ["train.seed=8"]).settings()


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_loads_by_its_name(name: str) -> None:
    assert load_recipe(name).name == name


def test_the_digits_recipe_is_shipped() -> None:
    assert "digits" in shipped_recipes()


def test_a_recipe_loads_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    assert load_recipe(str(tmp_path / "mine.toml")) == parse_recipe("mine", GOOD)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "recipe mine: lacks ([data]) of [data], [model], [train]"),
        (changed("[model]", "[other]"), "recipe mine: unknown sections (other)"),
        (changed('[model]\nname = "small_conv"', "[model]"), "recipe mine: section [model] lacks (name)"),
        (changed("seed = 7", ""), "recipe mine: section [train] lacks (seed)"),
        ("train = 3\ndata.name = 'a'\nmodel.name = 'b'", "recipe mine: train (3) is not a section, [train]"),
        ("train = {}\ndata.name = 'a'\nmodel.name = 'b'", "recipe mine: section [train] lacks (epochs, batch,"),
        (changed("seed = 7", "seed = 7\nmoment = 1"), "recipe mine: section [train] has unknown keys (moment)"),
        (GOOD + "[extra]", "recipe mine: unknown sections (extra)"),
        (GOOD + "[loss]\nsop = 1", "recipe mine: section [loss] has unknown keys (sop); known are sops, "),
        (GOOD + "[paper]\nrow = '1'", "recipe mine: section [paper] lacks (title)"),
        (GOOD + "[paper]\ntitle = 'a'\naccuracy = 101", "recipe mine: paper.accuracy (101) is not per cent in"),
        (changed("epochs = 2", "epochs = 0"), "recipe mine: train.epochs (0) is not an integer in [1, 1000000]"),
        (changed("epochs = 2", "epochs = true"), "recipe mine: train.epochs (True) is not an integer in"),
        (changed("batch = 10", "batch = 1.5"), "recipe mine: train.batch (1.5) is not an integer in [1, 2147483648]"),
        (changed("1e-3", "0"), "recipe mine: train.learning_rate (0) is not a number in (0, 1000)"),
        (changed("1e-3", "nan"), "recipe mine: train.learning_rate (nan) is not a number in (0, 1000)"),
        (changed("1e-3", "'fast'"), "recipe mine: train.learning_rate (fast) is not a number in (0, 1000)"),
        (changed("seed = 7", "seed = -1"), "recipe mine: train.seed (-1) is not an integer in [0, 92233720368547758"),
        (changed("seed = 7", "seed = 0.5"), "recipe mine: train.seed (0.5) is not an integer in [0, 922337203685477"),
        (GOOD + "optimizer = 'lamb'", "recipe mine: train.optimizer (lamb) is not one of adam, adamw, sgd"),
        (GOOD + "quantize = 'after:x'", 'recipe mine: train.quantize (after:x) is not true, false or "after:N"'),
        (GOOD + "quantize = 1", 'recipe mine: train.quantize (1) is not true, false or "after:N"'),
        (GOOD + "milestones = [0]", "recipe mine: train.milestones ((0,)) is not a list of epochs"),
        (GOOD + "keep = 'best'", 'recipe mine: train.keep = "best" needs train.select_on; say select_on ='),
        (GOOD + "warmup_epochs = 2", "recipe mine: train.warmup_epochs (2) is not below train.epochs 2"),
        (changed('"digits"', '["digits"]'), "recipe mine: data.name (('digits',)) is not text"),
        (changed('"digits"', '"digits"\naugment = "flip"'), "recipe mine: data.augment (flip) is not a list"),
        (changed('"small_conv"', "3"), "recipe mine: model.name (3) is not text"),
        ("[data", "recipe mine: is not TOML (Expected ']' at the end of a table declaration"),
    ],
)
def test_a_recipe_that_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_recipe("mine", text)
    assert str(caught.value).startswith(message)
    assert caught.value.where == "recipe mine"


def test_a_recipe_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        load_recipe("nowhere.toml")
    assert str(caught.value) == "nowhere.toml: no such recipe; name a TOML file, or one that spikeport recipes lists"
    with pytest.raises(FileError, match="^fashion-smal: no such recipe; did you mean fashion-small\\?$"):
        load_recipe("fashion-smal")


def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError) as caught:
        load_recipe(str(tmp_path / "mine.toml"))
    assert caught.value.what == "is not a readable text file"
