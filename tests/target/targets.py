"""Where the suite's Programs can run; each gives what it recorded, by group and variable."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spikeport.commands.running.board_runs import read_board_run
from spikeport.deploy.lava import run_lava_jobs
from spikeport.deploy.loihi import run_loihi
from spikeport.fixed import Ints
from spikeport.sim import simulate
from spikeport.sim.board_run import in_simulator_terms
from spikeport.trace import Trace
from tests.target.cases import TargetCase

Recorded = Mapping[str, Mapping[str, Ints]]


def on_sim(cases: Sequence[TargetCase], folder: Path) -> list[Recorded]:
    """The engine that `spikeport run` takes."""
    found = []
    for case in cases:
        ran = simulate(case.program, case.inputs, record=list(case.want), profile="lava")
        found.append({name: {**trace.state, "s": trace.s} for name, trace in ran.traces.items()})
    return found


def on_lava(cases: Sequence[TargetCase], folder: Path) -> list[Recorded]:
    runs = run_lava_jobs([(case.program, case.inputs) for case in cases])
    return [{name: {**trace.state, "s": trace.s} for name, trace in run.traces.items()} for run in runs]


def on_loihi(
    cases: Sequence[TargetCase], folder: Path, stand_ins: tuple[int, int, int] | None = None
) -> list[Recorded]:
    """v after a spike is the chip's placeholder, and read as what it stands for."""
    found: list[Recorded] = []
    for case in cases:
        path = folder / "run.h5"
        run_loihi(case.program, case.inputs, list(case.want), path, stand_ins=stand_ins)
        wanted = {n: Trace({k: x for k, x in of.items() if k != "s"}, of["s"]) for n, of in case.want.items()}
        found.append(in_simulator_terms(read_board_run(path, case.program).recorded, wanted)[0])
    return found


TARGETS: dict[str, Callable[[Sequence[TargetCase], Path], list[Recorded]]] = {
    "sim": on_sim,
    "lava": on_lava,
    "loihi": on_loihi,
}
