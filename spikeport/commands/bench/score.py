"""`spikeport bench score`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spikeport.bench.score import FULL, QUICK
from spikeport.bench.score import bench_score as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare

COLUMNS = (
    "case",
    "who",
    "samples/s",
    "speedup",
    "CPU a sample",
    "ratio",
    "start",
    "peak a process",
    "shard",
    "results",
)


def bench_score(quick: bool, output: Path | None) -> Answer:
    """Runs the benchmark; exit 1 if processes change what comes out."""
    prepare(output)
    data = measure(QUICK if quick else FULL, say)
    rows, notes = [_row(point) for point in data["points"]], list(_notes(data))
    notes += keep(output, "score", data, markdown(rows, notes, COLUMNS))
    differ = not all(point["equal"] for point in data["points"])
    return Answer(data, "spikeport bench score", COLUMNS, rows, notes, exit_code=int(differ))


def _row(point: Mapping[str, Any]) -> list[str]:
    return [
        point["case"],
        point["contender"],
        f"{point['samples_per_s']:,.4g}",
        f"{point['speedup']:.2f}",
        f"{point['cpu_ms']:.3g} ms",
        f"{point['cpu_ratio']:.2f}",
        f"{point['start_s']:.1f} s",
        f"{point['peak_bytes'] / 2**20:.0f} MiB",
        f"{point['shard_bytes'] / 2**10:.1f} KiB",
        "equal" if point["equal"] else "DIFFER",
    ]


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{key} {value}" for key, value in data["machine"].items())
    yield f"best of {data['rounds']} rounds in turn, shards of {data['shard']} samples; ratios are to 1 process"
