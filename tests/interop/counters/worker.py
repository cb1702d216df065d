"""What the workers share: a network's files, and the files of what a tool made of it. No spikeport here, no torch.

    WORKER FOLDER       runs every NAME.json with NAME.npz there; NAME.out.json and NAME.out.npz are what came out

What a NAME.json and its arrays hold, `nets.py` says for the tools that are given layers, and `mapped.py` for those
that are given neurons on cores. NAME.out.npz has `s:LAYER` for each layer of neurons, time first; NAME.out.json is
what the tool counted.
"""

import importlib.metadata
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Net:
    """A network as its files say it."""

    about: Mapping[str, Any]
    arrays: Mapping[str, Any]

    @property
    def layers(self) -> list[dict[str, Any]]:
        return self.about["layers"]

    @property
    def x(self) -> Any:
        return self.arrays["x"]

    def values(self, key: str) -> Any:
        """Weights or biases in float32; exact, because `unit` is a power of two."""
        return (self.arrays[key] * self.about["unit"]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Found:
    """What a tool made of a network."""

    counts: Mapping[str, Mapping[str, float]]
    """By layer of neurons: the operations that feed it, over all steps and samples."""
    spikes: Mapping[str, Any]
    """By layer of neurons, `(T, B, *shape)`."""
    tables: Mapping[str, Any]
    """Whatever else it gave, to be kept beside the spikes."""


def read_net(path: Path) -> Net:
    with np.load(path.with_suffix(".npz")) as arrays:
        return Net(json.loads(path.read_text()), dict(arrays))


def fed(net: Net) -> dict[str, str]:
    """The layer of neurons that each layer of weights feeds."""
    found, waiting = {}, ""
    for layer in net.layers:
        if f"w:{layer['name']}" in net.arrays:
            waiting = layer["name"]
        elif layer["kind"] == "if":
            found[waiting] = layer["name"]
    return found


def serve(run: Callable[[Net], Found], packages: tuple[str, ...]) -> None:
    """The command line of a worker."""
    folder = Path(sys.argv[1])
    versions = {package: importlib.metadata.version(package) for package in packages}
    for path in sorted(folder.glob("*.json")):
        found = run(read_net(path))
        spikes = {f"s:{name}": np.asarray(s, np.uint8) for name, s in found.spikes.items()}
        np.savez_compressed(path.with_suffix(".out.npz"), **spikes, **found.tables)
        said = {"versions": versions, "counts": found.counts}
        path.with_suffix(".out.json").write_text(json.dumps(said, indent=1) + "\n")
