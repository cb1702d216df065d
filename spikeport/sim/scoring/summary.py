"""`Summary`: what all shards of a score come to."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import FileMismatch, LabelsInvalid
from spikeport.sim.counting.counts import Counts
from spikeport.sim.scoring.plan import Plan, shard_path
from spikeport.sim.scoring.shard_file import load_shard

SCHEMA = "spikeport-score/1"


@dataclass(frozen=True, eq=False)
class Summary:
    """Exact, and the same whatever the number of processes."""

    plan: Plan
    answers: NDArray[np.int64]
    """`(samples,)`"""
    classes: int
    confusion: NDArray[np.int64] | None
    """`(classes, classes)`, label by answer; None without labels or classes."""
    counts: Counts
    cleared: int

    @property
    def correct(self) -> int | None:
        return None if self.confusion is None else int(self.confusion.trace())

    @property
    def accuracy(self) -> float | None:
        return None if self.correct is None else self.correct / self.plan.samples

    def mean(self, count: int) -> float:
        """Of one sample."""
        return float(self.counts.per_inference(count))

    def to_json(self) -> dict[str, Any]:
        counts = self.counts
        return {
            "schema": SCHEMA,
            **asdict(self.plan),
            "correct": self.correct,
            "accuracy": self.accuracy,
            "answered": np.bincount(self.answers, minlength=self.classes).tolist() if self.classes else [],
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "answers_sha256": hashlib.sha256(self.answers.astype("<i8").tobytes()).hexdigest(),
            "spikes_per_sample": self.mean(counts.spikes_out),
            "events_per_sample": self.mean(counts.events_in),
            "sops_per_sample": self.mean(counts.sops),
            "cleared": self.cleared,
            "counts": counts.to_json(),
        }


def check_labels(where: str, labels: NDArray[np.integer], classes: int) -> None:
    """Raises InputError for a label that is no class."""
    if classes and len(labels) and (labels.min() < 0 or labels.max() >= classes):
        worst = int(labels.min() if labels.min() < 0 else labels.max())
        raise LabelsInvalid(where, "label", got=worst, relation="is not in", limit=f"[0, {classes - 1}]")


def summarise(folder: Path, plan: Plan, labels: NDArray[np.integer] | None) -> Summary:
    """Puts the shards together, one in memory at a time.

    Raises:
        FileError: a shard is missing or damaged, or belongs elsewhere.
    """
    answers: list[NDArray[np.int64]] = []
    classes, confusion, counts, cleared = 0, np.zeros((0, 0), np.int64), None, 0
    for number in range(plan.shards):
        path, samples = shard_path(folder, number), plan.range_of(number)
        shard = load_shard(path, plan.sha256)
        if (shard.first, len(shard)) != (samples.start, len(samples)):
            raise FileMismatch(str(path), "is a shard of other samples", do="delete it, and go on with --resume")
        if not answers:
            classes = shard.values.shape[1]
            confusion = np.zeros((classes, classes), np.int64)
        if labels is not None and classes:
            np.add.at(confusion, (labels[samples.start : samples.stop], shard.answers), 1)
        answers.append(shard.answers)
        counts = shard.counts if counts is None else counts + shard.counts
        cleared += shard.cleared
    assert counts is not None
    known = confusion if labels is not None and classes else None
    return Summary(plan, np.concatenate(answers), classes, known, counts, cleared)
