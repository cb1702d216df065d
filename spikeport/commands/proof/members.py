"""What a bundle holds: all of it follows from a Program's file, an input and, if there is one, the NIR file."""

import hashlib
import platform
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport import __version__
from spikeport.archive import npz_bytes
from spikeport.chip import chip_named
from spikeport.commands.mapping.file import mapping_file
from spikeport.commands.proof import replay
from spikeport.commands.proof.expected import Layer, expected_files, run_layers
from spikeport.commands.proof.readme import readme_file
from spikeport.commands.proof.sealed import FILES, WORKERS
from spikeport.deploy.cores import map_cores
from spikeport.deploy.lava_env import WORKER
from spikeport.errors import FileError
from spikeport.program import Input, Program
from spikeport.program_file import load_program
from spikeport.program_plain import plain_program
from spikeport.sim.simulate import check_inputs

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Given:
    """What the rest follows from."""

    program: Program
    program_h5: bytes
    """Its file."""
    inputs: Mapping[str, Array]
    """By name, integers `(T, B, *shape)`."""
    nir: bytes | None = None

    @property
    def samples(self) -> int:
        return int(next(iter(self.inputs.values())).shape[1])

    @property
    def steps(self) -> int:
        """Of the input."""
        return len(next(iter(self.inputs.values())))


def versions() -> dict[str, str]:
    """Of what the values and bytes were made with."""
    return {"spikeport": __version__, "python": platform.python_version(), "numpy": version("numpy")}


def members_of(given: Given, made_by: str = __version__) -> tuple[dict[str, bytes], Sequence[Layer]]:
    """Every file of the bundle by name, in order, and the layers as they ran.

    Args:
        made_by: The version of spikeport that README.md names.

    Raises:
        InputError: the Program does not take the input, or names no chip that there is.
        OverflowDetected: a value leaves its word under the profile `strict`.
    """
    program = given.program
    checked = check_inputs(program, dict(given.inputs))
    inputs = {entry.name: _narrow(entry, checked[entry.name]) for entry in program.inputs}
    layers = run_layers(program, checked)
    files: dict[str, bytes] = {"input.npz": npz_bytes(inputs), "program.h5": given.program_h5}
    files["program.json"], files["program.npz"] = plain_program(program)
    files["expected.json"], files["expected.npz"] = expected_files(program, layers, given.samples)
    files["mapping.json"] = mapping_file(map_cores(program, chip_named(program.chip)))
    files["replay.py"] = Path(replay.__file__).read_bytes()
    files |= {f"workers/{name}.py": WORKER.with_name(f"{name}.py").read_bytes() for name in WORKERS}
    spikes = {layer.group.name: layer.spikes for layer in layers}
    has_nir = given.nir is not None
    files["README.md"] = readme_file(program, spikes, given.steps, given.samples, has_nir, made_by)
    if given.nir is not None:
        files["net.nir"] = given.nir
    return {name: files[name] for name in FILES if name in files}, layers


def program_of(data: bytes, where: str) -> Program:
    """The Program of a file's bytes; raises FileError that names `where`."""
    with tempfile.TemporaryDirectory(prefix="spikeport-bundle-") as folder:
        path = Path(folder) / "program.h5"
        path.write_bytes(data)
        try:
            return load_program(path)
        except FileError as error:
            raise error.at(where) from error


def nir_differs(program: Program, nir: bytes) -> str:
    """Why this is not the NIR file that the Program was compiled from; empty if it is."""
    found = hashlib.sha256(nir).hexdigest()
    if not program.nir_sha256:
        return "the Program names no NIR file"
    if found == program.nir_sha256:
        return ""
    return f"its SHA-256 is {found[:12]}..., the Program was compiled from {program.nir_sha256[:12]}..."


def _narrow(entry: Input, x: Array) -> Array:
    """`(T, B, *shape)` in the smallest of three types that has all that the input may be."""
    types = (np.uint8, np.int16, np.int32)
    fits = next(t for t in types if np.iinfo(t).min <= entry.low and entry.high <= np.iinfo(t).max)
    return x.reshape(*x.shape[:2], *entry.shape).astype(fits)
