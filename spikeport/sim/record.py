"""`record`: a long run written to HDF5 in chunks of steps, in memory that the chunk bounds."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeport.atomic import replacing
from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Group, Profile, Program
from spikeport.sim.saved import RunState
from spikeport.sim.simulate import Arrays, Engine, check_groups, check_inputs, start_run

CHUNK_BYTES = 32 * 2**20
"""Of a chunk's arrays, where the caller names no number of steps."""
BLOCK_BYTES = 2**20
"""Of what HDF5 compresses and reads at once."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What was written, and what would be lost otherwise."""

    path: Path
    steps: int
    """Of `spikes`."""
    batch: int
    n_spikes: int
    """Of the output."""
    counts: Ints
    """As `Result.counts`."""
    latency: int
    state: RunState | None
    """As `Result.state`."""


def record(
    program: Program,
    spikes: Arrays,
    groups: Collection[str],
    path: str | os.PathLike[str],
    *,
    chunk_steps: int | None = None,
    profile: Profile | None = None,
    engine: Engine = "auto",
    state: RunState | None = None,
    flush: bool = True,
) -> Recorded:
    """As `simulate`, but writes what it finds: `spikes`, `latency`, and `GROUP/s` and the state, as `GROUP/u`.

    The file is there whole or not at all.

    Args:
        groups: Those whose state and spikes are kept.
        path: Of an HDF5 file; its arrays are laid out as those of a `Result`.
        chunk_steps: Steps that are in memory at once; so many as take a fixed number of bytes if None.

    Raises:
        FileError: the file cannot be written.
        InputError, OverflowDetected: as `simulate`.
    """
    check_groups(program, groups)
    kept = [g for g in program.groups if g.name in groups]
    if chunk_steps is not None and chunk_steps < 1:
        raise InputError("record", "chunk_steps", got=chunk_steps, relation="is not above", limit=0)
    first = check_inputs(program, _part(spikes, 0, 1))
    length, batch = _length(program, spikes), next(iter(first.values())).shape[1]
    chunk = chunk_steps or max(1, CHUNK_BYTES // bytes_per_step(program, kept, batch))
    for a in range(0, length, chunk):
        check_inputs(program, _part(spikes, a, a + chunk))  # before the first step, not in the middle of the run
    run = start_run(program, first, engine, profile, state, whole=False)
    before = 0 if state is None else state.t
    steps = length + (program.latency if flush else 0)
    output = program.group(program.outputs[0].source)
    skipped = max(0, program.latency - before)  # steps before the first that the output answers
    names = {g.name for g in kept}
    n_spikes, counts = 0, np.zeros((batch, output.size), np.int64)
    with replacing(path) as name, h5py.File(name, "w") as file:
        _lay_out(file, kept, output, (steps, max(0, steps - skipped), batch), chunk)
        file["latency"] = np.int64(program.latency)
        for a, inputs in _chunks(program, spikes, length, steps, chunk):
            b = min(a + chunk, steps)
            keep, sent = run.advance(inputs, b - a, names | {output.name}, names, before + length)
            for group in kept:
                for variable, x in (*keep[group.name].items(), ("s", sent[group.name])):
                    file[f"{group.name}/{variable}"][a:b] = x.reshape(b - a, batch, *group.shape)
            if (out := sent[output.name][max(0, skipped - a) :]).size:
                at = max(a, skipped) - skipped
                file["spikes"][at : at + len(out)] = out.reshape(len(out), batch, *output.shape)
                n_spikes, counts = n_spikes + int(np.count_nonzero(out)), counts + out.sum(axis=0, dtype=np.int64)
    end = None if flush else run.state()
    return Recorded(Path(path), max(0, steps - skipped), batch, n_spikes, counts, program.latency, end)


def bytes_per_step(program: Program, groups: Collection[Group], batch: int) -> int:
    """What one step takes in memory: the input, the output's spikes, and what is recorded."""
    given = sum(entry.size * (1 if entry.kind == "spike" else 8) for entry in program.inputs)
    output = program.group(program.outputs[0].source)
    return batch * (given + output.size) + recorded_bytes(groups, batch)


def recorded_bytes(groups: Collection[Group], batch: int) -> int:
    """Of one step's state and spikes of these groups."""
    return batch * sum(g.size * (4 * len(g.variables) + _spike_type(g).itemsize) for g in groups)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """The same layout from arrays that are in memory already."""
    with replacing(path) as name, h5py.File(name, "w") as file:
        for key, x in arrays.items():
            _create(file, key, x.shape, x.dtype, len(x))[...] = x if x.ndim else x[()]


def _lay_out(file: h5py.File, groups: list[Group], output: Group, size: tuple[int, int, int], chunk: int) -> None:
    steps, answered, batch = size
    _create(file, "spikes", (answered, batch, *output.shape), _spike_type(output), chunk)
    for group in groups:
        for variable in group.variables:
            _create(file, f"{group.name}/{variable}", (steps, batch, *group.shape), np.dtype(np.int32), chunk)
        _create(file, f"{group.name}/s", (steps, batch, *group.shape), _spike_type(group), chunk)


def _create(file: h5py.File, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunk: int) -> h5py.Dataset:
    """Compressed in blocks of whole steps that divide the chunk, so that none is compressed twice."""
    if not shape or 0 in shape:
        return file.create_dataset(name, shape, dtype)
    row = max(1, int(np.prod(shape[1:]))) * dtype.itemsize
    most = max(1, min(chunk, BLOCK_BYTES // row, shape[0]))
    block = next(n for n in range(most, 0, -1) if chunk % n == 0)
    samples = min(shape[1], max(1, BLOCK_BYTES * shape[1] // (row * block)))
    return file.create_dataset(
        name, shape, dtype, chunks=(block, samples, *shape[2:]), compression="gzip", compression_opts=1, shuffle=True
    )


def _spike_type(group: Group) -> np.dtype[Any]:
    return np.dtype(np.int32 if group.signed else np.uint8)


def _part(spikes: Arrays, a: int, b: int) -> Arrays:
    """Steps a to b of each input; what is no array stays, for `check_inputs` to refuse."""
    if isinstance(spikes, Mapping):
        return {name: x[a:b] if isinstance(x, np.ndarray) and x.ndim else x for name, x in spikes.items()}
    return spikes[a:b] if isinstance(spikes, np.ndarray) and spikes.ndim else spikes


def _length(program: Program, spikes: Arrays) -> int:
    """Steps of the inputs, which must agree."""
    arrays = spikes.values() if isinstance(spikes, Mapping) else [spikes]
    lengths = {len(x) for x in arrays}
    if len(lengths) != 1:
        raise InputError("input", "steps", got=sorted(lengths), relation="differ between inputs")
    return lengths.pop()


def _chunks(
    program: Program, spikes: Arrays, length: int, steps: int, chunk: int
) -> Iterator[tuple[int, dict[str, Ints]]]:
    """Each chunk's first step and inputs. After their end no spikes come, and a bias stays as it was loaded."""
    bias = {entry.name for entry in program.inputs if entry.kind == "bias"}
    last = check_inputs(program, _part(spikes, length - 1, length))
    rest = {name: x if name in bias else np.zeros_like(x) for name, x in last.items()}
    for a in range(0, steps, chunk):
        b = min(a + chunk, steps)
        inputs = check_inputs(program, _part(spikes, a, b)) if a < length else {n: x[:0] for n, x in rest.items()}
        yield a, {n: np.concatenate([x, np.repeat(rest[n], b - a - len(x), axis=0)]) for n, x in inputs.items()}
