"""Four small networks as other frameworks trained and wrote them, and the handwritten digits that they tell apart.

Each is Linear 64-64, leaky neurons, Linear 64-10, leaky neurons; `tests/trained` trains them. They are here to try
things with: `write()` makes the files that the pages of the documentation call `other.nir` and `x.npz`.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.atomic import replacing
from spikeport.errors import UnknownName

FRAMEWORKS = ("snntorch", "norse", "spikingjelly", "sinabs")
"""snnTorch 1.0.0, Norse 1.1.0, SpikingJelly 2.0.0 and sinabs 3.1.3."""
FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Digits:
    """scikit-learn's handwritten digits (UCI), drawn as spikes once: a bright pixel spikes more often."""

    spikes: NDArray[np.uint8] = field(repr=False)
    """The images to test with, 0 and 1, `(20, 397, 64)`: steps, images, pixels."""
    labels: NDArray[np.uint8] = field(repr=False)
    """The digit on each of them, `(397,)`."""
    calibration: NDArray[np.uint8] = field(repr=False)
    """Images of the training set, `(20, 256, 64)`."""


def network(framework: str) -> Path:
    """The NIR file that a framework wrote.

    Args:
        framework: One of `FRAMEWORKS`.

    Raises:
        InputError: there is none of that name.
    """
    return FOLDER / f"{_known(framework)}.nir"


def recorded(framework: str) -> NDArray[np.uint8]:
    """What the framework's own run of the network gave for the first 64 images: output spikes, `(20, 64, 10)`.

    Args:
        framework: One of `FRAMEWORKS`.

    Raises:
        InputError: there is none of that name.
    """
    with np.load(FOLDER / f"{_known(framework)}.npz") as file:
        out: NDArray[np.uint8] = file["out"]
    return out


def digits() -> Digits:
    """The digits on which the four networks were trained and measured."""
    with np.load(FOLDER / "digits.npz") as packed:
        steps, *pixels = (int(n) for n in packed["shape"])
        size = int(np.prod(pixels))
        spikes, calibration = (
            np.unpackbits(bits, count=len(bits) * 8 // (steps * size) * steps * size).reshape(steps, -1, size)
            for bits in (packed["spikes"], packed["calibration"])
        )
        return Digits(spikes, packed["labels"], calibration)


def write(folder: str | Path = ".", framework: str = "snntorch") -> None:
    """Writes `other.nir`, a framework's network, and `x.npz`, the digits with their labels, into a folder.

    Args:
        folder: One that exists.
        framework: One of `FRAMEWORKS`.

    Raises:
        InputError: there is no such network. FileError: the folder cannot be written.
    """
    graph, data = network(framework), digits()
    with replacing(Path(folder) / "other.nir") as name:
        shutil.copyfile(graph, name)
    with replacing(Path(folder) / "x.npz") as name:
        np.savez_compressed(name, spikes=data.spikes, labels=data.labels)


def _known(framework: str) -> str:
    if framework not in FRAMEWORKS:
        raise UnknownName("foreign", "framework", got=framework, relation="is not one of", limit=", ".join(FRAMEWORKS))
    return framework
