"""What a step costs where the input comes step by step, beside the run in one and beside other simulators."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spikeport.bench.cases import Case, mlp, pilotnet
from spikeport.bench.compare import Tell, compare
from spikeport.bench.engine import prepare
from spikeport.bench.timing import interleave
from spikeport.progress import counted
from spikeport.sim import Session
from spikeport.sim.address_events import events_of
from spikeport.sim.session import Given

PEERS = ("torch", "nengo_loihi")
WHOLE = "the run in one"
PIECE = 10
"""Steps of a push in the row that pushes several."""
CASES: Mapping[str, Callable[[int], Case]] = {
    "784-128-10": lambda steps: mlp(steps=steps, batch=1, sizes=(784, 128, 10)),
    "784-800-10": lambda steps: mlp(steps=steps, batch=1),
    "pilotnet": lambda steps: pilotnet(steps=min(steps, 32), batch=1),
}


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    steps: int = 100
    repeats: int = 20
    seconds: float = 1.0
    cases: Sequence[str] = tuple(CASES)


FULL, QUICK = Sizes(), Sizes(steps=4, repeats=1, seconds=0.0, cases=("784-128-10",))


def bench_stream(sizes: Sizes, peers: Sequence[str], tell: Tell) -> Iterator[dict[str, Any]]:
    """One row for each network and way, seconds per hardware step, one sample; the least of all repeats.

    Sessions and the run in one are timed in turn in one process, one thread at batch 1; `overhead_s` is what a step
    takes beyond the run in one. Peers run in their own processes (`compare`); all of them go step by step.
    """
    for name in counted(sizes.cases, "streaming", "networks"):
        tell(name)
        case = CASES[name](sizes.steps)
        timed = interleave(_ways(case), repeats=sizes.repeats, seconds=sizes.seconds)
        whole = timed[WHOLE].best / case.steps
        for way, found in timed.items():
            step = found.best / case.steps
            median = found.median / case.steps
            yield {"case": name, "way": way, "step_s": step, "median_s": median, "overhead_s": step - whole}
        rows = compare(case, peers, batch=1, rounds=1, repeats=sizes.repeats, seconds=sizes.seconds, tell=tell)
        for row in rows:
            if row["name"] == "spikeport" or row["threads"] > 1:
                continue
            start = {"case": name, "way": f"{row['name']} {row.get('version', '')}".strip()}
            if "error" in row:
                yield {**start, "error": row["error"]}
                continue
            yield {**start, "step_s": row["min_s"] / case.steps, "median_s": row["median_s"] / case.steps}


def _ways(case: Case) -> dict[str, Callable[[], Any]]:
    """Each takes the whole input, and gives all of the output."""
    program, x = case.program, case.spikes
    session = Session(program)
    one = [x[t : t + 1] for t in range(len(x))]
    some = [x[t : t + PIECE] for t in range(0, len(x), PIECE)]
    run, inputs = prepare(program), case.inputs(1)
    ways: dict[str, Callable[[], Any]] = {WHOLE: lambda: run(inputs)}
    ways["a step a push"] = lambda: _fed(session, one)
    ways[f"{PIECE} steps a push"] = lambda: _fed(session, some)
    if program.inputs[0].kind == "spike":
        events = [events_of(step) for step in one]
        ways["a step a push, as events"] = lambda: _fed(session, events)
    return ways


def _fed(session: Session, pieces: Sequence[Given]) -> int:
    session.reset()
    return sum(piece.steps for piece in session.stream(pieces))
