"""`spikeport verify out.zip`: everything that follows from Program and input is made again and compared.

Nothing in a bundle is executed: its scripts are compared with this version's own.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeport import __version__
from spikeport.archive import npz_arrays
from spikeport.commands.answer import Answer, Table
from spikeport.commands.proof.expected import Layer, first_difference
from spikeport.commands.proof.members import Given, members_of, nir_differs, program_of
from spikeport.commands.proof.sealed import WORKERS, Sealed, open_bundle
from spikeport.commands.running.run import compare_with_lava
from spikeport.deploy.lava import Mode
from spikeport.errors import FileError, InputError
from spikeport.sim.compare import Comparison

RULED = frozenset({"README.md", "replay.py", "mapping.json", *(f"workers/{name}.py" for name in WORKERS)})
"""What another version of spikeport may write otherwise."""
EXPECTED = ("expected.json", "expected.npz")
EQUAL, OTHER = "equal", "of another version"


@dataclass(frozen=True)
class OnLava:
    """How the bundle is run on Lava too."""

    samples: int
    mode: Mode
    timeout_s: float


def verify_bundle(path: Path, lava: OnLava | None = None) -> Answer:
    """Every byte, every file and every layer of a bundle; exit 1 if one is not what it must be.

    Raises:
        FileError: the bundle is damaged, with the place; nothing of it is then believed.
    """
    start = time.perf_counter()
    sealed = open_bundle(path)
    given = _given(path, sealed)
    made_by = sealed.versions.get("spikeport", "?")
    members, layers = members_of(given, made_by)
    verdicts = {name: _verdict(path, name, sealed, given, members[name]) for name in sealed.members}
    by_layer = _layers(path, sealed, layers, given.samples)
    notes = [f"made with {', '.join(f'{name} {number}' for name, number in sealed.versions.items())}"]
    if OTHER in verdicts.values():
        notes.append(f"this is spikeport {__version__}, which writes the files marked '{OTHER}' in its own way")
    compared = None if lava is None else _on_lava(given, lava, notes)
    same = all(x in (EQUAL, OTHER) for x in verdicts.values()) and all(x == EQUAL for x in by_layer.values())
    seconds = time.perf_counter() - start
    notes.append(f"{'proven' if same else 'NOT what it claims'}, in {seconds:.1f} s")
    data = {
        "bundle": str(path),
        "equal": same and (compared is None or compared.equal),
        "files": verdicts,
        "layers": by_layer,
        "versions": dict(sealed.versions),
        "lava": None if compared is None else {"values": compared.values, "differing": compared.differing},
        "seconds": seconds,
    }
    rows = [(name, f"{len(x):,}", verdicts[name]) for name, x in sealed.members.items()]
    table = Table("Layers in the simulator", ("layer", "verdict"), list(by_layer.items()))
    columns = ("file", "bytes", "verdict")
    return Answer(
        data, f"{path}: every byte is as it was sealed", columns, rows, notes, int(not data["equal"]), [table]
    )


def _given(path: Path, sealed: Sealed) -> Given:
    program = program_of(sealed.members["program.h5"], f"{path}: program.h5")
    where = f"{path}: input.npz"
    inputs = npz_arrays(sealed.members["input.npz"], where)
    wanted = {entry.name for entry in program.inputs}
    if set(inputs) != wanted:
        got, limit = ", ".join(sorted(inputs)), ", ".join(sorted(wanted))
        raise FileError(where, "arrays", got=got, relation="are not the inputs", limit=limit)
    if any(x.ndim < 2 for x in inputs.values()):
        raise FileError(where, "holds an array without steps and samples")
    return Given(program, sealed.members["program.h5"], inputs, sealed.members.get("net.nir"))


def _verdict(path: Path, name: str, sealed: Sealed, given: Given, made: bytes) -> str:
    """Of one file: `equal` is what follows from Program and input, the Program itself and the input are given."""
    found = sealed.members[name]
    if name == "net.nir":
        return nir_differs(given.program, found) or EQUAL
    if found == made:
        return EQUAL
    if name in RULED and sealed.versions.get("spikeport") != __version__:
        return OTHER
    if name == "program.npz":
        return f"is not the Program of program.h5: {_first_array(npz_arrays(found, f'{path}: {name}'), made)}"
    if name == "program.json":
        return f"is not the Program of program.h5: line {_first_line(found, made)}"
    if name in EXPECTED:
        return "is not what the Program gives"
    if name == "input.npz":
        return "is not in the form that a bundle has"
    return f"is not what spikeport {__version__} writes: line {_first_line(found, made)}"


def _first_array(found: Mapping[str, Any], made: bytes) -> str:
    wanted = npz_arrays(made, "program.npz")
    odd = [key for key in {**wanted, **found} if key not in found or key not in wanted]
    odd += [
        key
        for key, x in found.items()
        if key in wanted
        and (x.dtype, x.shape, x.tobytes()) != (wanted[key].dtype, wanted[key].shape, wanted[key].tobytes())
    ]
    return odd[0] if odd else "the order of its arrays"


def _first_line(found: bytes, made: bytes) -> int:
    a, b = found.split(b"\n"), made.split(b"\n")
    return next((k for k, pair in enumerate(zip(a, b, strict=False), 1) if pair[0] != pair[1]), min(len(a), len(b)))


def _layers(path: Path, sealed: Sealed, layers: Sequence[Layer], samples: int) -> dict[str, str]:
    """Each layer: `equal`, or where what is expected is not what the simulator gives."""
    where = f"{path}: expected"
    arrays = npz_arrays(sealed.members["expected.npz"], f"{where}.npz")
    try:
        said = {x["name"]: x for x in json.loads(sealed.members["expected.json"])["layers"]}
        found = {x.group.name: first_difference(x, samples, said[x.group.name], arrays) for x in layers}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FileError(f"{where}.json", "has not the form that a bundle has", do="make the bundle again") from error
    return {name: f"differs at {text}" if text else EQUAL for name, text in found.items()}


def _on_lava(given: Given, lava: OnLava, notes: list[str]) -> Comparison:
    if lava.samples < 1:
        raise InputError("samples", "count", got=lava.samples, relation="is not above", limit=0)
    some = {name: x[:, : lava.samples] for name, x in given.inputs.items()}
    ran, comparison = compare_with_lava(given.program, some, lava.mode, lava.timeout_s)
    notes += [f"Lava: {comparison.differing:,} of {comparison.values:,} values differ", ran.describe()]
    if comparison.first is not None:
        notes.append(f"first difference: {comparison.first} (simulator, Lava)")
    return comparison
