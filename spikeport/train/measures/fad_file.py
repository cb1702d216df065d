"""The autoencoder of FAD from a file: of the published code, or of one's own run."""

from itertools import count
from math import isqrt
from pathlib import Path
from typing import Any

from torch import Tensor

from spikeport.errors import FileKind, FileMissing
from spikeport.train.autoencoders.ann import FadAutoencoder
from spikeport.train.autoencoders.stages import Plan, pixels
from spikeport.train.weights import check_state, read_plain

PREFIX = "network."
"""Of the names in a run's `weights.pt`."""
NOT_IT = "is not a state of the autoencoder of FAD"
DO = "train one with a recipe fad-autoencoder-*, or give a file of the published code's stat_checkpoints"
MAX_STAGES, MAX_LATENT = 8, 1 << 16


def read_fad_autoencoder(path: Path) -> FadAutoencoder:
    """From a run's folder, or a file of tensors in the published layout; their shapes give the network's sizes.

    `stat_checkpoints/{mnist,fashion}_64.pth` of the published code are such files: 62 tensors of 919,785 elements.
    They are pickles, and torch reads them with its restricted unpickler (`weights_only=True`), which runs nothing.

    Returns:
        In eval mode.

    Raises:
        FileError: no such file, a damaged one, one that holds anything but tensors, or a state of another layout.
    """
    file = path / "weights.pt" if path.is_dir() else path
    if not file.is_file():
        raise FileMissing(str(file), "no such file", do=DO)
    state = _plain_names(read_plain(file, DO))
    network = FadAutoencoder(_plan(file, state))
    network.load_state_dict(check_state(file, state, network, NOT_IT, DO))
    return network.eval()


def _plain_names(state: Any) -> dict[str, Any]:
    """Tensors by their published names."""
    if not isinstance(state, dict):
        return {}
    return {str(name).removeprefix(PREFIX): value for name, value in state.items()}


def _plan(path: Path, state: dict[str, Any]) -> Plan:
    """The sizes behind the shapes. What else is wrong with them shows when the state is compared with the network's."""
    latent, features = (_rows(state, f"{name}.weight", 2) for name in ("latent_layer", "decoder_input"))
    widths = []
    for stage in count():
        width = _rows(state, f"encoder.{stage}.0.weight", 4)
        if not width or stage == MAX_STAGES:
            break
        widths.append(width)
    side = isqrt(features // widths[-1]) << len(widths) if widths else 0
    if not side or not 0 < latent <= MAX_LATENT:
        raise FileKind(str(path), NOT_IT, do=DO)
    channels = state["encoder.0.0.weight"].shape[1]
    return Plan(pixels((channels, side, side)), tuple(widths), latent)


def _rows(state: dict[str, Any], name: str, axes: int) -> int:
    """Of a tensor with so many axes; 0 if there is none."""
    found = state.get(name)
    return len(found) if isinstance(found, Tensor) and found.dim() == axes else 0
