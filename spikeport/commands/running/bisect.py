"""`spikeport bisect`: where two runs part."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from spikeport.commands.answer import Answer
from spikeport.commands.running.board_runs import is_board_file, read_board_run, simulated_beside, traces_beside
from spikeport.commands.samples import read_npz, read_samples
from spikeport.errors import FileKind, NotRecorded, OptionMisused
from spikeport.profiles import Profile, check_profile_name
from spikeport.program_file import load_program
from spikeport.sim.bisect import RULE, RULE_LOIHI1, Finding, Run, bisect, bisect_overflow, first_steps, record
from spikeport.trace import Trace

COLUMNS = ("operand", "A", "B", "A, hex", "B, hex", "by the rule", "")


def bisect_runs(
    a: Path | None, b: Path | None, program_path: Path | None, input_path: Path | None, profiles: str
) -> Answer:
    """Two recorded runs; or a recorded run against the simulator; or the simulator under two profiles."""
    program = None if program_path is None else load_program(program_path)
    samples = None if program is None or input_path is None else read_samples(input_path, program)
    chosen = _profiles(profiles)
    if b is None and (program is None or samples is None):
        do = "give two recorded runs, or --program and --input"
        raise OptionMisused("bisect", "runs", got=int(a is not None), relation="are not", limit=2, do=do)
    if b is None and a is None and len(chosen) != 2:
        raise OptionMisused("bisect", "profiles", got=profiles, relation="are not", limit="two", do="say strict,lava")
    board = {path for path in (a, b) if path is not None and is_board_file(path)}
    if board:
        return _of_board(a, b, program_path, input_path, profiles)
    sides: list[tuple[str, Run]] = [(str(path), Run(read_traces(path))) for path in (a, b) if path is not None]
    wanted = chosen or (() if program is None else (program.profile,))
    if program is not None and samples is not None and len(sides) < 2:
        sides += [(f"simulator, {p}", record(program, dict(samples.inputs), p)) for p in wanted[: 2 - len(sides)]]
    (name_a, ran_a), (name_b, ran_b) = _alike(sides)
    spikes = None if samples is None else dict(samples.inputs)
    stopped = ran_a if ran_a.stopped else ran_b
    steps = min(len(trace.s) for run in (ran_a, ran_b) for trace in run.traces.values())
    left, right = (first_steps(run.traces, steps) if stopped.stopped else run.traces for run in (ran_a, ran_b))
    rule = wanted[0] if wanted else None  # side a's, or the simulator's where that is a file
    found = bisect(left, right, program, spikes, rule) if steps else None
    if found is None and program is not None and spikes is not None and ran_a.stopped and not ran_b.stopped:
        found = bisect_overflow(program, spikes, ran_a, ran_b)
    both = ran_a.stopped is not None and ran_b.stopped is not None
    lines = RULE_LOIHI1 if rule == "loihi1" else RULE
    return _answer((name_a, name_b), found, stopped if stopped.stopped else None, both, lines)


def _of_board(
    a: Path | None, b: Path | None, program_path: Path | None, input_path: Path | None, chosen: str
) -> Answer:
    """A board's run against the simulator, in what was recorded."""
    path, other = (a, b) if b is None else (b, a)
    if path is None or other is not None or chosen or program_path is None or input_path is None:
        do = "give one run of a board, with --program and --input: it is held against the simulator"
        raise OptionMisused("bisect", "runs", relation="are not", limit="a board's alone", do=do)
    program = load_program(program_path)
    run = read_board_run(path, program, program_path)
    samples = read_samples(input_path, program).first(run.batch)
    ours, theirs = traces_beside(run, simulated_beside(program, input_path, run))
    found = bisect(ours, theirs, program, dict(samples.inputs), "lava")
    answer = _answer(("simulator, lava", str(path)), found, None, False, RULE)
    return replace(answer, notes=(*answer.notes, f"board: {run.board}"))


def _alike(sides: Sequence[tuple[str, Run]]) -> list[tuple[str, Run]]:
    """Of the simulator's groups those that the other side has; a file shows what was recorded."""
    recorded = [set(run.traces) for _, run in sides if not run.simulated]
    wanted = recorded[0] if len(recorded) == 1 else None
    return [
        (name, replace(run, traces={n: t for n, t in run.traces.items() if n in wanted}))
        if run.simulated and wanted is not None
        else (name, run)
        for name, run in sides
    ]


def read_traces(path: Path) -> dict[str, Trace]:
    """The groups of a recorded run, as `spikeport run --record all` writes them; its outputs are left out.

    Raises:
        FileError: not such a file.
    """
    return traces_of(path, read_npz(path))


def traces_of(path: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Trace]:
    """As `read_traces`, of what was read from the file."""
    groups: dict[str, dict[str, Any]] = {}
    for key, x in arrays.items():
        name, slash, variable = key.partition("/")
        if slash:
            groups.setdefault(name, {})[variable] = x
    groups = {name: of_group for name, of_group in groups.items() if "v_unit" not in of_group}
    for name, of_group in groups.items():
        if "s" not in of_group or any(x.ndim < 3 or x.dtype.kind not in "iub" for x in of_group.values()):
            raise FileKind(str(path), "is no recorded run", got=name, relation="lacks", limit="s, or has no integers")
    if not groups:
        raise NotRecorded(str(path), "holds no recorded groups", do="record them with 'spikeport run --record all'")
    return {name: Trace({k: x for k, x in found.items() if k != "s"}, found["s"]) for name, found in groups.items()}


def _profiles(text: str) -> tuple[Profile, ...]:
    names = tuple(name for name in text.split(",") if name)
    for name in names:
        check_profile_name(name, "bisect", "profile")
    return cast(tuple[Profile, ...], names)


def _answer(
    names: tuple[str, str], found: Finding | None, stopped: Run | None, both: bool, rule: Sequence[str]
) -> Answer:
    data: dict[str, Any] = {"a": names[0], "b": names[1], "equal": found is None and (stopped is None or both)}
    data["overflow"] = None if stopped is None else str(stopped.stopped)
    data["first"], data["operands"], data["first_operand"] = None, [], None
    title = f"A: {names[0]}; B: {names[1]}"
    if found is None:
        if stopped is None:
            return Answer(data, f"{title}: equal")
        note = f"equal up to step {stopped.step}, where one stops: {stopped.stopped}"
        return Answer(data, title, notes=(note,), exit_code=int(not both))
    first = found.first_operand
    data["first"] = asdict(found.where)
    data["operands"] = [asdict(operand) for operand in found.operands]
    data["first_operand"] = None if first is None else first.name
    rows = [
        (o.name, str(o.a), str(o.b), hex(o.a), hex(o.b), "" if o.rule is None else hex(o.rule), _mark(o.a, o.b))
        for o in found.operands
    ]
    notes = [] if stopped is None else [f"one stops at step {stopped.step}: {stopped.stopped}"]
    notes += [f"first difference: {found.where}"]
    if first is not None:
        sides = [side for side, x in (("A", first.a), ("B", first.b)) if first.rule is not None and x != first.rule]
        notes += [
            f"first operand that differs: {first.name}" + (f"; not by the rule: {' and '.join(sides)}" if sides else "")
        ]
        notes += [f"rule: {line}" for line in rule]
    return Answer(data, title, COLUMNS if rows else (), rows, notes, exit_code=1)


def _mark(a: int, b: int) -> str:
    return "differs" if a != b else ""
