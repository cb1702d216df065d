"""The networks of the published compile logs, cut as there, and what the model says of every row."""

import json
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spikeport.chip import LOIHI2
from spikeport.cores import Cut, flat
from spikeport.deploy.cores.loads import LOGS_2022, LOGS_2023, Account, loads
from spikeport.program import Conv, Dense, Encoder, Input, Output, Program
from tests.deploy.small_programs import lif

DOCUMENT = json.loads((Path(__file__).parents[2] / "vectors" / "loihi2_compile_logs.json").read_text())
LOGS: Mapping[str, Mapping[str, Any]] = {log["name"]: log for log in DOCUMENT["logs"]}
ACCOUNTS = {2022: LOGS_2022, 2023: LOGS_2023}
SHARES = {
    "axons_in": 16_000,
    "neurons": 4095,
    "synapses": 16_000,
    "axon_map": 16_000,
    "axon_memory": 16_000,
    "memory": 20_000,
}
RESOURCES = {
    "axons_in": "axons in",
    "neurons": "neurons",
    "synapses": "synapses",
    "axon_map": "axons out",
    "axon_memory": "axon memory",
    "memory": "memory",
}
"""Columns of the logs, and what the model calls them."""


class Compared(NamedTuple):
    log: str
    layer: str
    column: str
    logged: float
    modelled: float

    @property
    def deviation(self) -> float:
        return abs(self.modelled - self.logged) / self.logged if self.logged else abs(self.modelled)


def account_of(log: Mapping[str, Any]) -> Account:
    return ACCOUNTS[log["release"]]


def network(log: Mapping[str, Any]) -> Program:
    """With weights of the ranges that are known, or of the bits that the log asks for."""
    bits = {row["layer"]: row["bits"] for row in log["rows"]}
    source, shape = "x", tuple(log["input"])
    groups, connections, encoders = [], [], []
    if log["input_neurons"]:
        pixels = np.eye(shape[0], dtype=int).reshape(shape[0], shape[0], 1, 1)
        groups.append(lif("in", shape))
        encoders.append(Encoder(Conv("x", "in", pixels), np.zeros(shape, int)))
        source = "in"
    for name, layer in log["layers"].items():
        ends = log["ranges"][name] if log["known"] else None
        if isinstance(layer, int):
            weight = _weight((layer, prod(shape)), ends or (-(1 << bits[name]), 2))
            connections.append(Dense(source, name, weight))
            shape = (layer,)
        else:
            weight = _weight((layer["channels"], shape[0], *layer["kernel"]), ends or (-(1 << bits[name] >> 1), 2))
            stride, padding = tuple(layer["stride"]), tuple(layer["padding"])
            connections.append(Conv(source, name, weight, stride=stride, padding=padding))
            shape = connections[-1].output_shape(shape)
        groups.append(lif(name, shape))
        source = name
    kind = "bias" if encoders else "spike"
    inputs = (Input("x", tuple(log["input"]), kind),)
    return Program(tuple(groups), tuple(connections), inputs, (Output("y", source),), tuple(encoders))


def _weight(shape: tuple[int, ...], ends: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    weight = np.full(shape, 2)
    weight.flat[:2] = ends if weight.size > 1 else ends[:1]
    return weight


def cuts(log: Mapping[str, Any], program: Program) -> dict[str, Cut]:
    found = {}
    for row in log["rows"]:
        shape, block = program.shape_of(row["layer"]), row["block"]
        found[row["layer"]] = flat(*shape, *block) if len(block) == 1 else Cut(shape, tuple(block), padded=True)
    return found


def compared(log: Mapping[str, Any]) -> Iterator[Compared]:
    program = network(log)
    tiling, account = cuts(log, program), account_of(log)
    for row in log["rows"]:
        found = loads(program, LOIHI2, row["layer"], tiling, account=account)
        assert tiling[row["layer"]].cores == row["cores"], row
        for column, resource in RESOURCES.items():
            if row.get(column) is None:
                continue
            if log["values"] == "means":
                modelled = float(int(found[resource].mean()))
            else:
                modelled = round(100 * int(found[resource].max()) / SHARES[column], 2)
            yield Compared(log["name"], row["layer"], column, row[column], modelled)
