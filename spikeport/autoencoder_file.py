"""A deployed autoencoder to a folder and back. The loader trusts nothing.

The folder, version 1, holds nothing but plain data, and is written whole or not at all:

    bundle.json     format, version, sizes, the SHA-256 of each other file, and of this one's own text without it
    encoder.h5      a Program, sealed; absent where only the decoder is deployed
    decoder.h5      a Program, sealed
    host.npz        arrays of the bottleneck and of TAID; absent where there are none
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.atomic import replacing_folder
from spikeport.autoencoder import Attention, Bottleneck, Bundle, Pixels
from spikeport.errors import (
    FileDamaged,
    FileError,
    FileKind,
    FileMismatch,
    FileMissing,
    FileUnreadable,
    FileVersion,
    InputError,
    ProgramError,
    UnknownName,
)
from spikeport.program_file import load_program, save_program

FORMAT = "spikeport-autoencoder"
VERSION = 1
MARK = "bundle.json"
FILES = frozenset({MARK, "encoder.h5", "decoder.h5", "host.npz"})
MAX_JSON_BYTES = 1 << 16
MAX_HOST_BYTES = 1 << 28


def save_bundle(bundle: Bundle, path: str | os.PathLike[str]) -> None:
    """Writes a folder beside `path` and renames it; a bundle that is there is replaced if nothing else is in it.

    Raises:
        FileError: it cannot be written, or something else is there.
    """
    with replacing_folder(path, FILES) as folder:
        for name, program in bundle.programs.items():
            save_program(program, folder / f"{name}.h5")
        arrays, said = _host_part(bundle)
        if arrays:
            np.savez(folder / "host.npz", **arrays)  # type: ignore[arg-type]
        files = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
        head = {"format": FORMAT, "version": VERSION, "steps": bundle.steps, "latent": bundle.latent}
        head |= {"pixels": asdict(bundle.pixels), "readout": said, "sha256": files}
        head["seal"] = _seal(head)
        (folder / MARK).write_text(json.dumps(head, indent=2) + "\n")


def load_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Raises FileError if the folder is not a bundle of this version, or not whole; nothing is ever unpickled."""
    path = Path(path)
    head = _read_head(path)
    for name, digest in head["sha256"].items():
        if not (path / name).is_file():
            raise FileMissing(str(path), f"lacks {name}", do="compile it again, or copy it again")
        if _sha256(path / name) != digest:
            raise FileMismatch(str(path / name), "is not the bundle's", do="compile it again, or copy it again")
    try:
        arrays = _read_arrays(path / "host.npz") if "host.npz" in head["sha256"] else {}
        encoder = load_program(path / "encoder.h5") if "encoder.h5" in head["sha256"] else None
        bottleneck, attention = _host_of(arrays, head["readout"])
        decoder, pixels = load_program(path / "decoder.h5"), Pixels(**head["pixels"])
        bundle = Bundle(encoder, decoder, head["steps"], pixels, bottleneck, attention)
    except FileError:
        raise
    except (InputError, ProgramError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(str(path), f"is not a valid bundle: {error}", do="compile it again") from error
    if bundle.latent != head["latent"]:
        raise FileError(str(path), "latent neurons", got=head["latent"], relation="are not", limit=bundle.latent)
    return bundle


def is_bundle(path: Path) -> bool:
    """Whether a folder says that it is one."""
    return (path / MARK).is_file()


def _host_part(bundle: Bundle) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays, and what is said of the readout; v's unit is the decoder Program's."""
    arrays: dict[str, NDArray[Any]] = {}
    if (bottleneck := bundle.bottleneck) is not None:
        arrays |= {"bottleneck_weight": bottleneck.weight, "bottleneck_bias": bottleneck.bias}
    if (taid := bundle.attention) is None:
        return arrays, {"kind": "membrane"}
    arrays |= {"taid_weight": taid.weight, "taid_bias": taid.bias, "taid_attention": taid.steps}
    return arrays, {"kind": "taid", "form": taid.form, "padding": list(taid.padding)}


def _host_of(arrays: Mapping[str, NDArray[Any]], said: Mapping[str, Any]) -> tuple[Bottleneck | None, Attention | None]:
    bottleneck = attention = None
    if "bottleneck_bias" in arrays:
        bottleneck = Bottleneck(arrays["bottleneck_weight"], arrays["bottleneck_bias"])
    if said["kind"] not in ("membrane", "taid"):
        raise UnknownName("readout", "kind", got=said["kind"], relation="is not one of", limit="membrane, taid")
    if said["kind"] == "taid":
        weight, bias, steps = (arrays[f"taid_{name}"] for name in ("weight", "bias", "attention"))
        attention = Attention(weight, bias, steps, tuple(said["padding"]), said["form"])
    return bottleneck, attention


def _read_head(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FileMissing(str(path), "no such folder")
    if not (path / MARK).is_file():
        raise FileMissing(str(path), f"lacks {MARK}", do="make a bundle with: spikeport compile RUN -o BUNDLE")
    damaged = FileDamaged(str(path / MARK), "is damaged", do="compile it again, or copy it again")
    with (path / MARK).open("rb") as file:
        text = file.read(MAX_JSON_BYTES + 1)
    try:
        head = json.loads(text) if len(text) <= MAX_JSON_BYTES else None
    except (ValueError, RecursionError) as error:
        raise damaged from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise FileKind(str(path / MARK), "is not a spikeport bundle", do="make one with: spikeport compile RUN")
    if head.get("version") != VERSION:
        got, do = head.get("version"), "compile it again"
        raise FileVersion(str(path / MARK), "format version", got=got, relation="is not", limit=VERSION, do=do)
    if head.pop("seal", None) != _seal(head):
        raise damaged
    names = head.get("sha256")
    known = isinstance(names, dict) and {"decoder.h5"} <= names.keys() <= FILES - {MARK}
    if not known or head.keys() != {"format", "version", "steps", "latent", "pixels", "readout", "sha256"}:
        raise damaged
    return head


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays that are stored as they are, so that none is larger than the file."""
    try:
        with zipfile.ZipFile(path) as file:
            packed = any(item.compress_type != zipfile.ZIP_STORED for item in file.infolist())
        if packed or path.stat().st_size > MAX_HOST_BYTES:
            raise FileUnreadable(str(path), "is not an npz file of the host's arrays", do="compile it again")
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, FileError):
            raise
        raise FileUnreadable(str(path), "is not a readable npz file", got=error, do="compile it again") from error


def _seal(head: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(head, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
