"""A Program without HDF5: one JSON text and one npz of integers, for readers that have numpy and nothing else.

`program.json` has the Program's scalars and `groups`, `connections`, `inputs`, `outputs` and `encoders`, each a list
of parts with the fields that `spikeport.program` names; what is None is left out. `neuron` names the kind of a group,
`kind` that of a connection. Arrays are in the npz, as `connections/0/weight`. An encoder is its synapses with `shift`
and `offset`.
"""

import json
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.archive import npz_bytes
from spikeport.program import LIF, Conv, Dense, Encoder, Program, Resonator, SigmaDelta, Sparse

Arrays = dict[str, NDArray[Any]]
_SCALARS = ("latency", "dt_s", "chip", "profile", "nir_sha256")
_NAMES: dict[type, tuple[str, str]] = {
    LIF: ("neuron", "lif"),
    SigmaDelta: ("neuron", "sigma_delta"),
    Resonator: ("neuron", "resonator"),
    Dense: ("kind", "dense"),
    Sparse: ("kind", "sparse"),
    Conv: ("kind", "conv"),
}


def plain_program(program: Program) -> tuple[bytes, bytes]:
    """`program.json` and `program.npz`: the same bytes for the same Program."""
    arrays: Arrays = {}
    said: dict[str, Any] = {name: getattr(program, name) for name in _SCALARS}
    for folder in ("groups", "connections", "inputs", "outputs", "encoders"):
        said[folder] = [_plain(part, f"{folder}/{k}", arrays) for k, part in enumerate(getattr(program, folder))]
    return (json.dumps(said, indent=1) + "\n").encode("ascii"), npz_bytes(arrays)


def _plain(part: Any, where: str, arrays: Arrays) -> dict[str, Any]:
    """The scalars of a part; its arrays go into `arrays`."""
    if isinstance(part, Encoder):
        arrays[f"{where}/offset"] = part.offset
        return _plain(part.synapses, where, arrays) | {"shift": part.shift}
    name = _NAMES.get(type(part))
    said: dict[str, Any] = {} if name is None else {name[0]: name[1]}
    for item in fields(part):
        value = getattr(part, item.name)
        if isinstance(value, np.ndarray):
            arrays[f"{where}/{item.name}"] = value
        elif value is not None:
            said[item.name] = value
    return said
