"""What `spikeport score` says: accuracy, classes, what a sample costs, and what many would cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeport.commands.answer import Answer, Table
from spikeport.errors import InputError
from spikeport.sim.scoring import Summary

MOST_CLASSES = 20
"""Of a confusion matrix that is printed; the file has any."""


@dataclass(frozen=True)
class Run:
    """What was done now, and how quickly; it differs from run to run."""

    processes: int
    hosts: int
    cores: int
    """Threads of all processes."""
    shards_done: int
    shards_kept: int
    """Found whole from before."""
    shards_redone: int
    """Found damaged; they count as done."""
    samples: int
    """Of the shards done."""
    seconds: float
    cpu_s: float
    """Of all processes, in those seconds."""
    peak_bytes: int
    """Of memory, of the process that took most."""
    shard_bytes: float
    """On disk, mean."""

    @property
    def samples_per_s(self) -> float | None:
        """None if nothing was left to do."""
        return self.samples / self.seconds if self.samples else None

    @property
    def core_s(self) -> float:
        """Of one sample: time of a core, idle or not.

        Raises:
            InputError: nothing was done from which it could be known.
        """
        if not self.samples:
            do = "score into a new folder"
            raise InputError("score", "samples scored now", got=0, relation="are too few to plan from", do=do)
        return self.seconds * self.cores / self.samples


@dataclass(frozen=True)
class Estimate:
    """What so many images would take, in proportion."""

    images: int
    cores: int
    core_hours: float
    busy_hours: float
    """Of those, what cores really worked: less where something else ran beside, or shards were waited for."""
    hours: float
    shards: int
    disk_bytes: float
    peak_bytes: int
    """Of one process."""
    lost_core_s: float
    """What a killed process does again, at most: one shard."""


def estimate(images: int, cores: int, shard: int, run: Run) -> Estimate:
    """In proportion to what was measured: core_s * images / cores."""
    if images < 1 or cores < 1:
        raise InputError("score", "images and cores", got=f"{images}, {cores}", relation="are not above", limit=0)
    core_hours, shards = run.core_s * images / 3600, -(-images // shard)
    busy_hours = run.cpu_s / run.samples * images / 3600
    return Estimate(
        images, cores, core_hours, busy_hours, core_hours / cores, shards, shards * run.shard_bytes, run.peak_bytes,
        run.core_s * shard,
    )  # fmt: skip


def shown(
    folder: Path, summary: Summary, run: Run, data: dict[str, Any], images: int | None, cores: int | None
) -> Answer:
    """The answer; `data` is what the summary's file has."""
    plan = summary.plan
    title = f"{plan.samples:,} samples of {plan.steps} steps"
    if summary.accuracy is not None:
        title += f": accuracy {summary.accuracy:.2%} ({summary.correct:,} of {plan.samples:,})"
    tables = [table for table in (_confusion(summary),) if table is not None]
    data = {**data, "folder": str(folder)}
    if images is not None:
        found = estimate(images, cores or run.cores, plan.shard, run)
        data["estimate"] = found.__dict__
        tables.append(_estimated(found))
    notes = [*_notes(summary, run), f"{folder / 'summary.json'} written, and {folder / 'answers.npz'}"]
    columns = ("layer", "neurons", "spikes a sample", "events in", "SOPs", "rate")
    return Answer(data, title, columns, list(_layers(summary)), notes, tables=tables)


def _layers(summary: Summary) -> Iterator[tuple[str, ...]]:
    mean, counts = summary.mean, summary.counts
    for layer in counts.layers:
        costs = (f"{mean(count):,.1f}" for count in (layer.spikes_out, layer.events_in, layer.sops))
        yield (layer.name, f"{layer.neurons:,}", *costs, f"{float(layer.rate):.4f}")
    totals = (f"{mean(count):,.1f}" for count in (counts.spikes_out, counts.events_in, counts.sops))
    yield ("all", f"{sum(layer.neurons for layer in counts.layers):,}", *totals, "")


def _confusion(summary: Summary) -> Table | None:
    if summary.confusion is None or summary.classes > MOST_CLASSES:
        return None
    rows = [(str(label), *map(str, row)) for label, row in enumerate(summary.confusion.tolist())]
    return Table("label by answer:", ("", *map(str, range(summary.classes))), rows)


def _notes(summary: Summary, run: Run) -> Iterator[str]:
    if summary.cleared:
        yield f"warning: spikes cleared a v that is read {summary.cleared:,} times; 'strict' refuses such a run"
    redone = f" ({run.shards_redone} again)" if run.shards_redone else ""
    yield f"{run.shards_done:,} shards done{redone}, {run.shards_kept:,} kept from before"
    if run.samples_per_s is not None:
        hosts = f" on {run.hosts} hosts" if run.hosts > 1 else ""
        yield (
            f"{run.samples_per_s:,.1f} samples/s by {_number(run.processes, 'process', 'es')}{hosts},"
            f" {_number(run.cores, 'core', 's')}:"
            f" {1000 * run.core_s:.3g} ms of a core for each; at most {run.peak_bytes / 2**20:,.0f} MiB a process"
        )


def _estimated(found: Estimate) -> Table:
    rows = [
        ("time", _time(found.hours), f"{found.core_hours:,.1f} core hours, {found.busy_hours:,.1f} of them busy"),
        ("memory", f"{found.peak_bytes / 2**20:,.0f} MiB", "of each process"),
        ("disk", f"{found.disk_bytes / 2**20:,.1f} MiB", f"{found.shards:,} shards"),
        ("lost with a process", f"{found.lost_core_s:,.1f} core seconds", "at most"),
    ]
    return Table(f"{found.images:,} images on {found.cores:,} cores, in proportion:", ("", "", ""), rows)


def _number(count: int, what: str, plural: str) -> str:
    return f"{count} {what}{plural if count > 1 else ''}"


def _time(hours: float) -> str:
    return f"{hours:,.1f} h" if hours >= 1 else f"{60 * hours:,.1f} min"
