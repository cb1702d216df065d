"""The recorded vectors: what networks did in their frameworks, and the NIR files that these exported.

`tests/vectors/interop/NAME.npz` holds `x` and, per layer of neurons, `s:NODE`, its spikes, `(T, B, *shape)`, and `nir`,
the bytes of the file; NAME.json says where they come from. The workers write more (`worker.py`): compared membranes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[1] / "vectors" / "interop"
NOT_KEPT = "v:"
FIELDS = {
    "IF": {"r", "v_threshold", "v_reset"},
    "CubaLIF": {"tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"},
}


@dataclass(frozen=True, eq=False)
class Vector:
    framework: str
    network: str
    x: NDArray[np.uint8]
    """`(T, B, *shape)`."""
    spikes: Mapping[str, NDArray[np.uint8]]
    """By the name of the neurons' node, `(T, B, *shape)`; above 1 where neurons spike several times a step."""
    nir: bytes = field(repr=False)
    provenance: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.framework}_{self.network}"

    @property
    def preset(self) -> str:
        """The convention that this framework's files are run under."""
        return self.provenance["convention"]["preset"]

    @property
    def changes(self) -> dict[str, Any]:
        """Fields of the preset's Convention that this network changes; no file says them."""
        return {k: v for k, v in self.provenance["convention"].items() if k not in ("preset", "beyond")}

    @property
    def beyond(self) -> str:
        """What neither the file nor a Convention can say of the run; empty for most."""
        return self.provenance["convention"].get("beyond", "")

    @property
    def meant(self) -> Mapping[str, Mapping[str, Any]]:
        """Parameters by node that the file has wrong, in NIR's terms; `type` where the node should be another."""
        return self.provenance["meant"]

    def write_nir(self, folder: Path) -> Path:
        """The NIR file, as the framework exported it."""
        path = folder / f"{self.name}.nir"
        path.write_bytes(self.nir)
        return path

    def write_meant(self, folder: Path) -> Path:
        """The NIR file with what is `meant` in the place of what the framework wrote."""
        path = self.write_nir(folder)
        with h5py.File(path, "r+") as file:
            for node, parameters in self.meant.items():
                _mend(file["node/nodes"][node], parameters)
        return path


def read_vectors(folder: Path = FOLDER) -> list[Vector]:
    """All that `pack` wrote there, by name."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Vector:
    provenance = json.loads(path.read_text())
    with np.load(path.with_suffix(".npz")) as arrays:
        spikes = {name.removeprefix("s:"): arrays[name] for name in arrays.files if name.startswith("s:")}
        x, nir = arrays["x"], arrays["nir"].tobytes()
    return Vector(provenance["framework"], provenance["network"], x, spikes, nir, provenance)


def _mend(group: Any, parameters: Mapping[str, Any]) -> None:
    neurons = group["r"].shape if "r" in group else ()
    if kind := parameters.get("type"):
        for key in set(group) - FIELDS[kind]:
            del group[key]
    for key, value in parameters.items():
        if key in group:
            del group[key]
        group[key] = value if isinstance(value, str | list) else np.full(neurons, value)


def pack(recorded: Path, folder: Path) -> list[str]:
    """What a worker recorded, into the vectors' form; gives the names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for path in sorted(recorded.glob("*.json")):
        with np.load(path.with_suffix(".npz")) as arrays:
            kept = {name: arrays[name] for name in arrays.files if not name.startswith(NOT_KEPT)}
        kept["nir"] = np.frombuffer(path.with_suffix(".nir").read_bytes(), np.uint8)
        np.savez_compressed(folder / f"{path.stem}.npz", **kept)
        (folder / path.name).write_text(path.read_text())
        names.append(path.stem)
    return names


def differences(found: Vector, recorded: Vector, folder: Path) -> Iterator[str]:
    """In what two records of one network differ: spikes, input, what the files say, remarks; versions do not count."""
    if not np.array_equal(found.x, recorded.x):
        yield "the input"
    if found.spikes.keys() != recorded.spikes.keys():
        yield f"layers: {', '.join(found.spikes)}, recorded {', '.join(recorded.spikes)}"
        return
    for node, s in found.spikes.items():
        if not np.array_equal(s, recorded.spikes[node]):
            yield f"{np.count_nonzero(s != recorded.spikes[node])} of {s.size} spikes of {node}"
    first, second = (_contents(vector.write_nir(folder)) for vector in (found, recorded))
    for key in sorted(first.keys() | second.keys()):
        if key not in first or key not in second or not np.array_equal(first[key], second[key]):
            yield f"{key} of the NIR file"
    for key in found.provenance.keys() | recorded.provenance.keys():
        if key != "versions" and found.provenance.get(key) != recorded.provenance.get(key):
            yield f"{key} of the record"


def _contents(path: Path) -> dict[str, Any]:
    """Every dataset of a NIR file by its path; edges in an order of their own, because exporters go through a set."""
    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return {k: sorted(map(tuple, v.tolist())) if k.endswith("edges") else v for k, v in found.items()}
