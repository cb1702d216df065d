"""`spikeport bench train`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.train import PARTS, PEERS, Sizes
from spikeport.bench.train import bench_train as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare

COLUMNS = ("net", "who", "threads", "batch", "fastest as", "step (min)", "of the limit (min, median, CPU)",
           "of spikeport (min, median, CPU)", "peak", "peak of the limit's")  # fmt: skip


def bench_train(
    parts: Sequence[str] | None,
    peers: Sequence[str] | None,
    threads: Sequence[int] | None,
    device: str,
    sizes: Sizes,
    output: Path | None,
) -> Answer:
    """Runs the benchmark; None for all, `none` for no peer."""
    prepare(output)
    data = measure(
        parts=parts or PARTS,
        peers=[name for name in peers if name != "none"] if peers else PEERS,
        threads=threads or None,
        device=device,
        sizes=sizes,
        tell=say,
    )
    rows, notes = [_row(row) for row in data["train"]], list(_notes(data))
    notes += keep(output, "train", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench train", COLUMNS, rows, notes)


def _row(row: Mapping[str, Any]) -> list[str]:
    start = [row["net"], row["name"], str(row["threads"]), str(row["batch"])]
    if "error" in row:
        return [*start, row["error"], *["-"] * 5]
    start[1] = f"{row['name']} {row['version']}"
    limit, ours = (row.get(key) for key in ("of_limit", "of_ours"))
    ratios = [f"{r['min']:.2f} x, {r['median']:.2f} x, {r['cpu']:.2f} x" if r else "" for r in (limit, ours)]
    memory = f"{limit['memory']:.2f} x" if limit else ""
    return [
        *start,
        row["variant"] or "plain",
        f"{row['min_s']:.3g} s",
        *ratios,
        f"{row['peak_bytes'] / 2**20:.0f} MiB",
        memory,
    ]


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"device {data['device']}; " + ", ".join(f"{key} {value}" for key, value in data["machine"].items())
    yield f"{data['rounds']} rounds of {data['repeats']} steps each, all contenders in turn"
    yield "peak: what the steps hold at most above the net itself"
    rows = {row["name"]: row for row in data["train"] if row.get("note")}
    yield from (f"{name}: {row['note']}" for name, row in rows.items())
    for row in data["train"]:
        if "error" not in row:
            for variant, error in row["errors"].items():
                yield f"{row['net']}, {row['name']} {variant}: {error}"
