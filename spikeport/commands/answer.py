"""What a command gives back, and how it is shown: a table for people, one JSON document for programs."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rich.table
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from spikeport.errors import FileUnwritable

WIDE = 200
"""Columns of a table that is piped: no cell is folded for a screen that is not there."""


GAP = 3
"""Columns between two of a table."""
EDGES = 2
"""Columns beside a table, left and right."""
WORD = 34


@dataclass(frozen=True)
class Table:
    """One more table of an answer."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Answer:
    """One command's result. `exit_code` 1: the work says no."""

    data: Mapping[str, Any]
    """For programs; everything JSON can hold."""
    title: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = field(default=())
    exit_code: int = 0
    tables: Sequence[Table] = ()
    """Shown between the first one and the notes."""


def show(answer: Answer, as_json: bool, kind: str) -> None:
    """Prints to standard output; nothing else ever does.

    Args:
        kind: Of the JSON document: its `schema` is `spikeport-KIND/VERSION`.

    Raises:
        FileError: it goes to a file, and the disk is full.
    """
    try:
        _print(answer, kind if as_json else None)
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # the reader has seen enough
    except OSError as error:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())  # the interpreter's own end would try to write once more
        raise FileUnwritable("standard output", "cannot be written", got=error.strerror) from error


def _print(answer: Answer, kind: str | None) -> None:
    if kind is not None:
        json.dump({"schema": f"spikeport-{kind}/1", **answer.data}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    terminal = sys.stdout.isatty()
    console = Console(force_terminal=terminal, width=None if terminal else WIDE)
    for shown in (Table(answer.title, answer.columns, answer.rows), *answer.tables):
        if shown.title:
            console.print(escape(shown.title), style="bold" if shown.rows else "", soft_wrap=True, highlight=False)
        if shown.rows:
            for part in in_parts(shown, console.width):
                console.print(_drawn(part, console.width))
    for note in answer.notes:
        console.print(escape(note), soft_wrap=True)


def in_parts(shown: Table, width: int) -> list[Table]:
    """Tables that the width has room for without breaking a word: some columns each, behind the first one."""
    room = [_room(shown, k) + GAP for k in range(_count(shown))]
    parts: list[list[int]] = []
    left = 0
    for k in range(1, len(room)):
        if not parts or left < room[k]:
            parts.append([0])
            left = width - room[0]
        parts[-1].append(k)
        left -= room[k]
    return [
        Table(shown.title, _picked(shown.columns, part), [_picked(row, part) for row in shown.rows])
        for part in parts or [[0]]
    ]


def _count(shown: Table) -> int:
    return max(len(row) for row in (shown.columns, *shown.rows))


def _picked(row: Sequence[str], columns: Sequence[int]) -> list[str]:
    return [row[k] for k in columns if k < len(row)]


def _room(shown: Table, column: int) -> int:
    """Of its longest word; what is longer than a word of a language, as a path or a checksum, may be folded."""
    cells = (row[column] for row in (shown.columns, *shown.rows) if column < len(row))
    return min(WORD, max((len(word) for cell in cells for word in cell.split()), default=0))


def widths(shown: Table, width: int) -> list[int]:
    """Of the columns, as wide as their cells where there is room. Else the widest give way, down to their longest
    word, and if that is not enough, to one character: a cell may be folded and is never cut, as rich would."""
    found = [
        max((cell_len(row[k]) for row in (shown.columns, *shown.rows) if k < len(row)), default=0)
        for k in range(_count(shown))
    ]
    over = sum(found) + GAP * (len(found) - 1) + EDGES - width
    for least in ([_room(shown, k) for k in range(len(found))], [1] * len(found)):
        while over > 0 and (wider := [k for k, w in enumerate(found) if w > least[k]]):
            found[max(wider, key=lambda k: found[k])] -= 1
            over -= 1
    return found


def _drawn(shown: Table, width: int) -> rich.table.Table:
    table = rich.table.Table(box=SIMPLE_HEAD)
    table.show_header, table.pad_edge = any(shown.columns), False
    for column, wide in zip(shown.columns, widths(shown, width), strict=False):
        table.add_column(escape(column), overflow="fold", width=wide)
    for row in shown.rows:
        table.add_row(*(escape(cell) for cell in row))
    return table
