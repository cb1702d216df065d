"""The table of what became of the mutants, and `benchmarks/mutation.md`, which keeps the rows that were not run now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.targets import TARGETS, Target

ROOT = Path(__file__).parents[2]
WRITTEN = ROOT / "benchmarks" / "mutation.md"
HEAD = """# Mutants of the integer kernels

In each file of `spikeport/` below, one rounding, shift, comparison, sign, constant, bound or logical operator at a time
was changed (`tests/mutation/mutants.py`). A change is caught where a test fails; it is equivalent where nothing that
the code gives can change. `make mutation` runs them all, `make mutation ARGS='fixed.py --write'` one file and writes
its row anew.
"""


@dataclass(frozen=True)
class Row:
    """What became of the mutants of one target."""

    name: str
    count: int
    equivalent: int
    survived: int

    def __str__(self) -> str:
        caught = self.count - self.equivalent - self.survived
        return f"| {self.name} | {self.count} | {caught} | {self.equivalent} | {self.survived} |"


def table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| file | mutants | caught | equivalent | survived |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    yield from map(str, rows)
    yield str(Row("all", *(sum(getattr(r, name) for r in rows) for name in ("count", "equivalent", "survived"))))


def write(rows: Iterable[Row]) -> None:
    known = {row.name: row for row in (*written(), *rows)}
    names = [f"`{target.name}`" for target in TARGETS]
    lines = [*table([known[name] for name in names if name in known]), "", "## Equivalent", ""]
    lines += [f"- {place(t, m)}: {reason(t, m)}" for t in TARGETS for m in mutants_of(t) if reason(t, m)]
    WRITTEN.write_text("\n".join([HEAD, *lines]) + "\n")


def written() -> Iterator[Row]:
    """The rows of the page as it is."""
    for line in WRITTEN.read_text().splitlines() if WRITTEN.exists() else []:
        if line.startswith("| `"):
            name, count, _, equivalent, survived = line.strip("| ").split(" | ")
            yield Row(name, int(count), int(equivalent), int(survived))


def place(target: Target, mutant: Mutant) -> str:
    return f"`{target.file}:{mutant.line}` in `{mutant.function or 'the module'}`: `{mutant}`"


def reason(target: Target, mutant: Mutant) -> str | None:
    """Why it is equivalent, if it is."""
    return EQUIVALENT.get(target.file, {}).get((mutant.text, str(mutant)))


def mutants_of(target: Target) -> list[Mutant]:
    found = mutants((ROOT / "spikeport" / target.file).read_text())
    return [m for m in found if m.function in target.functions] if target.functions else found
