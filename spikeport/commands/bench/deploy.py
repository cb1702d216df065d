"""`spikeport bench deploy`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spikeport.bench.deploy import COMMANDS, FULL, QUICK
from spikeport.bench.deploy import bench_deploy as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare

COLUMNS = ("width", "neurons", "weights", "synapses", "file",
           "compile", "its CPU", "its peak", "check", "its CPU", "its peak")  # fmt: skip


def bench_deploy(quick: bool, output: Path | None) -> Answer:
    """Runs the benchmark; in `quick` form tiny networks, which show that all of it runs."""
    prepare(output)
    data = measure(QUICK if quick else FULL, say)
    rows, notes = [_row(point) for point in data["points"]], list(_notes(data))
    notes += keep(output, "deploy", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench deploy", COLUMNS, rows, notes)


def _row(point: Mapping[str, Any]) -> list[str]:
    row = [f"{point['width']:.3g}", f"{point['neurons']:,}", f"{point['weights'] / 1e6:.3g} M",
           f"{point['synapses'] / 1e6:.4g} M", f"{point['file_bytes'] / 2**20:.3g} MiB"]  # fmt: skip
    for command in COMMANDS:
        cost = point[command]
        row += [f"{cost['seconds']:.3g} s", f"{cost['cpu_s']:.3g} s", f"{cost['peak_bytes'] / 2**20:.0f} MiB"]
    return row


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{key} {value}" for key, value in data["machine"].items())
    yield f"ResNet-19 on images of {data['side']} x {data['side']}; options {' '.join(data['options'])}"
    names = {"cpu_s": "CPU time", "peak_bytes": "peak memory"}
    for command, found in data["exponents"].items():
        told = (
            f"{names[what]} {'not known, too few points' if x is None else f'{x:.2f}'}" for what, x in found.items()
        )
        yield f"{command}: exponent against synapses, above the smallest network's: {', '.join(told)}"
