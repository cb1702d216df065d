"""The bundle as one file: a manifest that seals itself, and behind it the files whose SHA-256 it has.

The manifest's sizes say what every byte of the archive must be (`archive`), so that a reader trusts none of the
archive's own numbers: it cuts the file by the manifest, compares every hash, makes the archive again, and compares.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from spikeport.archive import LOCAL, LOCAL_MARK, spans, zip_bytes
from spikeport.errors import FileDamaged, FileError, FileKind, FileVersion, no_file
from spikeport.program_file import FORMAT as PROGRAM

FORMAT = "spikeport-bundle"
VERSION = 1
MANIFEST = "manifest.json"
WORKERS = (
    "chip_biases",
    "chip_board",
    "chip_dry_run",
    "chip_meters",
    "chip_net",
    "chip_pilot",
    "chip_run",
    "chip_standins",
    "host_biases",
    "lava_classes",
    "lava_models",
    "lava_processes",
    "lava_runtime",
    "lava_worker",
    "loihi_worker",
    "own_processes",
    "program_parts",
)
"""The scripts of `deploy/workers`, all of them."""
FILES = (
    "README.md",
    "replay.py",
    "program.json",
    "program.npz",
    "program.h5",
    "net.nir",
    "input.npz",
    "expected.json",
    "expected.npz",
    "mapping.json",
    *(f"workers/{name}.py" for name in WORKERS),
)
"""All names that a bundle has, in their order; `net.nir` may be missing."""
OPTIONAL = frozenset({"net.nir"})
MAX_MANIFEST_BYTES = 1 << 16
_START = LOCAL.size + len(MANIFEST)
_DO = "copy it again, or make it again with: spikeport bundle"


@dataclass(frozen=True, eq=False)
class Sealed:
    """What a whole bundle holds."""

    members: Mapping[str, bytes]
    """By name, without the manifest."""
    versions: Mapping[str, str]
    """With what it was made: of spikeport, python and packages."""


def sealed_bytes(members: Mapping[str, bytes], versions: Mapping[str, str]) -> bytes:
    """The bundle's bytes; raises InputError if they are more than 4 GiB."""
    files = [{"name": n, "bytes": len(x), "sha256": hashlib.sha256(x).hexdigest()} for n, x in members.items()]
    head = {"format": FORMAT, "version": VERSION, "versions": dict(versions), "files": files}
    return zip_bytes({MANIFEST: _manifest(head), **members})


def open_bundle(path: Path) -> Sealed:
    """Reads a bundle of which every byte is as it was written.

    Raises:
        FileError: it is not, and where; or no bundle is there.
    """
    if not path.is_file():
        raise no_file(path)
    with path.open("rb") as file:
        start = file.read(_START + MAX_MANIFEST_BYTES)
        head, text = _read_manifest(path, start)
        sizes = {MANIFEST: len(text)} | _sizes(path, head)
        parts = spans(sizes)
        _check_length(path, path.stat().st_size, parts[-1].end)  # before a claim takes memory
        data = start + file.read()
    members = {part.what: data[part.start : part.end] for part in parts if part.what in sizes}
    for said in head["files"]:
        if hashlib.sha256(members[said["name"]]).hexdigest() != said["sha256"]:
            place = next(part for part in parts if part.what == said["name"])
            _damaged(path, f"{place.what} is damaged", f"somewhere in bytes {place.start} to {place.end - 1}")
    _check_bytes(path, data, zip_bytes(members), sizes)
    return Sealed({name: x for name, x in members.items() if name != MANIFEST}, head["versions"])


def _manifest(head: Mapping[str, Any]) -> bytes:
    """The text of a manifest, with the SHA-256 of the text without it at its end."""
    seal = hashlib.sha256(json.dumps(head, indent=1).encode()).hexdigest()
    return (json.dumps({**head, "seal": seal}, indent=1) + "\n").encode("ascii")


def _read_manifest(path: Path, start: bytes) -> tuple[dict[str, Any], bytes]:
    """The manifest and its text. Its end is the first line that closes it: the archive's numbers are not asked."""
    named = start[LOCAL.size : _START] == MANIFEST.encode() or FORMAT.encode() in start[_START : _START + 64]
    if start.startswith(PROGRAM.encode()):
        raise FileKind(str(path), "is a Program, not a bundle", do="name its input: --input x.npz")
    if not named:
        what = "is a zip file, but no bundle" if start.startswith(LOCAL_MARK) else "is no bundle"
        raise FileKind(str(path), what, do="make one with: spikeport bundle net.h5 --input x.npz -o out.zip")
    end = start.find(b"\n}\n", _START)
    if end < 0:
        _damaged(path, f"{MANIFEST} is cut off or damaged", f"from byte {_START} on")
    text = start[_START : end + 3]
    try:
        head = json.loads(text)
        seal = head.pop("seal")
        same = _manifest(head) == text and isinstance(seal, str)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        same = False
    if not same:
        _damaged(path, f"{MANIFEST} is damaged", f"somewhere in bytes {_START} to {end + 2}")
    if (head.get("format"), head.get("version")) != (FORMAT, VERSION):
        got = f"{head.get('format')} {head.get('version')}"
        raise FileVersion(
            str(path), "format", got=got, relation="is not", limit=f"{FORMAT} {VERSION}", do="make it again"
        )
    return head, text


def _sizes(path: Path, head: Mapping[str, Any]) -> dict[str, int]:
    """Of each file, by name, if the manifest names what a bundle has, once and in order."""
    files, versions = head.get("files"), head.get("versions")
    well = isinstance(files, list) and all(_is_file(said) for said in files)
    if not well or not isinstance(versions, dict) or not all(isinstance(x, str) for x in versions.values()):
        raise FileError(str(path), f"{MANIFEST} has no list of files, or no versions", do=_DO)
    names = [said["name"] for said in head["files"]]
    wanted = [name for name in FILES if name in names or name not in OPTIONAL]
    if names != wanted:
        odd = next((a for a, b in zip(names, wanted, strict=False) if a != b), "its number of files")
        raise FileError(str(path), f"{MANIFEST} names", got=repr(odd), relation="not in the order of", limit="a bundle")
    return {said["name"]: said["bytes"] for said in head["files"]}


def _is_file(said: object) -> bool:
    return (
        isinstance(said, dict)
        and set(said) == {"name", "bytes", "sha256"}
        and isinstance(said["name"], str)
        and type(said["bytes"]) is int
        and said["bytes"] >= 0
        and re.fullmatch("[0-9a-f]{64}", str(said["sha256"])) is not None
    )


def _check_length(path: Path, got: int, want: int) -> None:
    if got < want:
        raise FileDamaged(str(path), "bytes", got=f"{got:,}", relation="are fewer than", limit=f"{want:,}", do=_DO)
    if got > want:
        raise FileDamaged(str(path), f"has bytes beyond its end record, from byte {want:,} on", do=_DO)


def _check_bytes(path: Path, data: bytes, want: bytes, sizes: Mapping[str, int]) -> None:
    if data == want:
        return
    at = int(np.flatnonzero(np.frombuffer(data, np.uint8) != np.frombuffer(want, np.uint8))[0])
    place = next(part for part in spans(sizes) if part.start <= at < part.end)
    _damaged(path, f"{place.what} is damaged", f"byte {at}")


def _damaged(path: Path, what: str, where: str) -> NoReturn:
    raise FileDamaged(str(path), what, got=where, do=_DO)
