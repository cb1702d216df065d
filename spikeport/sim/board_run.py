"""A run that a board made: what was recorded of a Program's groups, and what was measured of the board meanwhile.

The file is an HDF5 file with the arrays of `sim/record.py` that there are: `GROUP/s`, and of state what was probed,
such as `GROUP/u`, integers `(steps, B, *shape)` after each of the Program's hardware steps. Everything else lies under
`hardware-run`, a name that no group can have:

    facts               JSON: `format`, `board` and `versions` as names and texts, `offsets` that were taken off
    power_w/RAIL        watts over time, total, vdd (cores), vddm (memory), vddio; power_time_s says when
    static_power_w/RAIL watts after the run, while the board idles
    step_s/PART         seconds of each step: execution, management, host
    activity/COUNTER    by core, over the whole run: chip, core, syn_ops, dendrite_updates, spikes_in, axon_out

`loihi_worker.py` writes it; `save_board_run` does of a user's own arrays.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import FileError, FileMismatch, FileVersion, NotRecorded
from spikeport.program import Program
from spikeport.sim.convention import REFRACTORY_V
from spikeport.sim.record import PROGRAM, program_digest, write_arrays
from spikeport.trace import Trace

HARDWARE = "hardware-run"
FORMAT = 1
RAILS = ("total", "vdd", "vddm", "vddio")
STEP_PARTS = ("execution", "management", "host")
Arrays = Mapping[str, NDArray[Any]]
Recorded = Mapping[str, Arrays]
_TABLES = ("power_w", "static_power_w", "step_s", "activity")


@dataclass(frozen=True, eq=False)
class BoardRun:
    """What a board did with a Program."""

    recorded: Recorded
    """By group and variable (`s`, and those of its state), `(steps, B, *shape)`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """`board`: which it was; `versions`; `offsets`: steps of adapters and probes that were taken off."""
    power_w: Arrays = field(default_factory=dict)
    """By rail (`RAILS`), `(n,)` over the whole run."""
    static_power_w: Arrays = field(default_factory=dict)
    """By rail, one value for each run on the board."""
    step_s: Arrays = field(default_factory=dict)
    """By part (`STEP_PARTS`), `(n,)`."""
    activity: Arrays = field(default_factory=dict)
    """By counter, `(cores,)`; `chip` and `core` say which core it is."""

    @property
    def batch(self) -> int:
        return int(next(x.shape[1] for of_group in self.recorded.values() for x in of_group.values()))

    @property
    def board(self) -> str:
        """In one line."""
        known = self.facts.get("board") or {"board": "unnamed"}
        return ", ".join(f"{name} {value}" for name, value in known.items())


