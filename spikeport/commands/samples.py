"""`x.npz` and `y.npz`: samples in, spikes and traces out."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.atomic import is_stream, replacing, unwritten
from spikeport.deploy.calibration import Calibration
from spikeport.errors import FileError, FileKind, FileUnreadable, InputError, LabelsInvalid, no_file
from spikeport.program import Program
from spikeport.program_file import FORMAT
from spikeport.sim import Result
from spikeport.sim.record import PROGRAM, output_keys, program_digest, write_arrays

IntArray = NDArray[np.integer]
_KINDS = {b"\x93NUMPY": "one bare array, .npy", b"\x89HDF\r\n\x1a\n": "an HDF5 file", FORMAT.encode(): "a Program"}
_MAGIC_BYTES = 64
_DO = "write it with numpy.savez, integers only"
_UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What numpy and zipfile raise on a damaged file."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Arrays `(T, B, *shape)` by input, and labels `(B,)` if the file has them."""

    path: Path
    inputs: Mapping[str, IntArray]
    labels: IntArray | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an input, `(T, B, *shape)`; steps and samples are those of all."""
        return next(iter(self.inputs.values())).shape

    def first(self, count: int) -> "Samples":
        """The first `count` samples of the batch."""
        if count < 1:
            raise InputError("samples", "count", got=count, relation="is not above", limit=0)
        labels = None if self.labels is None else self.labels[:count]
        inputs = {name: x[:, :count] if x.ndim > 1 else x for name, x in self.inputs.items()}
        return Samples(self.path, inputs, labels)

    def need_labels(self) -> IntArray:
        if self.labels is None:
            do = "add an array 'labels' of shape (B,)"
            raise LabelsInvalid(str(self.path), "holds no labels", do=do)
        return self.labels


def read_npz(path: Path) -> dict[str, IntArray]:
    """All arrays of a file; nothing is ever unpickled.

    Raises:
        FileError: not an npz file.
    """
    if not path.is_file():
        raise no_file(path)
    try:
        with path.open("rb") as handle:
            _check_zip(path, handle.read(_MAGIC_BYTES))
            handle.seek(0)
            file = np.load(handle, allow_pickle=False)
            return {name: file[name] for name in file.files}
    except FileError:
        raise
    except _UNREADABLE as error:
        got = (str(error) or type(error).__name__).splitlines()[0][:100]
        raise FileUnreadable(str(path), "is not a readable npz file", got=got, do=_DO) from error


def _check_zip(path: Path, start: bytes) -> None:
    """FileError for what does not begin as a zip file does: numpy would take it for a pickle, and say so."""
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return
    if kind := next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), ""):
        raise FileKind(str(path), "is not an npz file", got=kind, do=_DO)
    got = "it is no zip file" if start else "it is empty"
    raise FileUnreadable(str(path), "is not a readable npz file", got=got, do=_DO)


def read_samples(path: Path, program: Program) -> Samples:
    """Reads `spikes` (or one array per input, by name) and `labels`.

    Raises:
        FileError: not an npz file, or an array that is missing.
    """
    arrays = read_npz(path)
    inputs = inputs_of(path, arrays, program)
    return Samples(path, inputs, _labels(path, arrays.get("labels"), inputs))


def inputs_of(path: Path, arrays: Mapping[str, IntArray], program: Program) -> dict[str, IntArray]:
    """One array for each input, by name; that of an only one may be called `spikes`.

    Raises:
        FileError: one is missing.
    """
    names = [entry.name for entry in program.inputs]
    keys = {names[0]: "spikes"} if len(names) == 1 and "spikes" in arrays else {name: name for name in names}
    missing = [key for key in keys.values() if key not in arrays]
    if missing:
        wanted = "'spikes'" if len(names) == 1 else ", ".join(repr(name) for name in names)
        raise FileError(str(path), "holds no array", got=wanted, do="see 'spikeport run --help' for its layout")
    return {name: arrays[key] for name, key in keys.items()}


def read_calibration(path: Path) -> Calibration:
    """Reads `spikes`, or one array per input by name, and `labels`; a network's names are not known yet.

    Raises:
        FileError: not an npz file, or no array of integers in it. InputError: shapes that do not fit together.
    """
    arrays = dict(read_npz(path))
    labels = arrays.pop("labels", None)
    inputs = {"spikes": arrays["spikes"]} if "spikes" in arrays else arrays
    odd = [name for name, x in inputs.items() if x.dtype.kind not in "iub"]
    if odd or not inputs:
        do = "see 'spikeport run --help' for its layout"
        raise FileError(str(path), "holds no integers", got=", ".join(odd) or "no array", do=do)
    return Calibration(inputs, _labels(path, labels, inputs))


def check_file_writable(path: Path) -> None:
    """Fails before long work, or before another file was written."""
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "Is a directory")
        if not is_stream(path):
            with tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent):
                pass
    except OSError as error:
        raise unwritten(path, error) from error


def write_npz(path: Path, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Writes a temporary file and renames it: a failed write leaves nothing behind."""
    with replacing(path) as name, open(name, "wb") as file:
        np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]


def is_hdf5(path: Path) -> bool:
    """Whether the name asks for HDF5."""
    return path.suffix in (".h5", ".hdf5")


def write_result(path: Path, program: Program, result: Result) -> None:
    """The outputs aligned with the input (`output_keys`), `latency`, `program_sha256`, and in hardware time `GROUP/s`
    and the state, as `GROUP/u`.

    As HDF5 if its name says so, else as npz.
    """
    arrays: dict[str, NDArray[np.generic]] = {"latency": np.array(result.latency, np.int64)}
    arrays[PROGRAM] = program_digest(program)
    keys = output_keys(program, result.traces)
    for output in program.outputs:
        x = result.outputs[output.name]
        arrays[keys[output.name]] = x.astype(np.int64) if output.reads == "v" else _narrow(x)
        if output.reads == "v":
            arrays[f"{output.name}/v_unit"] = np.array(program.group(output.source).v_unit)
    for name, trace in result.traces.items():
        arrays |= {f"{name}/{variable}": x for variable, x in trace.state.items()} | {f"{name}/s": _narrow(trace.s)}
    (write_arrays if is_hdf5(path) else write_npz)(path, arrays)


def _narrow(spikes: IntArray) -> IntArray:
    """Spikes of 0 and 1 in one byte; payloads as they are."""
    small = not spikes.size or (spikes.min() >= 0 and spikes.max() <= 1)
    return spikes.astype(np.uint8) if small else spikes


def _labels(path: Path, labels: IntArray | None, inputs: Mapping[str, IntArray]) -> IntArray | None:
    if labels is None:
        return None
    first = next(iter(inputs.values()))
    if labels.dtype.kind not in "iu" or labels.ndim != 1 or (first.ndim > 1 and len(labels) != first.shape[1]):
        got = f"{labels.dtype}, shape {labels.shape}"
        raise LabelsInvalid(str(path), "labels", got=got, relation="are not", limit="one integer for each sample")
    return labels
