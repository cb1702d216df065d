"""`spikeport bench energy`: the estimates beside what was measured on a chip, and what counting costs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.counting import counting
from spikeport.chip import chip_named
from spikeport.commands.answer import Answer, Table
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare
from spikeport.commands.conformance.pilotnet import one_inference
from spikeport.commands.conformance.recordings import open_recordings
from spikeport.cores import Cores
from spikeport.deploy.cores.compiler import compiler_cuts
from spikeport.deploy.cores.loads import LOGS_2022
from spikeport.sim import count_operations, estimate_energy, simulate
from spikeport.sim.counting import count_cores
from spikeport.sim.energy import Bounds, Energy, profile_named
from spikeport.sim.energy.document import document
from spikeport.sim.energy.formats import format_bounds, format_energy, format_time

PROFILES = ("loihi2-estimate", "loihi1-davies2018", "loihi1-sanafe")
SOURCE = "Intel, lava-dl, tutorials/lava/lib/dl/netx/pilotnet_snn/benchmark.ipynb, on a Loihi 2"
DYNAMIC_PJ = 1.094e9
STEP_NS = 152.8e3
TINY = {"mlp": {"steps": 4}, "mnist": {"steps": 2}, "pilotnet": {"steps": 1, "batch": 1}}
COLUMNS = ("figure", "profile", "estimate", "measured", "nominal is off by", "measured is within")
COST = ("network", "batch", "SOPs", "simulate", "count", "count by core")


def bench_energy(quick: bool, wheel: Path | None, output: Path | None) -> Answer:
    """Replays PilotNet-LIF and times the counting; in `quick` form on tiny networks."""
    prepare(output)
    energies = pilotnet(wheel)
    rows = [row for energy in energies for row in _rows(energy)]
    cost = list(counting(say, repeats=1, seconds=0.0, sizes=TINY) if quick else counting(say))
    cost_rows = [_cost(row) for row in cost]
    data = {"pilotnet": [_kept(energy) for energy in energies], "measured": measured_document(), "counting": cost}
    notes = [f"measured: {SOURCE}; {DYNAMIC_PJ * 1e-9:.4g} mJ dynamic per inference, {STEP_NS * 1e-3:.4g} µs per step"]
    notes += keep(output, "energy", data, markdown(rows, notes, COLUMNS) + "\n" + markdown(cost_rows, [], COST))
    tables = (Table("what counting costs, of the simulation's time", COST, cost_rows),)
    return Answer(data, "PilotNet-LIF, one inference of 16 steps", COLUMNS, rows, notes, tables=tables)


def pilotnet(wheel: Path | None, profiles: Sequence[str] = PROFILES) -> list[Energy]:
    """What each profile makes of the recorded image's activity, on the cores that Intel's compiler took."""
    program, x = one_inference(open_recordings(wheel))
    chip = chip_named(program.chip)
    cores = Cores(chip, compiler_cuts(program, LOGS_2022))
    result = simulate(program, x)
    counts, activity = count_operations(program, result), count_cores(program, result, cores)
    return [estimate_energy(counts, profile_named(name), activity=activity) for name in profiles]


def _kept(energy: Energy) -> dict[str, Any]:
    """What a comparison needs of an energy's document."""
    found = document(energy)
    return {
        "profile": {key: found["profile"][key] for key in ("name", "sha256")},
        **{key: found[key] for key in ("model", "totals", "latency", "unpriced_terms")},
    }


def measured_document() -> dict[str, Any]:
    return {"source": SOURCE, "dynamic_pj": DYNAMIC_PJ, "step_ns": STEP_NS}


def _rows(energy: Energy) -> Iterator[tuple[str, ...]]:
    name = energy.profile.name
    yield ("dynamic energy per inference", name, *beside(energy.chip, DYNAMIC_PJ, format_energy))
    if energy.latency is not None:
        yield ("time per step", name, *beside(energy.latency.step_ns["mean"], STEP_NS, format_time))


def beside(estimate: Bounds, measured: float, shown: Any) -> tuple[str, str, str, str]:
    """An estimate and a measurement of the same, in words."""
    low, high = estimate.low, estimate.high
    inside = low is not None and high is not None and low <= measured <= high
    limits = "bounds are not published" if low is None or high is None else "yes" if inside else "no"
    return (format_bounds(estimate, shown), shown(measured), f"{estimate.nominal / measured - 1:+.0%}", limits)


def _cost(row: Mapping[str, Any]) -> tuple[str, ...]:
    times = (f"{row[f'{name}_s'] * 1e3:.3g} ms" for name in ("simulate",))
    shares = (f"{row[f'{n}_s'] * 1e3:.3g} ms ({row[f'{n}_share']:.1%})" for n in ("count", "count_cores"))
    return (row["case"], str(row["batch"]), f"{row['sops']:,}", *times, *shares)
