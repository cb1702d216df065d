"""`spikeport bench autoencoders`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spikeport.bench.autoencoders import PEER, PEERS, SIZES, TINY, UNBOUND
from spikeport.bench.autoencoders import bench_autoencoders as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare

COLUMNS = ("widths", "D", "T", "batch", "who", "step (min, median)", "images/s (best)", "peak",
           *(f"{peer} takes (min, median, CPU, peak)" for peer in PEERS))  # fmt: skip
FIGURES = ("min_s", "median_s", "cpu_min_s", "peak_bytes")


def bench_autoencoders(quick: bool, rounds: int, output: Path | None) -> Answer:
    """Runs the benchmark; in `quick` form a tiny network, which shows that all of it runs."""
    prepare(output)
    data = measure(TINY if quick else SIZES, 1 if quick else rounds, say)
    rows, notes = [_row(row) for row in data["autoencoders"]], list(_notes(data))
    notes += keep(output, "autoencoders", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench autoencoders", COLUMNS, rows, notes)


def _row(row: Mapping[str, Any]) -> list[str]:
    return [
        "-".join(map(str, row["widths"])),
        *(str(row[key]) for key in ("latent", "steps", "batch")),
        row["name"],
        f"{row['min_s']:.3g} s, {row['median_s']:.3g} s",
        f"{row['images_per_s']:.3g}",
        f"{row['peak_bytes'] / 2**20:.0f} MiB",
        *(_ratio(row, peer) for peer in PEERS),
    ]


def _ratio(row: Mapping[str, Any], peer: str) -> str:
    return ", ".join(f"{row['takes'][peer][key]:.2f} x" for key in FIGURES) if "takes" in row else ""


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{key} {value}" for key, value in data["machine"].items())
    yield f"ESVAE on images of {' x '.join(map(str, data['shape']))}; a step is forward, loss, backward and AdamW"
    yield f"{data['rounds']} steps of each, all contenders in turn, on one thread of one process"
    yield "peak: what a step holds at most above the net itself, in a process of its own"
    yield f"{PEER}: Conv3d with kernels of 3 x 3 x 1, neurons as a Python loop over x[..., t], the image repeated"
    yield f"{UNBOUND}: the same with a loop over x.unbind(-1), whose gradient does not grow with the square of T"
