"""`checkpoint.pt`: all that a run needs to go on as if it had not stopped; plain values, never unpickled freely.

Of random states there is none: shuffling, augmentation and dropout follow from the seed, epoch and step.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from spikeport.atomic import replacing
from spikeport.errors import FileKind, FileMismatch, FileMissing, FileVersion
from spikeport.train.loop.history import Epoch
from spikeport.train.weights import first_line

if TYPE_CHECKING:
    from lightning_fabric import Fabric

NAME = "checkpoint.pt"
FORMAT = 2
KINDS = {
    "format": int, "recipe": str, "epoch": int, "step": int, "seconds": float, "sums": Tensor, "history": list,
    "best": dict, "model": dict, "optimizer": dict, "precision": dict,
}  # fmt: skip


@dataclass
class State:
    """Where a run is."""

    sums: Tensor
    """Of the epoch that is under way."""
    epoch: int = 0
    """Epochs that are done."""
    step: int = 0
    """Steps that are done of the next one."""
    seconds: float = 0.0
    """Spent on the next one."""
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Any] = field(default_factory=dict)
    """`epoch`, `selected` and `weights` of the best so far, or nothing."""


def save_state(
    path: Path, recipe: str, state: State, model: nn.Module, optimizer: torch.optim.Optimizer, fabric: "Fabric"
) -> None:
    """Through a rename: the file is the old one or the new one."""
    buffer = io.BytesIO()
    table = {
        "format": FORMAT,
        "recipe": recipe,
        "epoch": state.epoch,
        "step": state.step,
        "seconds": state.seconds,
        "sums": state.sums.cpu(),
        "history": [epoch.to_json() for epoch in state.history],
        "best": state.best,
        "model": dict(model.state_dict()),
        "optimizer": optimizer.state_dict(),
        "precision": fabric.strategy.precision.state_dict(),
    }
    torch.save(table, buffer)
    with replacing(path) as partial:
        Path(partial).write_bytes(buffer.getbuffer())


def load_state(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, fabric: "Fabric") -> State:
    """The state, after model, optimizer and gradient scaler have taken theirs.

    Raises:
        FileError: no such file, a damaged one, one of another model, or one that holds anything but plain values.
    """
    found = read_table(path)
    try:
        model.load_state_dict(found["model"])
        optimizer.load_state_dict(found["optimizer"])
        fabric.strategy.precision.load_state_dict(found["precision"])
        history = [Epoch.from_json(epoch) for epoch in found["history"]]
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        do = "resume with the recipe, precision and version that wrote it"
        raise FileMismatch(str(path), "is not of this run", got=first_line(error), do=do) from error
    return State(
        found["sums"].to(fabric.device), found["epoch"], found["step"], found["seconds"], history, found["best"]
    )


def read_table(path: Path) -> dict[str, Any]:
    """The file as plain tables, lists, numbers and tensors; FileError for anything else."""
    if not path.is_file():
        raise FileMissing(str(path), "no such file", do="begin a run with: spikeport train RECIPE -o RUN")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler raise whatever its bytes happen to spell
        do = "nothing in it was executed; train again"
        raise FileKind(str(path), "is not a checkpoint", got=first_line(error), do=do) from error
    wrong = not isinstance(found, dict) or found.keys() != KINDS.keys()
    if wrong or any(type(found[key]) is not kind for key, kind in KINDS.items()) or found["format"] != FORMAT:
        raise FileVersion(str(path), "is not a checkpoint of this version", do="train again")
    return found
