"""Small bundles, and bundles that claim something else, for the tests of this folder."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from spikeport.archive import npz_arrays, npz_bytes
from spikeport.commands.proof.members import Given, members_of
from spikeport.commands.proof.sealed import open_bundle, sealed_bytes
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.program_file import save_program

VERSIONS = {"spikeport": "0.1.0", "python": "3.11.7", "numpy": "2.0.0"}


def small() -> tuple[Program, dict[str, np.ndarray]]:
    """An encoder, a convolution and a readout whose v is read, and two samples of six steps."""
    rng = np.random.default_rng(7)
    coded = LIF("coded", (2, 4, 4), 4095, 300, 20, np.zeros((2, 4, 4), int), bias_exp=6)
    conv = LIF("conv", (2, 4, 4), 2000, 300, 30, np.ones((2, 4, 4), int), refractory_steps=1)
    mem = LIF("mem", (3,), 4095, 100, 131071, np.zeros(3, int))
    program = Program(
        groups=(coded, conv, mem),
        connections=(
            Conv("coded", "conv", 2 * rng.integers(-60, 100, (2, 2, 3, 3)), padding=(1, 1)),
            Dense("conv", "mem", 2 * rng.integers(-60, 100, (3, 32)), delay=1),
        ),
        inputs=(Input("image", (1, 4, 4), "bias", 0, 255),),
        outputs=(Output("y", "mem", classes=3, reads="v"),),
        encoders=(Encoder(Conv("image", "coded", 2 * rng.integers(-9, 20, (2, 1, 1, 1))), np.zeros((2, 4, 4), int)),),
        latency=2,
    )
    return program, {"image": rng.integers(0, 256, (6, 2, 1, 4, 4))}


def given(program: Program, inputs: Mapping[str, np.ndarray], nir: bytes | None = None) -> Given:
    with TemporaryDirectory() as folder:
        save_program(program, Path(folder) / "net.h5")
        return Given(program, (Path(folder) / "net.h5").read_bytes(), inputs, nir)


def write_small(path: Path, nir: bytes | None = None) -> None:
    program, inputs = small()
    if nir is not None:
        program = replace(program, nir_sha256=hashlib.sha256(nir).hexdigest())
    path.write_bytes(sealed_bytes(members_of(given(program, inputs, nir))[0], VERSIONS))


def resealed(path: Path, changes: Mapping[str, bytes | None], versions: Mapping[str, str] = VERSIONS) -> None:
    """Writes a bundle in which files are others, or gone, and every seal is right."""
    members = {**open_bundle(path).members, **changes}
    path.write_bytes(sealed_bytes({name: x for name, x in members.items() if x is not None}, versions))


def edited(data: bytes, *steps: Any, to: Any) -> bytes:
    """A JSON file in which the value under these keys is another."""
    said = json.loads(data)
    place = said
    for key in steps[:-1]:
        place = place[key]
    place[steps[-1]] = to
    return (json.dumps(said, indent=1) + "\n").encode()


def flipped(key: str, *at: int) -> Callable[[bytes], bytes]:
    """Changes the lowest bit of one number of an npz."""

    def change(data: bytes) -> bytes:
        arrays = {name: x.copy() for name, x in npz_arrays(data, "npz").items()}
        arrays[key][at] ^= 1
        return npz_bytes(arrays)

    return change


def told(*place: Any, to: Any) -> Callable[[bytes], bytes]:
    return lambda data: edited(data, *place, to=to)
