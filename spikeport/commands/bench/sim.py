"""`spikeport bench sim`: measures, shows a table, and writes it beside the full numbers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.cases import CASES
from spikeport.bench.compare import PEERS
from spikeport.bench.sim import FULL, PARTS, QUICK, Given
from spikeport.bench.sim import bench_sim as measure
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare
from spikeport.commands.samples import read_samples
from spikeport.errors import InputError, OptionMisused
from spikeport.program_file import load_program

COLUMNS = ("what", "who", "threads", "batch", "time (min)", "GSOP/s", "spikeport is (min, median)", "output spikes")


def bench_sim(
    cases: Sequence[str] | None,
    peers: Sequence[str] | None,
    parts: Sequence[str] | None,
    nets: Sequence[str],
    quick: bool,
    output: Path | None,
) -> Answer:
    """Runs the benchmark; `peers` and the rest as in `bench.sim.bench_sim`, None for all."""
    prepare(output)
    data = measure(
        cases=cases or tuple(CASES),
        peers=[name for name in peers if name != "none"] if peers else tuple(PEERS),
        parts=parts or PARTS,
        nets=dict(_named(net) for net in nets),
        sizes=QUICK if quick else FULL,
        tell=say,
    )
    rows, notes = table(data), list(_notes(data))
    notes += keep(output, "sim", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench sim", COLUMNS, rows, notes)


def table(data: Mapping[str, Any]) -> list[list[str]]:
    return [
        *map(_compared, data.get("compare", ())),
        *(row for entry in data.get("activity", ()) for row in _active(entry)),
        *(_bounded(name, entry) for name, entry in data.get("roofline", {}).items()),
    ]


def _compared(row: Mapping[str, Any]) -> list[str]:
    start = [row["case"], row["name"], str(row["threads"]), str(row["batch"])]
    if "error" in row:
        return [*start, "-", "-", "-", row["error"]]
    ratio = row.get("ratio")
    faster = f"{ratio['min']:.3g} x, {ratio['median']:.3g} x" if ratio else ""
    agree = "equal" if not row["differing"] else f"{row['differing']} of {row['compared']} differ"
    start[1] = f"{row['name']} {row['version']}"
    return [*start, _time(row["min_s"]), f"{row['sops_per_s'] / 1e9:.3g}", faster, agree]


def _active(row: Mapping[str, Any]) -> Iterator[list[str]]:
    agree = "equal" if not row["differing"] else f"{row['differing']} differ"
    start = [f"mlp at {row['rate']:.1%}", "torch", "1", str(row["batch"]), _time(row["torch"]["min_s"])]
    yield [*start, "", f"{row['ratio']:.3g} x", agree]


def _bounded(name: str, row: Mapping[str, Any]) -> list[str]:
    machine = name.startswith("stream")
    share = "" if name == "stream" else f"{row['share']:.0%} of the stream"
    return [name, "machine" if machine else "spikeport", "1", "1", _time(row["min_s"]),
            f"{row['sops_per_s'] / 1e9:.3g}", share, ""]  # fmt: skip


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"engine: {data['engine']}; " + ", ".join(f"{key} {value}" for key, value in data["machine"].items())
    for name in {row["name"]: row for row in data.get("compare", ()) if row.get("note")}:
        yield f"{name}: " + next(row["note"] for row in data["compare"] if row["name"] == name and "note" in row)
    if cost := data.get("cost"):
        yield f"overhead of a run: {_time(cost['overhead_s'])} ({cost['overhead_is']})"
        for name in ("steps", "batch", "depth"):
            exponent, points = cost[name]["exponent"], cost[name]["points"]
            grows = f"{exponent:.3f}" if exponent is not None else "not known, too few points above the overhead"
            yield f"time against SOPs, by {name}: exponent {grows} ({len(points)} points)"
    if start := data.get("startup"):
        yield f"start-up to the first result: {_time(start['min_s'])} (median {_time(start['median_s'])})"
    if big := data.get("scale"):
        size = f"{big['neurons'] / 1e6:.3g} M neurons, {big['synapses'] / 1e9:.3g} G synapses"
        took = f"{big['steps']} steps with {big['sops'] / 1e9:.3g} G SOPs in {_time(big['seconds'])}"
        yield f"{size}: {took}, first use included, peak {big['peak_bytes'] / 2**30:.3g} GiB"


def _named(text: str) -> tuple[str, Given]:
    """`CASE=NET.H5` or `CASE=NET.H5,X.NPZ`."""
    name, equals, paths = text.partition("=")
    if not equals or name not in CASES:
        limit = f"CASE=NET.H5 or CASE=NET.H5,X.NPZ with a case of {', '.join(CASES)}"
        raise InputError("--net", "argument", got=text, relation="is not", limit=limit)
    net, comma, samples = paths.partition(",")
    program = load_program(Path(net))
    if len(program.inputs) != 1:
        raise OptionMisused(net, "inputs", got=len(program.inputs), relation="are not", limit=1)
    return name, (program, read_samples(Path(samples), program).inputs[program.inputs[0].name] if comma else None)


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
