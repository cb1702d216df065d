"""Runs that a board made, from files: read, held against the simulator, and what was measured of them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeport.commands.answer import Answer
from spikeport.commands.samples import is_hdf5, read_samples
from spikeport.deploy.netx.node import MAX_GZIP_RATIO
from spikeport.deploy.netx.probe import check_readable
from spikeport.errors import ArraysDiffer, FileError, FileKind, FileMismatch, FileTooLarge, FileUnreadable, no_file
from spikeport.program import Program
from spikeport.program_file import SEAL_BYTES, load_program
from spikeport.sim import simulate
from spikeport.sim.board_run import HARDWARE, BoardRun, board_run, in_simulator_terms, is_board_run
from spikeport.sim.compare import Comparison, compare_recorded
from spikeport.sim.simulate import check_inputs
from spikeport.trace import Trace

PLACEHOLDER = "v = 128 where s: after a spike the chip's register of v holds its refractory counter (lava#282)"
_DO = "copy it again, or record it again"


def is_board_file(path: Path) -> bool:
    """Whether it is an HDF5 file by name, and of a board by what is in it."""
    if not is_hdf5(path) or not path.is_file():
        return False
    check_readable(path, str(path), kind="board run", do=_DO)
    try:
        with h5py.File(path, "r") as file:
            return HARDWARE in file
    except (OSError, RuntimeError):
        return False


def read_board_run(path: Path, program: Program, program_path: Path | None = None) -> BoardRun:
    """Raises FileError if it is no board run, InputError if it is one of another Program."""
    if not path.is_file():
        raise no_file(path)
    _check_no_zip(path)
    check_readable(path, str(path), kind="board run", do=_DO)
    arrays: dict[str, NDArray[Any]] = {}
    most = MAX_GZIP_RATIO * path.stat().st_size

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "iufbS":
            if item.nbytes > most:
                raise FileTooLarge(str(path), f"{name} claims more than the file can hold", do=_DO)
            arrays[name] = np.asarray(item[()])

    try:
        with h5py.File(path, "r") as file:
            file.visititems(take)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileUnreadable(
            str(path), "is not a readable board run", got=str(error).splitlines()[0], do=_DO
        ) from error
    if not is_board_run(arrays):
        raise FileKind(str(path), "is no run of a board", do=f"it lacks {HARDWARE}/facts; see docs/howto/loihi.md")
    run = board_run(str(path), arrays, program)
    wanted = run.facts.get("program_file_sha256", "")
    if program_path is not None and "program_sha256" not in arrays and wanted and wanted != _seal(program_path):
        raise FileMismatch(str(path), "run", relation="is that of another Program", do="name the file that ran")
    return run


def _check_no_zip(path: Path) -> None:
    """Raises FileKind for an npz file, which is what the simulator's runs are."""
    with path.open("rb") as file:
        if file.read(4) == b"PK\x03\x04":
            do = "compare runs of the simulator or of Lava with: spikeport bisect A.npz B.npz"
            raise FileKind(str(path), "is an npz file, and no run of a board", do=do)


def _seal(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(SEAL_BYTES).rstrip(b"\0\n").decode("ascii", "replace").split(" ")[-1]


def simulated_beside(program: Program, input_path: Path, run: BoardRun) -> dict[str, Trace]:
    """The simulator's traces of the groups that were recorded, on the samples that ran, in the words of Lava."""
    samples = read_samples(input_path, program)
    batch = next(iter(samples.inputs.values())).shape[1]
    if run.batch > batch:
        do = "name the input that ran"
        raise ArraysDiffer(
            str(input_path), "samples", got=batch, relation="are fewer than the run's", limit=run.batch, do=do
        )
    inputs = check_inputs(program, dict(samples.first(run.batch).inputs))
    shaped = {name: x.reshape(*x.shape[:2], *program.shape_of(name)) for name, x in inputs.items()}
    return dict(simulate(program, shaped, record=list(run.recorded), profile="lava").traces)


def verify_run(path: Path, input_path: Path, run_path: Path) -> Answer:
    """Every recorded value against the simulator; exit 1 if one differs."""
    program = replace(load_program(path), profile="lava")
    run = read_board_run(run_path, load_program(path), path)
    simulated = simulated_beside(program, input_path, run)
    recorded, places = in_simulator_terms(run.recorded, simulated)
    return _verified(path, run_path, run, compare_recorded(simulated, recorded), places)


def _verified(path: Path, run_path: Path, run: BoardRun, comparison: Comparison, places: int) -> Answer:
    rows = [
        (g.group, f"{g.values:,}", ", ".join(f"{name} {n:,}" for name, n in g.by_variable.items()))
        for g in comparison.groups
    ]
    notes = [f"board: {comparison.differing:,} of {comparison.values:,} recorded values differ", f"board: {run.board}"]
    if comparison.first is not None:
        notes.append(f"first difference: {comparison.first} (simulator, board)")
    if places:
        notes.append(f"{places:,} values of v read as 0: {PLACEHOLDER}")
    left = [name for name in ("u", "v", "s") if all(name not in of_group for of_group in run.recorded.values())]
    if left:
        notes.append(f"not recorded, and so not compared: {', '.join(left)}")
    data = {
        "program": str(path),
        "run": str(run_path),
        "board": run.facts.get("board"),
        "offsets": run.facts.get("offsets"),
        "samples": run.batch,
        "values": comparison.values,
        "differing": comparison.differing,
        "placeholders": places,
        "first": None if comparison.first is None else str(comparison.first),
    }
    title = f"{path}: simulator against {run_path}"
    columns = ("group", "values", "of them differ")
    return Answer(data, title, columns, rows, notes, exit_code=int(not comparison.equal))


def traces_beside(run: BoardRun, simulated: Mapping[str, Trace]) -> tuple[dict[str, Trace], dict[str, Trace]]:
    """Both sides as traces with the same variables; spikes that are not recorded are the simulator's."""
    recorded, _ = in_simulator_terms(run.recorded, simulated)
    ours, theirs = {}, {}
    for name, of_group in recorded.items():
        state = {k: x for k, x in of_group.items() if k != "s"}
        ours[name] = Trace({k: simulated[name].state[k] for k in state}, simulated[name].s)
        theirs[name] = Trace(state, of_group.get("s", simulated[name].s))
    return ours, theirs
