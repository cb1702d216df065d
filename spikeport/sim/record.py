"""`record`: a long run written to HDF5 in chunks of steps, in memory that the chunk bounds."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeport.atomic import replacing_hdf5
from spikeport.errors import ArraysDiffer, InputError
from spikeport.fixed import Ints
from spikeport.program import Group, Profile, Program
from spikeport.progress import working
from spikeport.sim.decide import Tally, tally
from spikeport.sim.result import count_cleared, read_outputs
from spikeport.sim.saved import RunState, fingerprint
from spikeport.sim.simulate import Arrays, Engine, check_groups, check_inputs, start_run

CHUNK_BYTES = 32 * 2**20
"""Of a chunk's arrays, where the caller names no number of steps."""
BLOCK_BYTES = 2**20
"""Of what HDF5 compresses and reads at once."""
PROGRAM = "program_sha256"
"""Where a file of results says which Program ran."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """What was written, and what would be lost otherwise."""

    path: Path
    steps: int
    """Of the outputs."""
    batch: int
    n_spikes: int
    """Of the first output's source."""
    counts: Ints
    """As `Result.counts`."""
    latency: int
    tallies: Mapping[str, Tally]
    """What each output with classes came to, by name; of the parts of a run, `first.then(second)`."""
    cleared: int
    """How often a v that is to be read whole was cleared by a spike (`Program.integrators`); never under `strict`."""
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
    """As `simulate`, but writes what it finds: the outputs as `output_keys` names them, `latency`, and of the groups
    `GROUP/s` and the state, as `GROUP/u`.

    The file is there whole or not at all.

    Args:
        groups: Those whose state and spikes are kept.
        path: Of an HDF5 file; its arrays are laid out as those of a `Result`.
        chunk_steps: Steps that are in memory at once; so many as take a fixed number of bytes if None.

    Raises:
        FileError: the file cannot be written.
        InputError, OverflowDetected: as `simulate`; `output_keys`.
    """
    check_groups(program, groups)
    kept = [g for g in program.groups if g.name in groups]
    keys = output_keys(program, groups)
    length, batch, chunk = _checked(program, spikes, kept, chunk_steps)
    run = start_run(program, batch, engine, profile, state)
    before = 0 if state is None else state.t
    steps = length + (program.latency if flush else 0)
    skipped = max(0, program.latency - before)  # steps before the first that the output answers
    answered = max(0, steps - skipped)
    names = {g.name for g in kept}
    asked = (names | {o.source for o in program.outputs}, names | program.read_v)
    seen = _Seen(program, batch)
    with (
        replacing_hdf5(path) as sink,
        h5py.File(sink, "w") as file,
        working("simulating", steps, "steps") as task,
    ):
        _lay_out(file, kept, (steps, batch), chunk)
        _lay_out_outputs(file, program, keys, (answered, batch), chunk)
        file["latency"] = np.int64(program.latency)
        file[PROGRAM] = program_digest(program)
        for a, inputs in _chunks(program, spikes, length, steps, chunk):
            b = min(a + chunk, steps)
            keep, sent = run.advance(inputs, b - a, *asked, before + length)
            for group in kept:
                for variable, x in (*keep[group.name].items(), ("s", sent[group.name])):
                    file[f"{group.name}/{variable}"][a:b] = x.reshape(b - a, batch, *group.shape)
            at, late = max(a, skipped) - skipped, max(0, skipped - a)
            outputs = read_outputs(program, sent, {n: keep[n]["v"] for n in program.read_v}, late)
            for output, x in outputs.items():
                file[keys[output]][at : at + len(x)] = x
            seen.add(sent, outputs, late)
            task.advance(b - a)
    end = None if flush else run.state()
    return Recorded(
        Path(path), answered, batch, seen.n_spikes, seen.counts, program.latency, seen.tallies, seen.cleared, end
    )


