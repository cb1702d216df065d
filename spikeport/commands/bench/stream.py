"""`spikeport bench stream`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.compare import PEERS as KNOWN
from spikeport.bench.sim import machine
from spikeport.bench.stream import FULL, PEERS, QUICK
from spikeport.bench.stream import bench_stream as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare
from spikeport.errors import UnknownName

COLUMNS = ("network", "how", "a step (min)", "median", "beyond the run in one")


def bench_stream(peers: Sequence[str] | None, quick: bool, output: Path | None) -> Answer:
    """Runs the benchmark; in `quick` form a few steps, which show that all of it runs."""
    chosen = list(PEERS) if peers is None else [p for p in peers if p != "none"]
    if unknown := sorted(set(chosen) - set(KNOWN)):
        raise UnknownName("bench", "peer", got=", ".join(unknown), relation="is not one of", limit=", ".join(KNOWN))
    prepare(output)
    data: dict[str, Any] = {"machine": machine(), "rows": list(measure(QUICK if quick else FULL, chosen, say))}
    rows = [_row(row) for row in data["rows"]]
    notes = [", ".join(f"{key} {value}" for key, value in data["machine"].items())]
    notes += keep(output, "stream", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench stream", COLUMNS, rows, notes)


def _row(row: Mapping[str, Any]) -> list[str]:
    if "error" in row:
        return [row["case"], row["way"], "-", "-", row["error"]]
    beyond = f"{row['overhead_s'] * 1e6:.3g} us" if row.get("overhead_s") else ""
    return [row["case"], row["way"], *(f"{row[key] * 1e6:.3g} us" for key in ("step_s", "median_s")), beyond]
