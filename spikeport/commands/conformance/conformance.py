"""`spikeport conformance`: what our integers were held against, how many values, and how many differ.

A part is a function that yields rows; the command knows nothing else of it.
"""

from dataclasses import replace

from spikeport.commands.answer import Answer
from spikeport.commands.conformance import live
from spikeport.commands.conformance.row import Part, Row, Setup
from spikeport.errors import UnknownName
from spikeport.progress import working


def parts() -> dict[str, Part]:
    """By name, in the order of the table."""
    return {
        "published": live.recordings,
        "lava": live.lava_models,
        "runtime": live.lava_runtime,
        "engines": live.engines,
    }


def conformance(setup: Setup) -> Answer:
    """Every part's rows; exit 1 if a single value differs."""
    known = parts()
    if unknown := set(setup.only) - known.keys():
        got, limit = ", ".join(sorted(unknown)), ", ".join(known)
        raise UnknownName("conformance", "part", got=got, relation="is not one of", limit=limit)
    rows: list[Row] = []
    with working("comparing", unit="comparisons") as task:
        setup = replace(setup, tell=lambda text: task.advance(0, text))
        for part in (part for name, part in known.items() if not setup.only or name in setup.only):
            for row in part(setup):
                rows.append(row)
                task.advance(1, row.what)
    values, differing = sum(row.values for row in rows), sum(row.differing for row in rows)
    reasons = {name: why for row in rows for name, why in _named(row)}
    letters = {name: chr(ord("a") + number) for number, name in enumerate(reasons)}
    missing = [row for row in rows if row.missing]
    data = {
        "values": values,
        "differing": differing,
        "not_compared": len(missing),
        "rows": [
            {
                "what": row.what,
                "against": row.against,
                "values": row.values,
                "differing": None if row.missing else row.differing,
                "missing": row.missing or None,
                "as": [name for name, _ in _named(row)],
            }
            for row in rows
        ],
        "reasons": reasons,
    }
    cells = [(row.what, row.against, *_counted(row), "".join(letters[name] for name, _ in _named(row))) for row in rows]
    notes = [f"{values:,} values compared, {differing:,} differ"]
    notes += [f"NOT COMPARED: {row.what} with {row.against}: {row.missing}" for row in missing]
    notes += [row.detail for row in rows if row.detail]
    notes += [f"{letters[name]}: {name}; {why}" for name, why in reasons.items()]
    columns = ("what", "against", "values", "differing", "as")
    return Answer(data, "spikeport conformance", columns, cells, notes, exit_code=int(differing > 0))


def _counted(row: Row) -> tuple[str, str]:
    return ("not compared", "–") if row.missing else (f"{row.values:,}", f"{row.differing:,}")


def _named(row: Row) -> list[tuple[str, str]]:
    run = [(row.run, "found from the recording, which does not say it")] if row.run else []
    return [*run, *((c.name, c.why) for c in row.conventions)]