def _checked(program: Program, spikes: Arrays, kept: list[Group], chunk_steps: int | None) -> tuple[int, int, int]:
    """Steps, samples, and steps at a time; InputError before the first step, not in the middle of the run."""
    if chunk_steps is not None and chunk_steps < 1:
        raise InputError("record", "chunk_steps", got=chunk_steps, relation="is not above", limit=0)
    first = check_inputs(program, _part(spikes, 0, 1))
    length, batch = _length(program, spikes), next(iter(first.values())).shape[1]
    chunk = chunk_steps or max(1, CHUNK_BYTES // bytes_per_step(program, kept, batch))
    for a in range(0, length, chunk):
        check_inputs(program, _part(spikes, a, a + chunk))
    return length, batch, chunk


class _Seen:
    """What is left of the outputs once they are written."""

    def __init__(self, program: Program, batch: int) -> None:
        self.program = program
        self.n_spikes, self.cleared = 0, 0
        self.counts = np.zeros((batch, program.group(program.outputs[0].source).size), np.int64)
        self.tallies: dict[str, Tally] = {}

    def add(self, sent: Mapping[str, NDArray[Any]], outputs: Mapping[str, NDArray[Any]], late: int) -> None:
        """The next steps; `late` of them come before the first of the input."""
        out = sent[self.program.outputs[0].source][late:]
        self.n_spikes += int(np.count_nonzero(out))
        self.counts += out.sum(axis=0, dtype=np.int64)
        self.cleared += count_cleared(self.program, sent, late)
        for name, found in tallies_of(self.program, outputs).items():
            self.tallies[name] = self.tallies[name].then(found) if name in self.tallies else found


def tallies_of(program: Program, outputs: Mapping[str, NDArray[Any]]) -> dict[str, Tally]:
    """Of the outputs that have classes, by name."""
    return {o.name: tally(outputs[o.name], o.classes) for o in program.outputs if o.classes}


def output_keys(program: Program, groups: Collection[str]) -> dict[str, str]:
    """Where a file of results has each output, by the output's name.

    The first output is `spikes` if it reads spikes; others that do are under their name. Where v is read it is
    `NAME/v`, and `NAME/v_unit` is what 1 is worth in the float model.

    Args:
        groups: Those that are recorded.

    Raises:
        InputError: a recorded group, or what every file has, has the same name.
    """
    keys, taken = {}, {"spikes", "latency", PROGRAM, *groups}
    for number, output in enumerate(program.outputs):
        if number == 0 and output.reads == "s":
            keys[output.name] = "spikes"
            continue
        if output.name in taken:
            do = "give the output another name, or record other groups"
            limit = "of a recorded group, or of what every file has"
            raise InputError("output", "name in the file", got=output.name, relation="is one", limit=limit, do=do)
        keys[output.name] = f"{output.name}/v" if output.reads == "v" else output.name
    return keys


def program_digest(program: Program) -> NDArray[np.uint8]:
    """The 32 bytes of its fingerprint."""
    return np.frombuffer(bytes.fromhex(fingerprint(program)), np.uint8)


def bytes_per_step(program: Program, groups: Collection[Group], batch: int) -> int:
    """What one step takes in memory: the input, what the outputs read, and what is recorded."""
    given = sum(entry.size * (1 if entry.kind == "spike" else 8) for entry in program.inputs)
    sources = {program.group(o.source) for o in program.outputs}
    read = sum(g.size for g in sources)
    states = sum(4 * g.size * len(g.variables) for g in sources - set(groups) if g.name in program.read_v)
    return batch * (given + read + states) + recorded_bytes(groups, batch)


def recorded_bytes(groups: Collection[Group], batch: int) -> int:
    """Of one step's state and spikes of these groups."""
    return batch * sum(g.size * (4 * len(g.variables) + _spike_type(g).itemsize) for g in groups)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """The same layout from arrays that are in memory already."""
    with replacing_hdf5(path) as sink, h5py.File(sink, "w") as file:
        for key, x in arrays.items():
            _create(file, key, x.shape, x.dtype, len(x) if x.ndim else 1)[...] = x if x.ndim else x[()]


def _lay_out(file: h5py.File, groups: list[Group], size: tuple[int, int], chunk: int) -> None:
    for group in groups:
        for variable in group.variables:
            _create(file, f"{group.name}/{variable}", (*size, *group.shape), np.dtype(np.int32), chunk)
        _create(file, f"{group.name}/s", (*size, *group.shape), _spike_type(group), chunk)


def _lay_out_outputs(
    file: h5py.File, program: Program, keys: Mapping[str, str], size: tuple[int, int], chunk: int
) -> None:
    for output in program.outputs:
        group = program.group(output.source)
        dtype = np.dtype(np.int64) if output.reads == "v" else _spike_type(group)
        _create(file, keys[output.name], (*size, *group.shape), dtype, chunk)
        if output.reads == "v":
            file[f"{output.name}/v_unit"] = group.v_unit


def _create(file: h5py.File, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], chunk: int) -> h5py.Dataset:
    """Compressed in blocks of whole steps that divide the chunk, so that none is compressed twice."""
    if len(shape) < 2 or 0 in shape:
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
        raise ArraysDiffer("input", "steps", got=sorted(lengths), relation="differ between inputs")
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
