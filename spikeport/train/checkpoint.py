"""A run's folder: `recipe.toml`, `weights.pt`, `history.json`. Nothing in it is ever unpickled freely."""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from spikeport.atomic import replacing
from spikeport.errors import FileError
from spikeport.train.data import DataSet, load_data
from spikeport.train.loop import Epoch, model_of
from spikeport.train.recipe import Recipe, load_recipe


def save_run(folder: Path, recipe: Recipe, model: nn.Module, history: Sequence[Epoch]) -> None:
    """Writes the weights last, each file through a rename: a folder with weights is a whole run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        do = "choose a folder that you may write to"
        raise FileError(str(folder), "cannot be written", got=error.strerror, do=do) from error
    weights = io.BytesIO()
    torch.save(model.state_dict(), weights)
    files = {
        "recipe.toml": recipe.text.encode(),
        "history.json": json.dumps([asdict(epoch) for epoch in history], indent=1).encode(),
        "weights.pt": weights.getvalue(),
    }
    for name, content in files.items():
        with replacing(folder / name) as partial:
            Path(partial).write_bytes(content)


def load_run(folder: Path) -> tuple[Recipe, DataSet, nn.Sequential]:
    """The trained model of a run, in eval mode, with its recipe and data.

    Raises:
        FileError: not a run, a damaged file, or a checkpoint that holds anything but tensors.
    """
    for name in ("recipe.toml", "weights.pt"):
        if not (folder / name).is_file():
            raise FileError(str(folder), f"lacks {name}", do="make a run with: spikeport train RECIPE -o RUN")
    recipe = load_recipe(str(folder / "recipe.toml"))
    data = load_data(recipe.data)
    model = model_of(recipe, data)
    model.load_state_dict(_read_weights(folder / "weights.pt", model))
    model.eval()
    return recipe, data, model


def _read_weights(path: Path, model: nn.Module) -> dict[str, torch.Tensor]:
    not_ours = "is not a checkpoint of this recipe"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler raise whatever its bytes happen to spell
        do = "nothing in it was executed; train again"
        raise FileError(str(path), "is not a checkpoint of tensors", got=_first_line(error), do=do) from error
    expected = model.state_dict()
    if not isinstance(state, dict) or state.keys() != expected.keys():
        raise FileError(str(path), not_ours, do="train again")
    for name, tensor in expected.items():
        found = state[name]
        if not isinstance(found, torch.Tensor) or (found.shape, found.dtype) != (tensor.shape, tensor.dtype):
            raise FileError(str(path), not_ours, got=name, do="train again")
        if not torch.isfinite(found).all():
            raise FileError(str(path), f"{name} holds NaN or infinity", do="train again")
    return state


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
