"""A recipe says everything that decides a run, and nothing that is not understood."""

from pathlib import Path

import pytest

from spikeport.errors import FileError, InputError
from spikeport.train import load_recipe, shipped_recipes
from spikeport.train.recipe import parse_recipe

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
    assert (recipe.epochs, recipe.batch, recipe.learning_rate, recipe.seed) == (2, 10, 1e-3, 7)


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
        ("", "recipe mine: section [data] lacks (name)"),
        (changed("[model]", "[other]"), "recipe mine: section [model] lacks (name)"),
        (changed("seed = 7", ""), "recipe mine: section [train] lacks (seed)"),
        ("train = 3\ndata.name = 'a'\nmodel.name = 'b'", "recipe mine: section [train] lacks (batch, epochs,"),
        (changed("seed = 7", "seed = 7\nmomentum = 1"), "recipe mine: unknown keys (momentum)"),
        (GOOD + "[extra]", "recipe mine: unknown keys (extra)"),
        (changed('name = "digits"', 'name = "digits"\nfolder = "x"'), "recipe mine: unknown keys (folder)"),
        (changed("epochs = 2", "epochs = 0"), "recipe mine: epochs (0) is not a positive integer"),
        (changed("epochs = 2", "epochs = true"), "recipe mine: epochs (True) is not a positive integer"),
        (changed("batch = 10", "batch = 1.5"), "recipe mine: batch (1.5) is not a positive integer"),
        (changed("1e-3", "0"), "recipe mine: learning_rate (0) is not in (0, 1000)"),
        (changed("1e-3", "nan"), "recipe mine: learning_rate (nan) is not in (0, 1000)"),
        (changed("1e-3", "'fast'"), "recipe mine: learning_rate (fast) is not in (0, 1000)"),
        (changed("seed = 7", "seed = -1"), "recipe mine: seed (-1) is not an integer in [0, 2^63)"),
        (changed("seed = 7", "seed = 0.5"), "recipe mine: seed (0.5) is not an integer in [0, 2^63)"),
        (changed('"digits"', '["digits"]'), "recipe mine: data name (['digits']) is not text"),
        (changed('"small_conv"', "3"), "recipe mine: model name (3) is not text"),
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
    assert str(caught.value) == "nowhere.toml: no such recipe; name a TOML file or one of: digits"


def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError) as caught:
        load_recipe(str(tmp_path / "mine.toml"))
    assert caught.value.what == "is not a readable text file"