def save_board_run(path: str | os.PathLike[str], program: Program, run: BoardRun) -> None:
    """Writes a run; the file is there whole or not at all.

    Raises:
        InputError: groups, variables, shapes or tables that are not those of the Program and of this format.
        FileError: the file cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {f"{g}/{v}": x for g, of in run.recorded.items() for v, x in of.items()}
    facts = {**run.facts, "format": FORMAT}
    arrays |= {PROGRAM: program_digest(program), "latency": np.array(program.latency, np.int64)}
    arrays[f"{HARDWARE}/facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    for table in _TABLES:
        arrays |= {f"{HARDWARE}/{table}/{name}": np.atleast_1d(x) for name, x in getattr(run, table).items()}
    board_run("board run", arrays, program)
    write_arrays(path, arrays)


def is_board_run(arrays: Arrays) -> bool:
    return f"{HARDWARE}/facts" in arrays


def board_run(where: str, arrays: Arrays, program: Program) -> BoardRun:
    """What the arrays of a file say, checked.

    Args:
        where: Names the file in errors.

    Raises:
        FileError: it is no such run. InputError: it is one of another Program.
    """
    if PROGRAM in arrays and not np.array_equal(arrays[PROGRAM], program_digest(program)):
        raise FileMismatch(where, "run", relation="is that of another Program", do="name the Program that ran")
    recorded = dict(_recorded(where, arrays, program))
    if not recorded:
        raise NotRecorded(where, "holds no recorded groups", do="record them with --record")
    sizes = {x.shape[:2] for of_group in recorded.values() for x in of_group.values()}
    if len(sizes) > 1:
        got, limit = sorted(sizes), "one number of steps and samples"
        raise FileError(where, "(steps, samples) of the recorded arrays", got=got, relation="are not", limit=limit)
    tables = {table: dict(_table(where, arrays, table)) for table in _TABLES}
    return BoardRun(recorded, _facts(where, arrays[f"{HARDWARE}/facts"]), **tables)


def _recorded(where: str, arrays: Arrays, program: Program) -> Iterator[tuple[str, Arrays]]:
    for group in program.groups:
        of_group = {v: arrays[f"{group.name}/{v}"] for v in (*group.variables, "s") if f"{group.name}/{v}" in arrays}
        for variable, x in of_group.items():
            if x.dtype.kind not in "iub" or x.ndim < 2 or x.shape[2:] != group.shape or 0 in x.shape:
                got, limit = f"{x.dtype} {x.shape}", f"integers (steps, B, {', '.join(map(str, group.shape))})"
                raise FileError(where, f"{group.name}/{variable}", got=got, relation="is not", limit=limit)
        if of_group:
            yield group.name, of_group
    known: dict[str, tuple[str, ...]] = {output.name: ("v", "v_unit") for output in program.outputs}
    known |= {g.name: (*g.variables, "s", "v_unit") for g in program.groups}
    for key in arrays:
        name, _, variable = key.partition("/")
        if variable and name != HARDWARE and variable not in known.get(name, ()):
            limit = ", ".join(f"{g.name}/{v}" for g in program.groups for v in (*g.variables, "s"))
            raise FileError(where, "array", got=key, relation="is not one of", limit=limit)


def _table(where: str, arrays: Arrays, table: str) -> Iterator[tuple[str, NDArray[Any]]]:
    prefix = f"{HARDWARE}/{table}/"
    for key, x in arrays.items():
        if key.startswith(prefix):
            if x.dtype.kind not in "iuf" or x.ndim != 1 or not x.size or not np.isfinite(x).all() or x.min() < 0:
                got, limit = f"{x.dtype} {x.shape}", "finite numbers (n,), none below 0"
                raise FileError(where, key, got=got, relation="is not", limit=limit)
            yield key.removeprefix(prefix), x


def _facts(where: str, x: NDArray[Any]) -> dict[str, Any]:
    try:
        text = x.tobytes() if x.dtype.kind == "u" else bytes(x[()])
        facts = json.loads(text)
    except (ValueError, TypeError) as error:
        raise FileError(where, f"{HARDWARE}/facts", got=error, relation="is not", limit="JSON") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise FileVersion(where, "is not a board run of this format", do="write it with this version of the worker")
    return facts


def in_simulator_terms(recorded: Recorded, simulated: Mapping[str, Trace]) -> tuple[dict[str, Arrays], int]:
    """The same run with v = 0 where a spike left the chip's placeholder 128, and in how many places.

    After a spike the chip's register of v holds its refractory counter (lava#282; `sim/convention.py`). What spiked
    is taken from the recording, or from the simulator where spikes are not recorded.
    """
    found: dict[str, Arrays] = {}
    places = 0
    for name, of_group in recorded.items():
        found[name] = of_group
        if "v" in of_group:
            v = of_group["v"]
            spikes = of_group["s"] if "s" in of_group else simulated[name].s
            placeholder = (v == REFRACTORY_V) & (spikes.reshape(v.shape) != 0)
            places += int(placeholder.sum())
            found[name] = {**of_group, "v": np.where(placeholder, 0, v)}
    return found, places
