"""What a Program must give on an input: every layer's spikes, every v that is read, and hashes of all the rest.

`expected.json` has for each layer the SHA-256 of each variable over all steps, and the first 16 hex digits of that of
each step, so that who differs learns where. Hashed are the bytes of int32, little-endian, `(steps, samples, neurons)`.
`expected.npz` has the spikes as `LAYER/s`: 0 and 1 as bits, `(steps, bytes)` uint8, as `numpy.packbits` lays samples
and neurons out; payloads as int32 `(steps, samples, neurons)`. So is `LAYER/v`, where an output reads it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.archive import npz_bytes
from spikeport.neurons import Group
from spikeport.program import Program
from spikeport.progress import working
from spikeport.sim.record import CHUNK_BYTES, recorded_bytes
from spikeport.sim.simulate import start_run

Array = NDArray[Any]
STEP_DIGITS = 16


@dataclass(eq=False)
class Layer:
    """One group over all steps; grows with every chunk of them."""

    group: Group
    read_v: bool
    spikes: int = 0
    """How many values that were sent are not 0."""
    digests: dict[str, Any] = field(default_factory=dict)
    """By variable: the running SHA-256."""
    steps: dict[str, list[str]] = field(default_factory=dict)
    chunks: dict[str, list[Array]] = field(default_factory=dict)

    def add(self, state: Mapping[str, Array], s: Array) -> None:
        """The next steps, each array `(steps, B, n)`."""
        self.spikes += int(np.count_nonzero(s))
        for variable, x in (*state.items(), ("s", s)):
            x = np.ascontiguousarray(x, "<i4")
            self.digests.setdefault(variable, hashlib.sha256()).update(x)
            self.steps.setdefault(variable, []).extend(hashlib.sha256(now).hexdigest()[:STEP_DIGITS] for now in x)
            if variable == "s" and not self.group.signed:
                x = np.packbits(x.astype(np.uint8).reshape(len(x), -1), axis=1)
            if variable == "s" or (variable == "v" and self.read_v):
                self.chunks.setdefault(variable, []).append(x)

    @property
    def sha256(self) -> dict[str, str]:
        """Of each variable over all steps, as hex digits."""
        return {variable: digest.hexdigest() for variable, digest in self.digests.items()}

    @property
    def arrays(self) -> dict[str, Array]:
        """What is kept in full, by its key in `expected.npz`."""
        return {f"{self.group.name}/{variable}": np.concatenate(x) for variable, x in self.chunks.items()}


def run_layers(program: Program, inputs: Mapping[str, Array]) -> tuple[Layer, ...]:
    """Every group of the Program under its own profile, from the cleared state, with the latency's steps at the end.

    Args:
        inputs: As `check_inputs` gives them, `(T, B, n)`.

    Raises:
        OverflowDetected: under the profile `strict`.
    """
    length, batch = next(iter(inputs.values())).shape[:2]
    layers = tuple(Layer(group, group.name in program.read_v) for group in program.groups)
    names = [group.name for group in program.groups]
    chunk = max(1, CHUNK_BYTES // recorded_bytes(program.groups, batch))
    run = start_run(program, batch, "auto", None, None)
    with working("simulating", length, "steps") as task:
        for a in range(0, length, chunk):
            part = {name: x[a : a + chunk] for name, x in inputs.items()}
            steps = min(chunk, length - a) + (program.latency if a + chunk >= length else 0)
            states, sent = run.advance(part, steps, names, names, length)
            for layer in layers:
                layer.add(states[layer.group.name], sent[layer.group.name])
            task.advance(min(chunk, length - a))
    return layers


def expected_files(program: Program, layers: Sequence[Layer], samples: int) -> tuple[bytes, bytes]:
    """`expected.json` and `expected.npz`."""
    said: dict[str, Any] = {"profile": program.profile, "samples": samples, "latency": program.latency}
    said["layers"] = [
        {
            "name": layer.group.name,
            "neurons": layer.group.size,
            "spikes": layer.spikes,
            "sha256": layer.sha256,
            "steps": layer.steps,
        }
        for layer in layers
    ]
    arrays = {key: x for layer in layers for key, x in layer.arrays.items()}
    return (json.dumps(said, indent=1) + "\n").encode("ascii"), npz_bytes(arrays)


def first_difference(layer: Layer, samples: int, said: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Where a layer of `expected.json` and `expected.npz` is not what ran; empty if it is nowhere.

    Raises:
        KeyError, TypeError, AttributeError: the JSON is not of this form.
    """
    found = list(_differences(layer, samples, said, arrays))
    if found:
        step, what = min(found)
        return f"step {step + 1}: {what}"
    if said["sha256"] != layer.sha256 or said["steps"] != layer.steps:
        return "its hashes"
    same = said["neurons"] == layer.group.size and said["spikes"] == layer.spikes
    return "" if same else "its numbers of neurons and spikes"


def _differences(
    layer: Layer, samples: int, said: Mapping[str, Any], arrays: Mapping[str, Array]
) -> Iterator[tuple[int, str]]:
    """Each variable's first step that differs, from 0, and what differs there."""
    for key, x in layer.arrays.items():
        variable, claimed = key.split("/")[1], arrays.get(key)
        if claimed is None or claimed.shape != x.shape or claimed.dtype != x.dtype:
            yield 0, f"{variable} is no array of this layer"
            continue
        for t in np.flatnonzero((x != claimed).reshape(len(x), -1).any(axis=1))[:1]:
            want, got = (_unpacked(layer, samples, variable, array[t]) for array in (x, claimed))
            for b, n in np.argwhere(want != got)[:1]:  # none where only bits of the padding differ
                yield int(t), f"{variable} of sample {b}, neuron {n} is {got[b, n]}, and runs as {want[b, n]}"
            if np.array_equal(want, got):
                yield int(t), f"{variable} has bits beyond its neurons"
    for variable, steps in layer.steps.items():
        claimed_steps = said["steps"][variable]
        for t in [t for t, pair in enumerate(zip(steps, claimed_steps, strict=False)) if pair[0] != pair[1]][:1]:
            yield t, f"{variable}, by its hash"


def _unpacked(layer: Layer, samples: int, variable: str, x: Array) -> Array:
    """One step, `(samples, neurons)`."""
    if variable == "s" and not layer.group.signed:
        x = np.unpackbits(x, count=samples * layer.group.size)
    return x.reshape(samples, -1)
