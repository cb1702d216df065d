"""`Counts` of what `Counts.to_json` gave."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from spikeport.sim.counting.counts import ConnectionCounts, Counts, EncoderCounts, LayerCounts
from spikeport.sim.counting.memory import MemoryBits
from spikeport.sim.counting.neuron_ops import NeuronOps

_Part = TypeVar("_Part")


def counts_of(data: Mapping[str, Any]) -> Counts:
    """The same integers; what follows from them is left aside.

    Raises:
        KeyError, TypeError, ValueError: it is no such document.
    """
    layers = tuple(_layer(entry) for entry in data["layers"])
    return Counts(data["program_sha256"], data["samples"], data["steps"], data["latency"], layers)


def _layer(data: Mapping[str, Any]) -> LayerCounts:
    parts = {
        "ops": NeuronOps(**data["ops"]),
        "memory": MemoryBits(**data["memory"]),
        "connections": tuple(_read(ConnectionCounts, entry) for entry in data["connections"]),
        "encoders": tuple(_read(EncoderCounts, entry) for entry in data["encoders"]),
    }
    return _read(LayerCounts, {**data, **parts})


def _read(kind: type[_Part], data: Mapping[str, Any]) -> _Part:
    values = {item.name: data[item.name] for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: tuple(x) if isinstance(x, list) else x for name, x in values.items()})
