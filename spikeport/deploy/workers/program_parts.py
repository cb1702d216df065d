"""The parts of a Program file as namespaces, and its inputs; spikeport has checked the file before."""

import os
from types import SimpleNamespace
from typing import Any

import numpy as np

Part = SimpleNamespace  # a part of the Program: its fields as `spikeport.program` names them
Arrays = dict[str, Any]
Shape = tuple[int, ...]


def read_program(path: str) -> Part:
    """The parts of a Program file as namespaces; spikeport has checked the file before."""
    import h5py

    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != "spikeport-program" or file.attrs.get("version") != 2:
            raise SystemExit(f"{path}: is not a spikeport Program of version 2")
        program = Part(latency=int(file.attrs["latency"]))
        for folder in ("groups", "inputs", "outputs", "connections"):
            setattr(program, folder, [_part(file[folder][name]) for name in _ordered(file, folder)])
        program.encoders = {}
        for name in _ordered(file, "encoders"):
            node = file["encoders"][name]
            synapses = _part(node["synapses"])
            encoder = Part(synapses=synapses, offset=node["offset"][()], shift=int(node.attrs["shift"]))
            program.encoders[synapses.target] = encoder
    program.shapes = {part.name: tuple(part.shape) for part in [*program.inputs, *program.groups]}
    return program


def _ordered(file: Any, folder: str) -> list[str]:
    return sorted(file.get(folder, ()), key=lambda name: int(file[folder][name].attrs["order"]))


def _part(node: Any) -> Part:
    values = {name: data[()] for name, data in node.items()}
    for name, value in node.attrs.items():
        if isinstance(value, np.ndarray):
            value = tuple(value.tolist())
        values[name] = value.item() if isinstance(value, np.generic) else value
    return Part(**values)


def read_inputs(path: str, program: Part, samples: int | None = None) -> Arrays:
    """Of each input `(T, B, *shape)`; with `samples` only so many of the batch."""
    with np.load(path) as file:
        return {entry.name: file[entry.name][:, :samples] for entry in program.inputs}


def tell_done() -> None:
    """One sample more is done: a byte in the file of whoever shows progress, if there is one."""
    if "SPIKEPORT_DONE" in os.environ:
        with open(os.environ["SPIKEPORT_DONE"], "ab") as file:
            file.write(b".")
