"""Networks that are known by their shapes alone, read from TOML and counted by the same conventions as a run.

[network]
name = "two layers"
steps = 4
input = "still"            # "moving": the host computes its layers at every step (the default)

[[layer]]
name = "conv1"
kind = "conv"              # or conv_transpose, linear, pool, batch_norm, neurons
in = [3, 32, 32]           # channels, height, width
out_channels = 64
kernel = 3                 # or [height, width], as stride, padding, dilation
padding = 1
fed = "analog"             # or "spikes", "graded"

[[layer]]
name = "fc"
kind = "linear"
in_features = 65536
out_features = 10
bias = true
fed = "spikes"
rate = 0.12                # of its input, if known
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from spikeport.errors import FileError, InputError
from spikeport.sim.energy.described_keys import read_key
from spikeport.sim.energy.facts import LayerFacts
from spikeport.sim.energy.shapes import BatchNorm, Conv, ConvTranspose, Layer, Linear, Neurons, Pool

SHIPPED = files("spikeport.sim.energy") / "networks"
KINDS: Mapping[str, type[Layer]] = {
    "conv": Conv,
    "conv_transpose": ConvTranspose,
    "linear": Linear,
    "pool": Pool,
    "batch_norm": BatchNorm,
    "neurons": Neurons,
}


@dataclass(frozen=True)
class Described:
    """Raises InputError if more operations are said to be counted than there are."""

    name: str
    steps: int
    still: bool
    """Whether the input is the same at all steps, so that the host computes its layers once."""
    layers: tuple[Layer, ...]
    note: str = ""
    sha256: str = ""
    """Of the TOML text."""

    def __post_init__(self) -> None:
        for layer in self.facts:
            most = layer.macs_valid * self.steps
            if layer.sops is not None and layer.sops > most:
                got = float(layer.sops)
                raise InputError(
                    f"layer {layer.name}", "sops", got=got, relation="exceeds its synapses x steps", limit=most
                )

    @property
    def facts(self) -> tuple[LayerFacts, ...]:
        passes = 1 if self.still else self.steps
        return tuple(layer.facts(self.steps, passes) for layer in self.layers)

    @property
    def macs_dense(self) -> int:
        """The ANN's MACs for one pass, padding included as in the literature."""
        return sum(layer.macs_dense for layer in self.facts)

    @property
    def macs_valid(self) -> int:
        """The ANN's MACs for one pass without those on padding."""
        return sum(layer.macs_valid for layer in self.facts)


def described_names() -> tuple[str, ...]:
    """Networks inside the package."""
    return tuple(sorted(e.name.removesuffix(".toml") for e in SHIPPED.iterdir() if e.name.endswith(".toml")))


def described_named(name: str) -> Described:
    """A shipped network by name, or a TOML file by path; FileError if there is neither."""
    if name in described_names():
        return parse_described(name, (SHIPPED / f"{name}.toml").read_text(encoding="utf-8"))
    if not Path(name).is_file():
        do = f"name a TOML file, or one of {', '.join(described_names())}"
        raise FileError(name, "no such description of a network", do=do)
    return read_described(name)


def read_described(path: str | Path) -> Described:
    """Raises FileError with the file, the layer and the key at fault."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(str(path), "is not a readable text file", got=error) from error
    return parse_described(str(path), text)


def parse_described(where: str, text: str) -> Described:
    """A description from its TOML text.

    Args:
        where: What to call it in an error.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(where, "is not TOML", got=error) from error
    _check_keys(where, table, required=("network", "layer"))
    network, listed = table["network"], table["layer"]
    if not isinstance(network, dict):
        raise FileError(where, "network", got=network, relation="is not", limit="a table")
    if not isinstance(listed, list) or not listed or not all(isinstance(layer, dict) for layer in listed):
        raise FileError(where, "layer", relation="is not", limit="a list of tables, one for each layer")
    _check_keys(f"{where}, [network]", network, required=("name", "steps"), optional=("input", "note"))
    values = {key: read_key(f"{where}, [network]", key, value) for key, value in network.items()}
    try:
        layers = tuple(_layer(where, number, layer) for number, layer in enumerate(listed, 1))
        _check_names(where, layers)
        still = values.get("input") == "still"
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Described(values["name"], values["steps"], still, layers, values.get("note", ""), digest)
    except FileError:
        raise
    except InputError as error:
        place = f"{where}, {error.where}"
        raise FileError(place, error.what, got=error.got, relation=error.relation, limit=error.limit) from error


def _layer(where: str, number: int, table: dict[str, Any]) -> Layer:
    where = f"{where}, layer {table.get('name', number)}"
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FileError(where, "kind", got=kind, relation="is not one of", limit=", ".join(KINDS))
    known = {field.metadata.get("key", field.name): field for field in fields(KINDS[kind])}
    required = [key for key, field in known.items() if field.default is MISSING]
    _check_keys(where, table, required=("kind", *required), optional=tuple(known))
    values = {field.name: read_key(where, key, table[key]) for key, field in known.items() if key in table}
    if issubclass(KINDS[kind], Conv | ConvTranspose) and len(values["shape"]) != 3:
        raise FileError(where, "in", got=table["in"], relation="is not", limit="[channels, height, width]")
    return KINDS[kind](**values)


def _check_keys(
    where: str, table: Mapping[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> None:
    missing = [key for key in required if key not in table]
    if missing:
        raise FileError(where, "lacks", got=", ".join(missing))
    unknown = sorted(table.keys() - {*required, *optional})
    if unknown:
        do = f"its keys are {', '.join(dict.fromkeys((*required, *optional)))}"
        raise FileError(where, "has unknown keys", got=", ".join(unknown), do=do)


def _check_names(where: str, layers: tuple[Layer, ...]) -> None:
    names = [layer.name for layer in layers]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise FileError(f"{where}, layer {twice[0]}", "name", relation="is that of two layers")
