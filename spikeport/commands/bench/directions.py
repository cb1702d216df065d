"""`spikeport bench directions`: trains small variants of the papers' networks, and says which claims came out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeport.bench.directions import QUESTIONS, directions
from spikeport.commands.answer import Answer
from spikeport.commands.bars import say
from spikeport.commands.bench.kept import keep, markdown, prepare

COLUMNS = ("question", "variant", "test accuracy", "deviation", "by seed")


def bench_directions(
    questions: Sequence[str] | None, seeds: int, settings: Sequence[str], output: Path | None, jobs: int = 1
) -> Answer:
    """Runs the questions, all of them if None."""
    prepare(output)
    data = directions(questions or tuple(QUESTIONS), seeds, settings, say, jobs)
    rows, notes = list(_rows(data)), list(_notes(data))
    notes += keep(output, "directions", data, markdown(rows, notes, COLUMNS))
    return Answer(data, "spikeport bench directions", COLUMNS, rows, notes)


def _rows(data: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, found in data.items():
        for variant, figures in found["variants"].items():
            seeds = ", ".join(f"{run['accuracy']:.2%}" for run in figures["runs"])
            yield name, variant, f"{figures['mean']:.2%}", f"{figures['deviation']:.2%}", seeds


def _notes(data: Mapping[str, Any]) -> Iterator[str]:
    for name, found in data.items():
        cpu_s = sum(run["cpu_s"] for figures in found["variants"].values() for run in figures["runs"])
        yield f"{name}: {found['source']}; recipe {found['recipe']}; {cpu_s / 60:.0f} CPU-minutes of training"
        for claim in found["claims"]:
            yield (
                f"{name}: {claim['better']} against {claim['worse']}: {100 * claim['difference']:+.2f} points, "
                f"ahead in {claim['seeds']} of {claim['of']} seeds"
            )
