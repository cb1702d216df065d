"""What the pages of docs/ show: python blocks and lines of the command line, in order.

A block behind the comment `<!-- not run: WHY -->` is not run: it takes a board, another framework, data that are not
everywhere, or long. A line that ends in `# exit 1` is to exit with 1.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
NOT_RUN = re.compile(r"<!-- not run: .+ -->")
FENCE = re.compile(r"^```(\S*)")


@dataclass(frozen=True)
class Sample:
    line: int
    """Of the page, from 1."""
    text: str
    """A python block, or one command without its comment."""
    python: bool
    runs: bool
    code: int = 0
    """With which a command exits."""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)


def samples(text: str) -> Iterator[Sample]:
    """In the order of the page; of what is indented or in a fence, lines that begin with `spikeport`."""
    for start, kind, body, runs in _blocks(text.splitlines()):
        if kind == "python":
            yield Sample(start, "\n".join(body) + "\n", python=True, runs=runs)
        elif kind in ("", "console", "sh"):
            yield from _commands(start, body, runs)


def _commands(start: int, body: list[str], runs: bool) -> Iterator[Sample]:
    for number, line in enumerate(body, start):
        command, _, comment = line.partition(" #")
        for part in command.split("&&"):
            if part.strip().startswith("spikeport "):
                yield Sample(number, part.strip(), python=False, runs=runs, code=int("exit 1" in comment))


def _blocks(lines: list[str]) -> Iterator[tuple[int, str, list[str], bool]]:
    """`(first line, kind, lines, whether it runs)` of each fenced or indented block."""
    said, k = "", 0
    while k < len(lines):
        if fence := FENCE.match(lines[k]):
            end = next(j for j in range(k + 1, len(lines)) if lines[j].startswith("```"))
            yield k + 2, fence[1], lines[k + 1 : end], not NOT_RUN.search(said)
        elif lines[k].startswith("    ") and not said.startswith(("- ", "  ", "1. ")):
            end = next(
                (j for j in range(k, len(lines)) if lines[j].strip() and not lines[j].startswith("    ")), len(lines)
            )
            yield k + 1, "", [line[4:] for line in lines[k:end]], not NOT_RUN.search(said)
            end -= 1
        else:
            end = k
        said = lines[end] if lines[end].strip() else said
        k = end + 1
