"""What counting adds to a simulation: both timed in turn in one process, on networks of three kinds."""

from collections.abc import Callable, Iterator
from typing import Any

from spikeport.bench.cases import CASES, Case
from spikeport.bench.timing import interleave
from spikeport.chip import chip_named
from spikeport.deploy.cores import cores_of, map_cores
from spikeport.progress import counted
from spikeport.sim import count_operations, simulate
from spikeport.sim.counting import count_cores

BATCHES = (1, 16)


def counting(
    tell: Callable[[str], None],
    *,
    repeats: int = 7,
    seconds: float = 0.5,
    sizes: dict[str, dict[str, int]] | None = None,
) -> Iterator[dict[str, Any]]:
    """One row for each network and batch, best times; ratios are to the simulation's.

    Args:
        sizes: Arguments of each case, `{case: {"steps": n, "batch": n}}`; its own if None.
    """
    for name, batch in counted([(name, batch) for name in CASES for batch in BATCHES], "counting", "cases"):
        case = CASES[name](**((sizes or {}).get(name, {})))
        tell(f"{name}, batch {batch}")
        yield _row(case, batch, repeats, seconds)


def _row(case: Case, batch: int, repeats: int, seconds: float) -> dict[str, Any]:
    program, chip = case.program, chip_named(case.program.chip)
    cores = cores_of(map_cores(program, chip), chip)
    inputs = {n: x.reshape(*x.shape[:2], *program.shape_of(n)) for n, x in case.inputs(batch).items()}
    result = simulate(program, inputs)
    timed = interleave(
        {
            "simulate": lambda: simulate(program, inputs),
            "count": lambda: count_operations(program, result),
            "count_cores": lambda: count_cores(program, result, cores),
        },
        repeats=repeats,
        seconds=seconds,
    )
    return {
        "case": case.name,
        "batch": batch,
        "sops": count_operations(program, result).sops,
        **{f"{name}_s": found.best for name, found in timed.items()},
        **{f"{name}_share": timed[name].best / timed["simulate"].best for name in ("count", "count_cores")},
    }
