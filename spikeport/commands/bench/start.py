"""`spikeport bench start`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikeport.bench.sim import machine
from spikeport.bench.start import bench_start as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bench.kept import keep, markdown, prepare
from spikeport.errors import ValueOutside

COLUMNS = ("start", "wall (min)", "median", "processor (min)", "to python", "to numpy", "budget")


def bench_start(rounds: int, output: Path | None) -> Answer:
    """Runs the benchmark; every start is a process of its own."""
    if rounds < 1:
        raise ValueOutside("bench start", "--rounds", got=rounds, relation="is less than", limit="1")
    prepare(output)
    data: dict[str, Any] = {"machine": machine(), "rows": measure(rounds)}
    rows = [_row(row) for row in data["rows"]]
    notes = [", ".join(f"{key} {value}" for key, value in data["machine"].items())]
    notes += keep(output, "start", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench start", COLUMNS, rows, notes)


def _row(row: Mapping[str, Any]) -> list[str]:
    times = (f"{row[key]:.3f} s" for key in ("wall_s", "median_wall_s", "cpu_s"))
    ratios = (f"{row[key]:.2f}" for key in ("to_python", "to_numpy"))
    return [row["start"], *times, *ratios, "" if row["budget_s"] is None else f"{row['budget_s']} s"]
