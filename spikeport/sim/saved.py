"""`RunState`: where a run stands, to go on from later; in memory, or in an npz file that needs no pickle.

A run that is cut is not flushed: the spikes still on their way stay in its state, and the next part hands them out,
so that the parts' spikes, one after the other, are those of the run in one.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeport.archive import UNREADABLE
from spikeport.atomic import replacing
from spikeport.errors import FileDamaged, FileKind, FileMismatch, FileVersion, StateMismatch, no_file
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.engine.run import EventEngine
from spikeport.sim.engine.run import State as EventState
from spikeport.sim.state import State, check_state, cleared

FORMAT = "spikeport-state"
VERSION = 1
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class RunState:
    """All that the next step of a run depends on. Made by an engine, and for that engine only; the dense engine has the
    specification's."""

    engine: Literal["events", "reference"]
    program_sha256: str
    """Of the Program that ran: `fingerprint`."""
    batch: int
    inner: EventState | State

    @property
    def t(self) -> int:
        """Hardware steps done."""
        return self.inner.t


def fingerprint(program: Program, engine: EventEngine | None = None) -> str:
    """SHA-256 of every field of a Program, and of where an engine keeps what."""
    digest = hashlib.sha256()
    _feed(digest, program)
    if engine is not None:
        _feed(digest, (engine.layout.groups, engine.layout.connections))
    return digest.hexdigest()


def check_run_state(state: RunState, sha256: str, batch: int) -> None:
    """Raises InputError unless the state is one of the Program with this fingerprint, and of this batch."""
    if state.program_sha256 != sha256:
        raise StateMismatch(
            "state", "program", relation="is not", limit="the one that runs", do="use the one it came from"
        )
    if state.batch != batch:
        raise StateMismatch("state", "batch", got=state.batch, relation="is not the input's", limit=batch)


def save_state(
    state: RunState, path: str | os.PathLike[str], further: Mapping[str, NDArray[Any]] | None = None
) -> None:
    """Writes the state of a run as an npz file; a write that fails leaves what was there, and nothing half-written.

    Args:
        state: As `Result.state` has it.
        further: What else is to be in the file; `load_state` passes over it, `load_parts` gives it back.
    """
    head = {"format": FORMAT, "version": VERSION, "engine": state.engine, "t": state.t}
    head |= {"program_sha256": state.program_sha256, "batch": state.batch}
    flat: Arrays = {f"further/{name}": x for name, x in (further or {}).items()}
    if isinstance(state.inner, State):
        flat |= {f"groups/{n}/{k}": x for n, values in state.inner.groups.items() for k, x in values.items()}
        flat |= {f"arriving/{n}/{p}/{t}": a for (n, p), box in state.inner.arriving.items() for t, a in box.items()}
        flat |= {f"loaded/{n}": x for n, x in state.inner.loaded.items()}
    else:
        _flatten(state.inner, "state", flat)
    with replacing(path) as name, open(name, "wb") as file:
        np.savez_compressed(file, head=np.array(json.dumps(head)), **flat)  # type: ignore[arg-type]


def load_state(path: str | os.PathLike[str], program: Program) -> RunState:
    """The state of a run, from which `simulate(..., state=...)` goes on; nothing is ever unpickled.

    Raises:
        FileError: the file is not a state of this Program, or not whole.
    """
    return load_parts(path, program)[0]


def load_parts(path: str | os.PathLike[str], program: Program) -> tuple[RunState, Arrays]:
    """As `load_state`, and what else was saved with it."""
    path = Path(path)
    if not path.is_file():
        raise no_file(path)
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays.pop("head")))
        known = head["format"] == FORMAT and head["version"] == VERSION and head["engine"] in ("events", "reference")
        t, batch = int(head["t"]), int(head["batch"])
    except UNREADABLE as error:
        raise FileKind(str(path), "is not a state", do="write one with --state-out or save_state") from error
    if not known or t < 0 or batch < 1:
        raise FileVersion(str(path), "is not a state of this version", do="write it again")
    further = {name: arrays.pop(f"further/{name}") for name in _names(arrays, "further/")}
    engine = EventEngine(program, 1) if head["engine"] == "events" else None
    sha256 = fingerprint(program, engine)
    if head["program_sha256"] != sha256:
        do = "use the Program that it came from"
        raise FileMismatch(str(path), "is a state of another Program", do=do)
    try:
        inner = _reference(program, arrays, t, batch) if engine is None else _events(engine, arrays, t, batch)
    except UNREADABLE as error:
        raise FileDamaged(str(path), "is damaged", do="write it again, or copy it again") from error
    return RunState(head["engine"], sha256, batch, inner), further


def _names(arrays: Arrays, prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in arrays if name.startswith(prefix)]


def _reference(program: Program, arrays: Arrays, t: int, batch: int) -> State:
    start = cleared(program, batch)
    groups: dict[str, dict[str, Ints]] = {n: {} for n in start.groups}
    arriving: dict[tuple[str, str], dict[int, Ints]] = {dendrite: {} for dendrite in start.arriving}
    loaded: dict[str, Ints] = {}
    for key, x in arrays.items():
        part, name, *rest = key.split("/")
        if x.dtype != np.int64 or x.shape != (batch, program.group(name).size):
            raise ValueError(key)
        if part == "groups":
            groups[name][rest[0]] = x
        elif part == "arriving":
            arriving[name, rest[0]][int(rest[1])] = x
        else:
            loaded[name] = x
    state = State(t, groups, arriving, loaded)
    check_state(program, state, batch)
    return state


def _flatten(value: Any, where: str, into: Arrays) -> None:
    """The arrays of dataclasses and mappings, by their path."""
    if isinstance(value, np.ndarray):
        into[where] = value
    elif is_dataclass(value):
        for item in fields(value):
            _flatten(getattr(value, item.name), f"{where}/{item.name}", into)
    elif isinstance(value, Mapping):
        for key, x in value.items():
            _flatten(x, f"{where}/{key}", into)


def _events(engine: EventEngine, arrays: Arrays, t: int, batch: int) -> EventState:
    state = engine.start(batch)
    values: dict[str, Any] = {"t": t, "loaded": {}}
    for key, x in arrays.items():
        _, name, *rest = key.split("/")
        if rest:
            like = np.zeros((batch, engine.program.group(rest[0]).size), np.int64)
            values[name][rest[0]] = x
        else:
            like = getattr(state, name)
            values[name] = np.ascontiguousarray(x)
        if x.shape != like.shape or x.dtype != like.dtype:
            raise ValueError(key)
    if values.keys() != {item.name for item in fields(state)}:
        raise ValueError("state")
    return replace(state, **values)


def _feed(digest: Any, value: Any) -> None:
    """Every value with its kind and length, so that no two Programs feed the same bytes."""
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype.kind}{value.dtype.itemsize} {value.shape};".encode())
        digest.update(np.ascontiguousarray(value, value.dtype.newbyteorder("<")).reshape(-1).view(np.uint8))
    elif isinstance(value, tuple):
        digest.update(f"tuple {len(value)};".encode())
        for item in value:
            _feed(digest, item)
    elif is_dataclass(value):
        digest.update(f"{type(value).__name__};".encode())
        for part in fields(value):
            if not part.name.startswith("_"):
                digest.update(f"{part.name}=".encode())
                _feed(digest, getattr(value, part.name))
    else:
        text = repr(value).encode()
        digest.update(f"{type(value).__name__} {len(text)};".encode() + text)
