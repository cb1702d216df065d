"""`spikeport conformance`: what our integers were held against, how many values, and how many differ.

A part is a function that yields rows; the command knows nothing else of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from spikeport.commands.answer import Answer, progress
from spikeport.sim.convention import Convention


@dataclass(frozen=True)
class Setup:
    """What the command was asked for."""

    wheel: Path | None = None
    """A copy of lava-dl's wheel; fetched if None."""
    quick: bool = False
    """Leave out the later steps of long recordings."""


@dataclass(frozen=True)
class Row:
    """One comparison, with `==` on every value."""

    what: str
    against: str
    values: int
    differing: int
    conventions: tuple[Convention, ...] = ()
    """Applied to our trace before comparing."""
    run: str = ""
    """How the network was run, where the recording does not say it."""


Part: TypeAlias = Callable[[Setup], Iterator[Row]]


def parts() -> tuple[Part, ...]:
    """In the order of the table."""
    from spikeport.commands.published import published

    return (published,)


def conformance(setup: Setup) -> Answer:
    """Every part's rows; exit 1 if a single value differs."""
    rows: list[Row] = []
    with progress() as bar:
        task = bar.add_task("comparing", total=None, info="")
        for part in parts():
            for row in part(setup):
                rows.append(row)
                bar.update(task, advance=1, info=row.what)
    values, differing = sum(row.values for row in rows), sum(row.differing for row in rows)
    reasons = {name: why for row in rows for name, why in _named(row)}
    letters = {name: chr(ord("a") + number) for number, name in enumerate(reasons)}
    data = {
        "values": values,
        "differing": differing,
        "rows": [
            {
                "what": row.what,
                "against": row.against,
                "values": row.values,
                "differing": row.differing,
                "as": [name for name, _ in _named(row)],
            }
            for row in rows
        ],
        "reasons": reasons,
    }
    cells = [
        (row.what, row.against, f"{row.values:,}", f"{row.differing:,}", "".join(letters[n] for n, _ in _named(row)))
        for row in rows
    ]
    notes = [f"{values:,} values compared, {differing:,} differ"]
    notes += [f"{letters[name]}: {name}; {why}" for name, why in reasons.items()]
    columns = ("what", "against", "values", "differing", "as")
    return Answer(data, "spikeport conformance", columns, cells, notes, exit_code=int(differing > 0))


def _named(row: Row) -> list[tuple[str, str]]:
    run = [(row.run, "found from the recording, which does not say it")] if row.run else []
    return [*run, *((c.name, c.why) for c in row.conventions)]
