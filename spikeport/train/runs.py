"""A run's folder: `recipe.toml`, `weights.pt`, `history.json`. Nothing in it is ever unpickled freely.

While it trains, and after, `checkpoint.pt` and `log.csv` are there too (`spikeport.train.loop`).
"""

import io
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from spikeport.atomic import check_writable, replacing
from spikeport.errors import FileMissing, PathTaken, RecipeInvalid, UnknownName
from spikeport.train.autoencoders import AUTOENCODERS, build_autoencoder, pixels
from spikeport.train.data import DataSet, load_data
from spikeport.train.loop.checkpoint import NAME as CHECKPOINT
from spikeport.train.loop.history import Epoch
from spikeport.train.loop.log import write_logs
from spikeport.train.models import MODELS, Source, build_model
from spikeport.train.recipe import Recipe, load_recipe
from spikeport.train.weights import read_weights


def data_of(recipe: Recipe, folder: Path | None = None) -> DataSet:
    """The recipe's data set.

    Args:
        folder: Where its files lie, as for `load_data`.

    Raises:
        InputError, FileError: as `load_data`.
    """
    return load_data(recipe.data, folder, **recipe.data_options)


def model_of(recipe: Recipe, data: DataSet) -> nn.Module:
    """The recipe's model with its initial weights: a classifier's `nn.Sequential`, or an `Autoencoder`.

    Raises:
        InputError: unknown options, or pictures that an autoencoder does not take.
    """
    torch.manual_seed(recipe.train.seed)
    c, h, w = data.shape[-3:]
    source = Source((c, h, w), data.low, data.high, data.scale)
    model = _built(recipe, source, data)
    return model.double() if recipe.train.precision == "64" else model


def _built(recipe: Recipe, source: Source, data: DataSet) -> nn.Module:
    if recipe.model not in MODELS and recipe.model not in AUTOENCODERS:
        limit = ", ".join(sorted({*MODELS, *AUTOENCODERS}))
        raise UnknownName("model", "name", got=recipe.model, relation="is not one of", limit=limit)
    if recipe.model in MODELS:
        return build_model(recipe.model, source, data.classes, **recipe.model_options)
    if source != pixels(source.shape) or len(data.shape) != 3:
        what, limit = f"images of {recipe.model}", "pictures in [-1, 1]"
        raise RecipeInvalid(
            f"recipe {recipe.name}", what, relation="are not", limit=limit, do="say data.symmetric = true"
        )
    return build_autoencoder(recipe.model, source, **recipe.model_options)


def check_unused(folder: Path) -> None:
    """Lets a folder pass in which a run may begin.

    Raises:
        FileError: it holds a run.
    """
    for name in ("weights.pt", CHECKPOINT):
        if (folder / name).exists():
            do = "go on with --resume, or name another folder"
            raise PathTaken(str(folder), "holds a run already", got=name, do=do)


def begin_run(folder: Path, recipe: Recipe) -> None:
    """Makes the folder, with the recipe in it.

    Raises:
        FileError: it cannot be written.
    """
    _write(folder, {"recipe.toml": recipe.text.encode()})


def save_weights(folder: Path, model: nn.Module) -> None:
    """The last file of a run: with it, the folder is a whole run."""
    buffer = io.BytesIO()
    torch.save({name: tensor.cpu() for name, tensor in model.state_dict().items()}, buffer)
    _write(folder, {"weights.pt": buffer.getvalue()})


def save_run(folder: Path, recipe: Recipe, model: nn.Module, history: Sequence[Epoch]) -> None:
    """A whole run at once: the weights come last, each file through a rename."""
    _write(folder, {"recipe.toml": recipe.text.encode()})
    write_logs(folder, history)
    save_weights(folder, model)


def load_run(
    folder: str | os.PathLike[str], data_folder: str | os.PathLike[str] | None = None
) -> tuple[Recipe, DataSet, nn.Module]:
    """The trained model of a run, in eval mode, with its recipe and data.

    Raises:
        FileError: not a run, a damaged file, or a checkpoint that holds anything but tensors.
    """
    folder = Path(folder)
    for name in ("recipe.toml", "weights.pt"):
        if not (folder / name).is_file():
            do = "make a run with: spikeport train RECIPE -o RUN"
            if name == "weights.pt" and (folder / CHECKPOINT).is_file():
                do = f"it is not finished; go on with: spikeport train --resume -o {folder}"
            raise FileMissing(str(folder), f"lacks {name}", do=do)
    recipe = load_recipe(str(folder / "recipe.toml"))
    data = data_of(recipe, None if data_folder is None else Path(data_folder))
    model = model_of(recipe, data)
    model.load_state_dict(read_weights(folder / "weights.pt", model))
    model.eval()
    return recipe, data, model


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    check_writable(folder)
    for name, content in contents.items():
        with replacing(folder / name) as partial:
            Path(partial).write_bytes(content)
