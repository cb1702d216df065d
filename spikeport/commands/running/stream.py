"""`spikeport stream`: events in, line by line; events out as they come."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeport.commands.samples import check_file_writable
from spikeport.errors import EventInvalid, StateMismatch
from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.program_file import load_program
from spikeport.sim import Events, Session, Streamed

EMPTY_STEPS = 256
"""Steps without an event that are run at once."""
FORM = "T INDEX [VALUE [INPUT]], or T alone, or the same as JSON, {'t': T, 'index': INDEX}"


@dataclass(frozen=True)
class Line:
    """An event, or only the news that step t has begun."""

    t: int
    input: str = ""
    index: int = 0
    value: int = 1


def stream(
    path: Path,
    lines: Iterable[str],
    write: Callable[[str], None],
    *,
    as_json: bool = False,
    profile: Profile | None = None,
    state_in: Path | None = None,
    state_out: Path | None = None,
) -> None:
    """Runs a Program on events as they come. It gives no Answer: what it has to say was written on the way.

    A step is run when a line of a later step comes, or at the end.

    Args:
        write: Takes each event of an output, without the end of the line, as soon as it is known.
        state_in: A session or a state to go on from.
        state_out: Where the session is saved at the end; what is still on its way comes out of the next part.

    Raises:
        InputError: a line is not what it should be; with its number.
        OverflowDetected: under the profile `strict`.
    """
    program = load_program(path)
    if state_out is not None:
        check_file_writable(state_out)
    session = _begun(program, profile, state_in)
    steps = _Steps(session)
    for number, text in enumerate(lines, 1):
        if text.strip():
            _written(program, steps.take(number, _read(number, text, program)), write, as_json)
    _written(program, steps.end(), write, as_json)
    if state_out is None:
        _written(program, [session.flush()], write, as_json)
    else:
        session.save(state_out)


def _begun(program: Program, profile: Profile | None, state_in: Path | None) -> Session:
    if state_in is None:
        return Session(program, profile=profile)
    session = Session.load(state_in, program, profile=profile)
    if session.batch != 1:
        raise StateMismatch(str(state_in), "batch", got=session.batch, relation="is not", limit=1)
    return session


class _Steps:
    """Gathers a step's events, and runs it when a later step begins."""

    def __init__(self, session: Session) -> None:
        self.session, self.now = session, session.t
        self.values: dict[str, dict[int, int]] = {}

    def take(self, number: int, line: Line) -> Iterator[Streamed]:
        """What came out of the steps before the line's."""
        where = f"line {number}"
        if line.t < self.now:
            raise EventInvalid(where, "t", got=line.t, relation="is before step", limit=f"{self.now}, which has begun")
        if line.t > self.now:
            yield from self.run_to(line.t)
        if line.input:
            values = self.values.setdefault(line.input, {})
            if line.index in values:
                raise EventInvalid(
                    where, "index", got=line.index, relation="has an event already at step", limit=line.t
                )
            values[line.index] = line.value

    def run_to(self, t: int) -> Iterator[Streamed]:
        """Runs all steps before t."""
        while self.now < t:
            steps = 1 if self.values else min(t - self.now, EMPTY_STEPS)
            given = {name: self._events(steps, self.values.get(name, {})) for name in self._names()}
            self.values = {}
            self.now += steps
            yield self.session.push(given)

    def end(self) -> Iterator[Streamed]:
        """The step that events were gathered for."""
        return self.run_to(self.now + bool(self.values))

    def _names(self) -> list[str]:
        return [entry.name for entry in self.session.program.inputs]

    def _events(self, steps: int, values: dict[int, int]) -> Events:
        return Events(steps, [0] * len(values), list(values), value=list(values.values()))  # type: ignore[arg-type]


def _read(number: int, text: str, program: Program) -> Line:
    """One line, checked; raises InputError with its number."""
    where, first = f"line {number}", program.inputs[0]
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else _columns(text)
    except (ValueError, RecursionError):
        found = {}
    shown = repr(text.strip()[:40])
    if (
        "t" not in found
        or not set(found) <= {"t", "index", "value", "input"}
        or ("index" not in found and len(found) > 1)
    ):
        raise EventInvalid(where, "text", got=shown, relation="is not", limit=FORM)
    entry = next((i for i in program.inputs if i.name == found.get("input", first.name)), None)
    if entry is None:
        known = ", ".join(i.name for i in program.inputs)
        raise EventInvalid(where, "input", got=found["input"], relation="is not one of", limit=known)
    _check(where, "t", found["t"], 0, 2**62)
    if "index" not in found:
        return Line(found["t"])
    _check(where, "index", found["index"], 0, entry.size - 1)
    value = found.get("value", 1)
    _check(where, "value", value, entry.low, entry.high)
    return Line(found["t"], entry.name, found["index"], value)


def _columns(text: str) -> dict[str, Any]:
    words = text.split()
    if len(words) > 4:
        return {}
    found = dict(zip(("t", "index", "value"), map(int, words[:3]), strict=False))
    return found | ({"input": words[3]} if len(words) == 4 else {})


def _check(where: str, what: str, x: Any, low: int, high: int) -> None:
    if type(x) is not int or not low <= x <= high:
        raise EventInvalid(where, what, got=x, relation="is not an integer in", limit=f"[{low}, {high}]")


def _written(program: Program, pieces: Iterable[Streamed], write: Callable[[str], None], as_json: bool) -> None:
    """An event a line: step of the input, neuron, value, and the output's name where there are several."""
    for piece in pieces:
        found = [
            (piece.first + step, number, index, value)
            for number, output in enumerate(program.outputs)
            for step, _, index, value in zip(*(x.tolist() for x in piece.events(output.name).columns), strict=True)
        ]
        for t, number, index, value in sorted(found):
            name = program.outputs[number].name
            if as_json:
                write(json.dumps({"t": t, "index": index, "value": value, "output": name}))
            else:
                write(f"{t} {index} {value}" + (f" {name}" if len(program.outputs) > 1 else ""))
