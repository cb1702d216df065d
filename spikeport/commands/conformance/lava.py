"""Random Programs on the simulator and on Lava: what `spikeport conformance` says of every node type."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spikeport.deploy.lava import LavaRun, Mode, run_lava_jobs
from spikeport.deploy.lava_env import LavaEnv
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Group, Program, Resonator, Sparse
from spikeport.sim import simulate
from spikeport.sim.compare import Comparison, compare
from spikeport.sim.random_programs import random_program

Progress = Callable[[int, int], None]  # (Programs compared, of how many)
Job = tuple[Program, dict[str, Ints]]
AT_ONCE = 20
"""Programs for one start of the worker, which takes some two seconds."""


@dataclass(frozen=True)
class Conformance:
    """What came of it; `first` names the Program's seed and the earliest difference in it."""

    programs: int
    values: int
    differing: int
    first: str
    by_neuron: Mapping[str, int]
    """Compared values of each kind of neuron."""
    by_connection: Mapping[str, int]
    """Connections of each kind that fed them."""
    lava: Mapping[str, str]
    """Versions of what ran."""
    differing_by_neuron: Mapping[str, int]
    """As `by_neuron`, of those that differ."""

    @property
    def equal(self) -> bool:
        return self.differing == 0


def compare_random_programs(
    count: int,
    seed: int = 0,
    mode: Mode = "models",
    progress: Progress = lambda done, of: None,
    *,
    steps: int = 50,
    batch: int = 3,
    env: LavaEnv | None = None,
    timeout_s: float = 600.0,
) -> Conformance:
    """Compares the simulator with Lava on the Programs of seeds `seed` to `seed + count - 1`.

    Args:
        count: At least 1.
        progress: Called after each start of the worker.
        timeout_s: Limit for each start of the worker.

    Raises:
        LavaMissing: no interpreter can run Lava.
        WorkerError: the worker failed or its time is up.
    """
    found: list[tuple[int, Program, Comparison]] = []
    lava: Mapping[str, str] = {}
    for start in range(seed, seed + count, AT_ONCE):
        seeds = range(start, min(start + AT_ONCE, seed + count))
        jobs = [random_program(np.random.default_rng(s), steps=steps, batch=batch) for s in seeds]
        runs = run_lava_jobs(jobs, mode=mode, env=env, timeout_s=timeout_s)
        found += zip(seeds, (program for program, _ in jobs), compare_runs(jobs, runs), strict=True)
        lava = runs[0].versions
        progress(len(found), count)
    return _sum_up(found, lava)


def _sum_up(found: Sequence[tuple[int, Program, Comparison]], lava: Mapping[str, str]) -> Conformance:
    neurons: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    connections: Counter[str] = Counter()
    for _, program, comparison in found:
        connections.update(kind_of_connection(c) for c in program.connections)
        for row in comparison.groups:
            kind = kind_of_neuron(program.group(row.group))
            neurons[kind] += row.values
            wrong[kind] += row.differing
    firsts = [f"seed {seed}: {c.first} (simulator, Lava)" for seed, _, c in found if c.first is not None]
    return Conformance(
        programs=len(found),
        values=sum(comparison.values for _, _, comparison in found),
        differing=sum(comparison.differing for _, _, comparison in found),
        first=firsts[0] if firsts else "",
        by_neuron=dict(sorted(neurons.items())),
        by_connection=dict(sorted(connections.items())),
        lava=lava,
        differing_by_neuron=dict(sorted(wrong.items())),
    )


def compare_runs(jobs: Sequence[Job], runs: Sequence[LavaRun]) -> list[Comparison]:
    """The specification, with Lava's arithmetic, against what Lava made of the same jobs; engines are held to it."""
    found = []
    for (program, inputs), run in zip(jobs, runs, strict=True):
        result = simulate(program, inputs, record=[g.name for g in program.groups], profile="lava", engine="reference")
        found.append(compare(result.traces, run.traces))
    return found


def kind_of_neuron(group: Group) -> str:
    """As Lava names the process."""
    if isinstance(group, LIF):
        if group.vth_low is not None:
            return "TernaryLIF"
        return "LIFReset" if group.reset_interval else "LIF"
    if isinstance(group, Resonator):
        return {"rf": "RF", "rf_izhikevich": "RF_IZ"}[group.kind]
    return {"delta": "Delta", "sigma": "Sigma", "sigma_delta": "SigmaDelta"}[group.stage]


def kind_of_connection(connection: Connection) -> str:
    """As Lava names the process; `graded` where payloads count."""
    if isinstance(connection, Conv):
        name = "Conv"
    else:
        name = "Sparse" if isinstance(connection, Sparse) else "Dense"
        name = f"Delay{name}" if np.any(connection.delay) else name
    return f"{name}, graded" if connection.graded else name
