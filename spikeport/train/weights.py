"""Weights from a file: tensors, and nothing that could be executed."""

from pathlib import Path

import torch
from torch import nn

from spikeport.errors import FileError


def read_weights(path: Path, model: nn.Module) -> dict[str, torch.Tensor]:
    """The state of this model.

    Raises:
        FileError: a damaged file, one that holds anything but tensors, or tensors of another model.
    """
    not_ours = "is not a checkpoint of this recipe"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes the unpickler raise whatever its bytes happen to spell
        do = "nothing in it was executed; train again"
        raise FileError(str(path), "is not a checkpoint of tensors", got=first_line(error), do=do) from error
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


def first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
