"""Weights from a file: tensors, and nothing that could be executed."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from spikeport.errors import FileError, FileKind, FileMismatch

AGAIN = "train again"


def read_weights(path: Path, model: nn.Module) -> dict[str, torch.Tensor]:
    """The state of this model.

    Raises:
        FileError: a damaged file, one that holds anything but tensors, or tensors of another model.
    """
    return check_state(path, read_plain(path, AGAIN), model, "is not a checkpoint of this recipe", AGAIN)


def read_plain(path: Path, do: str) -> Any:
    """What torch's restricted unpickler (`weights_only=True`) reads: tensors and plain containers; it runs nothing.

    Raises:
        FileError: a damaged file, or one that holds anything else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler raise whatever its bytes happen to spell
        do = f"nothing in it was executed; {do}"
        raise FileKind(str(path), "is not a checkpoint of tensors", got=first_line(error), do=do) from error


def check_state(path: Path, state: Any, model: nn.Module, what: str, do: str) -> dict[str, torch.Tensor]:
    """The state, if it is one of this model: names, shapes and types of its tensors, and finite numbers in them.

    Args:
        what, do: Of the error otherwise.
    """
    expected = model.state_dict()
    if not isinstance(state, dict) or state.keys() != expected.keys():
        raise FileMismatch(str(path), what, do=do)
    for name, tensor in expected.items():
        found = state[name]
        if not isinstance(found, torch.Tensor) or (found.shape, found.dtype) != (tensor.shape, tensor.dtype):
            raise FileMismatch(str(path), what, got=name, do=do)
        if not torch.isfinite(found).all():
            raise FileError(str(path), f"{name} holds NaN or infinity", do=do)
    return state


def first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
