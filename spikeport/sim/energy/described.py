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
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from spikeport.errors import DescriptionInvalid, FileError, FileMissing, InputError
from spikeport.sim.energy.described_keys import READ
from spikeport.sim.energy.facts import LayerFacts
from spikeport.sim.energy.shapes import BatchNorm, Conv, ConvTranspose, Layer, Linear, Neurons, Pool
from spikeport.sim.energy.toml_section import Section, parse_toml, read_bytes

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
        return parse_described(name, (SHIPPED / f"{name}.toml").read_bytes())
    if not Path(name).is_file():
        do = f"name a TOML file, or one of {', '.join(described_names())}"
        raise FileMissing(name, "no such description of a network", do=do)
    return read_described(name)


def read_described(path: str | Path) -> Described:
    """Raises FileError with the file, the layer and the key at fault."""
    return parse_described(str(path), read_bytes(str(path)))


def parse_described(where: str, content: bytes) -> Described:
    """A description from the bytes of a TOML file.

    Args:
        where: What to call it in an error.
    """
    top = parse_toml(where, content)
    top.only(("network", "layer"))
    network, listed = top.section("network"), top.sections("layer")
    network.only(("name", "steps", "input", "note"))
    values = {key: READ[key](network, key) for key in dict.fromkeys(("name", "steps", *network.values))}
    if not listed:
        top.refuse("layer", "has no tables", do="give a [[layer]] for each layer")
    try:
        layers = tuple(_layer(section) for section in listed)
        _check_names(top, layers)
        still, digest = values.get("input") == "still", hashlib.sha256(content).hexdigest()
        return Described(values["name"], values["steps"], still, layers, values.get("note", ""), digest)
    except FileError:
        raise
    except InputError as error:
        place = f"{top.file}, {error.where}"
        raise DescriptionInvalid(
            place, error.what, got=error.got, relation=error.relation, limit=error.limit
        ) from error


def _layer(section: Section) -> Layer:
    kind = KINDS[section.choice("kind", tuple(KINDS))]
    known = {field.metadata.get("key", field.name): field for field in fields(kind)}
    section.only(("kind", *known))
    values = {f.name: READ[key](section, key) for key, f in known.items() if key in section.values or _is_required(f)}
    if issubclass(kind, Conv | ConvTranspose) and len(values["shape"]) != 3:
        section.refuse("in", "is not", "[channels, height, width]")
    return kind(**values)


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING


def _check_names(top: Section, layers: tuple[Layer, ...]) -> None:
    names = [layer.name for layer in layers]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise DescriptionInvalid(top.file, "layer name", got=twice[0], relation="is that of two layers")
