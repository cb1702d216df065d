"""What a `Session` keeps besides its run's state, in the state's file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import FileDamaged
from spikeport.fixed import Ints
from spikeport.profiles import Profile, check_profile_name
from spikeport.program import Program
from spikeport.sim.decide import Tally
from spikeport.sim.saved import RunState, load_parts, save_state

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Kept:
    """All of it."""

    profile: Profile
    record: tuple[str, ...]
    held: Mapping[str, Ints | None]
    """By bias input, `(B, n)`: the values that stand; None where they are not known."""
    tallies: Mapping[str, Tally]
    cleared: int


def save_session(state: RunState, kept: Kept, path: str | os.PathLike[str]) -> None:
    """Raises FileError if the file cannot be written; nothing is left behind."""
    arrays: dict[str, NDArray[Any]] = {"profile": np.array(kept.profile), "cleared": np.array(kept.cleared)}
    arrays |= {f"record/{name}": np.zeros(0, np.int64) for name in kept.record}
    arrays |= {f"held/{name}": x for name, x in kept.held.items() if x is not None}
    for name, tally in kept.tallies.items():
        arrays |= {f"tallies/{name}": np.stack([tally.total, tally.most, tally.last])}
        arrays |= {f"steps/{name}": np.array(tally.steps)}
    save_state(state, path, arrays)


def load_session(path: str | os.PathLike[str], program: Program) -> tuple[RunState, Kept | None]:
    """The state, and what the session kept, if it was one.

    Raises:
        FileError: no state of this Program, or not whole.
    """
    state, arrays = load_parts(path, program)
    if not arrays:
        return state, None
    try:
        return state, _kept(program, arrays, state.batch)
    except (ValueError, KeyError) as error:
        raise FileDamaged(str(path), "is damaged", do="write it again, or copy it again") from error


def _kept(program: Program, arrays: Arrays, batch: int) -> Kept:
    profile: Any = str(arrays["profile"])
    check_profile_name(profile)
    groups = {g.name: (0,) for g in program.groups}
    held = {i.name: (batch, i.size) for i in program.inputs if i.kind == "bias"}
    tallies = {o.name: (3, batch, o.classes) for o in program.outputs if o.classes}
    record = _under("record", arrays, groups)
    tallied = _under("tallies", arrays, tallies)
    steps = _under("steps", arrays, dict.fromkeys(tallied, ()))
    return Kept(
        profile=profile,
        record=tuple(record),
        held={**dict.fromkeys(held), **_under("held", arrays, held)},
        tallies={name: Tally(int(steps[name]), *x) for name, x in tallied.items()},
        cleared=int(arrays["cleared"]),
    )


def _under(part: str, arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Ints]:
    """The arrays of one part, by name; ValueError for one that should not be there or has another shape."""
    found = {key.removeprefix(f"{part}/"): x for key, x in arrays.items() if key.startswith(f"{part}/")}
    for name, x in found.items():
        if shapes.get(name) != x.shape or x.dtype != np.int64:
            raise ValueError(name)
    return found
