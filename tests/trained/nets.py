"""The trained nets as files: what a trainer wrote, read again.

    DATA.npz    packed bits of `spikes` `(T, N, c, h, w)` and `calibration` `(T, 256, c, h, w)`; `labels`;
                `shape`, (T, c, h, w)
    NAME.nir    the net as its framework exported it
    NAME.npz    `scores` `(N, n)`, spike counts or mean membranes; `out` `(T, 64, n)`, the first 64 samples' output
    NAME.json   where it comes from

A few small nets are kept in `tests/vectors/trained`. `python -m tests.trained.live` trains them all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[1] / "vectors" / "trained"


@dataclass(frozen=True, eq=False)
class Trained:
    name: str
    graph: Path
    """The NIR file."""
    spikes: NDArray[np.uint8] = field(repr=False)
    """The test set as the net takes it, `(T, N, *shape)`."""
    labels: NDArray[np.uint8] = field(repr=False)
    calibration: NDArray[np.uint8] = field(repr=False)
    """Training samples, `(T, 256, *shape)`."""
    scores: NDArray[np.float32] = field(repr=False)
    """`(N, n)`: spike counts, or mean membranes where the output does not spike."""
    out: NDArray[Any] = field(repr=False)
    """What the output gave for the first 64 samples, `(T, 64, n)`."""
    provenance: Mapping[str, Any] = field(repr=False)

    @property
    def convention(self) -> str | None:
        """The preset to read the file under; None where the file tells by itself."""
        return self.provenance["convention"]

    @property
    def spiking(self) -> bool:
        """Whether the output spikes; else it is a membrane."""
        return self.provenance["output"] == "spikes"

    @property
    def accuracy(self) -> float:
        """In the framework, on all of the test set."""
        return self.provenance["accuracy"]

    def accuracy_of(self, out: NDArray[Any]) -> float:
        """Of an output for the test set, `(T, N, n)`: most spikes, or the highest mean; ties: the lowest class."""
        return float(np.mean(self.scores_of(out).argmax(1) == self.labels))

    def scores_of(self, out: NDArray[Any]) -> NDArray[Any]:
        """`(N, n)`."""
        return out.sum(0, dtype=np.int64) if self.spiking else out.mean(0)


def read_trained(folder: Path = FOLDER) -> list[Trained]:
    """All nets of a folder, by name."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Trained:
    provenance = json.loads(path.read_text())
    inner = tuple(provenance["input_shape"])
    with np.load(path.with_name(f"{provenance['data']}.npz")) as packed:
        steps, *shape = (int(n) for n in packed["shape"])
        spikes, calibration = (
            _unpacked(packed[key], steps, shape).reshape(steps, -1, *inner) for key in ("spikes", "calibration")
        )
        labels = packed["labels"]
    with np.load(path.with_suffix(".npz")) as own:
        scores, out = own["scores"], own["out"]
    return Trained(path.stem, path.with_suffix(".nir"), spikes, labels, calibration, scores, out, provenance)


def _unpacked(bits: NDArray[np.uint8], steps: int, shape: list[int]) -> NDArray[np.uint8]:
    """`(T, N, *shape)`; packbits has filled the last byte up."""
    sample = steps * int(np.prod(shape))
    return np.unpackbits(bits, count=len(bits) * 8 // sample * sample)


def write_plain(net: Trained, folder: Path) -> None:
    """One net by itself: NAME.nir, NAME.npz with its test set, NAME_calibration.npz, NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{net.name}.nir").write_bytes(net.graph.read_bytes())
    (folder / f"{net.name}.json").write_text(json.dumps(dict(net.provenance), indent=1) + "\n")
    counts = {"counts" if net.spiking else "scores": net.scores}
    np.savez_compressed(folder / f"{net.name}.npz", spikes=net.spikes, labels=net.labels, out=net.out, **counts)
    np.savez_compressed(folder / f"{net.name}_calibration.npz", spikes=net.calibration)
