"""Tables for people: at any width of a terminal, every cell is there to the last digit."""

import io

import numpy as np
import pytest
from rich.console import Console

from spikeport.commands.answer import Table, _drawn, in_parts, widths


def printed(shown: Table, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    for part in in_parts(shown, width):
        console.print(_drawn(part, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def letters(cells: list[str]) -> list[str]:
    return sorted("".join("".join(cell.split()) for cell in cells))


def test_no_digit_is_cut_where_the_last_column_has_no_room() -> None:
    """At 40 columns, the table of `spikeport energy` once had 73,72 MACs in place of 73,728."""
    columns = ("Layer", "SOPs", "MACs on the host", "synaptic operations", "SNN", "ANN MACs", "ANN")
    rows = [
        ("lif2", "214,355.2", "–", "193 nJ", "193 nJ", "73,728", "339 nJ"),
        ("all layers", "386,300.2", "42.4 nJ", "348 nJ", "390 nJ", "134,144", "617 nJ"),
    ]
    shown = printed(Table("", columns, rows), 40)
    assert all(cell in shown for cell in ("73,728", "134,144", "193", "390"))


@pytest.mark.parametrize("seed", range(20))
def test_every_letter_of_every_cell_is_shown_at_any_width(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def cell() -> str:
        words = ("x" * int(n) for n in rng.integers(1, 9, int(rng.integers(0, 5))))
        return " ".join(words)

    count = int(rng.integers(1, 7))
    rows = [[cell() for _ in range(count)] for _ in range(3)]
    columns = ["h" * int(rng.integers(1, 8)) for _ in range(count)]
    for width in (20, 33, 40, 41, 57, 80, 200):
        shown = printed(Table("", columns, rows), width)
        assert all(len(line) <= width for line in shown.splitlines())
        again = len(in_parts(Table("", columns, rows), width))
        first = [columns[0], *(row[0] for row in rows)]
        every = [*columns, *(text for row in rows for text in row), *first * (again - 1)]
        assert letters([part for part in shown.replace("─", "").split()]) == letters(every)


def test_columns_are_as_wide_as_their_cells_where_there_is_room() -> None:
    shown = Table("", ("a", "bb"), [("1", "22 333"), ("1234", "2")])
    assert widths(shown, 80) == [4, 6]
    assert widths(shown, 12) == [4, 3]
    assert widths(shown, 6) == [1, 1]
