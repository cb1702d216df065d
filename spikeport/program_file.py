"""`Program` to one HDF5 file and back. The loader trusts nothing.

Layout, version 2: root attributes are the Program's scalars and `format`, `version`;
`groups/NAME`, `inputs/NAME`, `outputs/NAME`, `connections/N` and `encoders/N` hold each part's
scalars as attributes and its arrays as datasets; what is None is left out. An attribute `order` keeps
the order of parts, `kind` names the connection's class and `neuron` the group's.
The user block, which HDF5 readers skip, seals the rest with its SHA-256: a damaged file can
crash or hang the HDF5 library, so the seal is checked first.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from spikeport.atomic import replacing_hdf5
from spikeport.errors import FileDamaged, FileError, FileKind, FileUnreadable, FileVersion, ProgramError, no_file
from spikeport.program import (
    LIF,
    Connection,
    Conv,
    Dense,
    Encoder,
    Group,
    Input,
    Output,
    Program,
    Resonator,
    SigmaDelta,
    Sparse,
)

FORMAT = "spikeport-program"
VERSION = 2
SEAL_BYTES = 512  # the smallest user block that HDF5 knows
MAX_BYTES = 8 * 2**30  # no array of a Program is larger; a forged header can claim anything
MAX_GZIP_RATIO = 1032  # no deflated byte holds more
_CONNECTIONS: dict[str, type[Dense] | type[Sparse] | type[Conv]] = {"dense": Dense, "sparse": Sparse, "conv": Conv}
_NEURONS: dict[str, type[LIF] | type[SigmaDelta] | type[Resonator]] = {
    "lif": LIF,
    "sigma_delta": SigmaDelta,
    "resonator": Resonator,
}
_SCALARS = ("latency", "dt_s", "chip", "profile", "nir_sha256")
_Part = TypeVar("_Part")
_Kind = TypeVar("_Kind")


def save_program(program: Program, path: str | os.PathLike[str]) -> None:
    """Writes a Program as an HDF5 file with a checksum; the same Program gives the same bytes.

    A write that fails leaves what was there, and nothing half-written.

    Raises:
        FileError: the folder cannot be written, or the disk is full.
    """
    with replacing_hdf5(path) as sink:
        with h5py.File(sink, "w", track_order=True, userblock_size=SEAL_BYTES) as file:
            _write(program, file)
        seal(sink.name)


def load_program(path: str | os.PathLike[str]) -> Program:
    """The Program of a file; nothing in it is executed or unpickled.

    Raises:
        FileError: the file is not a Program of this version, or not whole: its checksum is another.
    """
    path = Path(path)
    if not path.is_file():
        raise no_file(path)
    try:
        _check_seal(path)
        with h5py.File(path, "r") as file:
            return _read(path, file)
    except FileError:
        raise
    except ProgramError as error:
        raise FileError(str(path), f"is not a valid Program: {error}") from error
    except (
        OSError,
        KeyError,
        OverflowError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:  # all that h5py raises on odd content
        raise FileUnreadable(
            str(path), "is not a readable HDF5 file", got=_first_line(error), do="compile it again"
        ) from error


def seal(path: str | os.PathLike[str]) -> None:
    """Renews the checksum of a Program's file; whoever edits one by hand calls this afterwards.

    Raises:
        OSError: there is no such file, or it cannot be written.
    """
    line = _seal_of(path)
    with open(path, "r+b") as file:
        file.write(line)


def _check_seal(path: Path) -> None:
    with open(path, "rb") as file:
        found = file.read(SEAL_BYTES).rstrip(b"\0")
    if not found.startswith(FORMAT.encode()):
        raise _other_kind(path)
    if found != _seal_of(path):
        raise FileDamaged(str(path), "is damaged", do="compile it again, or copy it again")


def _other_kind(path: Path) -> FileKind:
    lava_dl = path.suffix == ".net"
    do = (
        f"convert it: spikeport convert {path.name} -o net.h5"
        if lava_dl
        else "make one with: spikeport compile net.nir"
    )
    return FileKind(str(path), "is not a spikeport Program", do=do)


def _seal_of(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        file.seek(SEAL_BYTES)
        return f"{FORMAT} sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()


def _write(program: Program, file: h5py.File) -> None:
    file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
    for name in _SCALARS:
        file.attrs[name] = getattr(program, name)
    folders: tuple[tuple[str, tuple[Group | Input | Output, ...]], ...] = (
        ("groups", program.groups),
        ("inputs", program.inputs),
        ("outputs", program.outputs),
    )
    for folder, named in folders:
        for order, part in enumerate(named):
            _write_part(file.create_group(f"{folder}/{part.name}"), part, order)
    for part in program.groups:
        kind = next(kind for kind, cls in _NEURONS.items() if type(part) is cls)
        file[f"groups/{part.name}"].attrs["neuron"] = kind
    for order, connection in enumerate(program.connections):
        _write_connection(file.create_group(f"connections/{order}"), connection, order)
    for order, encoder in enumerate(program.encoders):
        group = file.create_group(f"encoders/{order}")
        group.attrs["order"], group.attrs["shift"] = order, encoder.shift
        group.create_dataset("offset", data=encoder.offset, compression="gzip")
        _write_connection(group.create_group("synapses"), encoder.synapses, 0)


def _write_connection(group: h5py.Group, connection: Connection, order: int) -> None:
    group.attrs["kind"] = next(k for k, cls in _CONNECTIONS.items() if type(connection) is cls)
    _write_part(group, connection, order)


def _write_part(group: h5py.Group, part: Any, order: int) -> None:
    group.attrs["order"] = order
    for item in fields(part):
        value = getattr(part, item.name)
        if isinstance(value, np.ndarray):
            group.create_dataset(item.name, data=value, compression="gzip")
        elif value is not None:
            group.attrs[item.name] = value


def _read(path: Path, file: h5py.File) -> Program:
    if _text(file.attrs.get("format")) != FORMAT:
        raise _other_kind(path)
    if (version := _scalar(file.attrs.get("version"))) != VERSION:
        raise FileVersion(
            str(path), "format version", got=version, relation="is not", limit=VERSION, do="compile it again"
        )
    missing = {"groups", "inputs", "outputs", *_SCALARS} - {*file, *file.attrs}
    if missing:
        raise FileError(str(path), "lacks", got=", ".join(sorted(missing)), do="compile it again")
    return Program(
        groups=tuple(_read_group(path, node) for node in _parts(path, file, "groups")),
        connections=tuple(_read_connection(path, node) for node in _parts(path, file, "connections")),
        inputs=tuple(_read_part(path, node, Input) for node in _parts(path, file, "inputs")),
        outputs=tuple(_read_part(path, node, Output) for node in _parts(path, file, "outputs")),
        encoders=tuple(_read_encoder(path, node) for node in _parts(path, file, "encoders")),
        **{name: _scalar(file.attrs[name]) for name in _SCALARS},
    )


def _parts(path: Path, file: h5py.File, folder: str) -> list[h5py.Group]:
    if folder not in file:
        return []
    parts = [_group(path, file, f"{folder}/{name}") for name in _group(path, file, folder)]
    return sorted(parts, key=lambda part: int(_scalar(part.attrs["order"])))


def _group(path: Path, parent: h5py.Group, name: str) -> h5py.Group:
    link = parent.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink) or not isinstance(parent.get(name), h5py.Group):
        raise FileError(str(path), f"{name} is not a group of this file", do="compile it again")
    return parent[name]


def _read_group(path: Path, group: h5py.Group) -> Group:
    return _read_part(path, group, _kind(path, group, "neuron", _NEURONS))


def _read_encoder(path: Path, group: h5py.Group) -> Encoder:
    synapses = _read_connection(path, _group(path, group, "synapses"))
    if isinstance(synapses, Sparse):
        raise FileError(str(path), f"{group.name}: kind", got="sparse", relation="is not one of", limit="dense, conv")
    if "shift" not in group.attrs:
        raise FileError(str(path), f"{group.name} lacks", got="shift", do="compile it again")
    return Encoder(synapses, _array(path, group, "offset"), _scalar(group.attrs["shift"]))


def _read_connection(path: Path, group: h5py.Group) -> Connection:
    return _read_part(path, group, _kind(path, group, "kind", _CONNECTIONS))


def _kind(path: Path, group: h5py.Group, name: str, kinds: Mapping[str, _Kind]) -> _Kind:
    kind = _text(group.attrs.get(name))
    if kind not in kinds:
        raise FileError(str(path), f"{group.name}: {name}", got=kind, relation="is not one of", limit=", ".join(kinds))
    return kinds[kind]


def _read_part(path: Path, group: h5py.Group, cls: type[_Part]) -> _Part:
    values = {}
    for item in fields(cls):  # type: ignore[arg-type]
        if item.name in group:
            values[item.name] = _array(path, group, item.name)
        elif item.name in group.attrs:
            values[item.name] = _scalar(group.attrs[item.name])
        elif item.default is MISSING:
            raise FileError(str(path), f"{group.name} lacks", got=item.name, do="compile it again")
    return cls(**values)


def _array(path: Path, group: h5py.Group, name: str) -> np.ndarray[Any, Any]:
    own = isinstance(group.get(name, getlink=True), h5py.HardLink)
    node = group.get(name) if own else None
    if not isinstance(node, h5py.Dataset) or node.external or node.is_virtual:
        raise FileError(str(path), f"{group.name}/{name} is not a data set of this file", do="compile it again")
    if node.dtype.kind not in "iu" or node.nbytes > min(MAX_BYTES, MAX_GZIP_RATIO * path.stat().st_size):
        got = f"{node.dtype}, {node.nbytes} bytes"
        limit = "an integer array that this file can hold"
        raise FileError(str(path), f"{group.name}/{name}", got=got, relation="is not", limit=limit)
    return np.asarray(node[()])


def _scalar(value: Any) -> Any:
    """An attribute as plain Python: integers, floats, text, or tuples of integers."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    if isinstance(value, np.generic):
        return value.item()
    return _text(value) if isinstance(value, bytes) else value


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
