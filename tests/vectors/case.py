"""One recorded case: a Program, inputs, and what another simulator made of them, as plain integers in JSON."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from spikeport.fixed import Ints
from spikeport.program import (
    LIF,
    Conv,
    Dense,
    Encoder,
    Group,
    Input,
    Output,
    Profile,
    Program,
    Resonator,
    SigmaDelta,
    Sparse,
)

_CONNECTIONS = {"dense": Dense, "sparse": Sparse, "conv": Conv}
_NEURONS = {"lif": LIF, "sigma_delta": SigmaDelta, "resonator": Resonator}
_TUPLES = ("shape", "stride", "padding", "dilation")
_LEFT_OUT = ("v_unit",)  # decides nothing, and is no integer


@dataclass(frozen=True, eq=False)
class Case:
    name: str
    program: Program
    inputs: Mapping[str, Ints]


def case_to_json(case: Case) -> dict[str, Any]:
    program = case.program
    parts = {
        "groups": [_group(g) for g in program.groups],
        "connections": [_connection(c) for c in program.connections],
        "inputs": [_part(i) for i in program.inputs],
        "outputs": [_part(o) for o in program.outputs],
        "encoders": [
            {"synapses": _connection(e.synapses), "offset": e.offset.tolist(), "shift": e.shift}
            for e in program.encoders
        ],
        "latency": program.latency,
    }
    return {"program": parts, "inputs": {name: x.tolist() for name, x in case.inputs.items()}}


def case_from_json(name: str, data: Mapping[str, Any], profile: Profile = "lava") -> Case:
    parts = data["program"]
    program = Program(
        groups=tuple(_read_group(part) for part in parts["groups"]),
        connections=tuple(_read_connection(part) for part in parts["connections"]),
        inputs=tuple(_read(Input, part) for part in parts["inputs"]),
        outputs=tuple(_read(Output, part) for part in parts["outputs"]),
        encoders=tuple(
            Encoder(_read_connection(part["synapses"]), np.array(part["offset"]), part["shift"])
            for part in parts["encoders"]
        ),
        latency=parts["latency"],
        profile=profile,
    )
    return Case(name, program, {name: np.array(x) for name, x in data["inputs"].items()})


def _group(group: Group) -> dict[str, Any]:
    """`neuron` names the kind; without it, LIF."""
    kind = next(kind for kind, cls in _NEURONS.items() if type(group) is cls)
    return _part(group) if kind == "lif" else {"neuron": kind, **_part(group)}


def _connection(connection: Dense | Sparse | Conv) -> dict[str, Any]:
    kind = next(kind for kind, cls in _CONNECTIONS.items() if type(connection) is cls)
    return {"kind": kind, **_part(connection)}


def _part(part: Any) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    values = {}
    for item in fields(part):
        value = getattr(part, item.name)
        if isinstance(value, np.ndarray):
            values[item.name] = value.tolist()
        elif item.name not in _LEFT_OUT and (item.default is MISSING or value != item.default):
            values[item.name] = list(value) if isinstance(value, tuple) else value
    return values


def _read_group(part: Mapping[str, Any]) -> Any:
    return _read(_NEURONS[part.get("neuron", "lif")], {name: x for name, x in part.items() if name != "neuron"})


def _read_connection(part: Mapping[str, Any]) -> Any:
    return _read(_CONNECTIONS[part["kind"]], {name: value for name, value in part.items() if name != "kind"})


def _read(cls: type[Any], part: Mapping[str, Any]) -> Any:
    values = {}
    for name, value in part.items():
        if isinstance(value, list):
            value = tuple(value) if name in _TUPLES else np.array(value, np.int64)
        values[name] = value
    return cls(**values)
