"""A picture of the mesh: every core at its place on its chip, or every chip of a large system; as SVG and as text.

Colours are the page's; `Mark.used` and `Mark.busy` stand in the style of each mark, so that a page can shade by either.
"""

import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, isqrt

from markupsafe import Markup, escape

from spikeport.chip import Chip
from spikeport.commands.mapping.records import Figures, names

CORE, GAP, TILE_GAP = 8, 1, 3
"""Of a core's side, units between cores of a tile, and between tiles."""
LETTERS = string.ascii_lowercase + string.ascii_uppercase
MANY, UNUSED, ABSENT = "+", "·", " "
"""Several groups on a core; a core without neurons; a place that has no core."""
COLOURS = 18
"""Groups that are told apart by colour; the next takes the first one again."""
DRAWN_CHIPS = 30
"""As many are drawn core by core; of more, each chip is a mark."""
LETTERED_CHIPS = 8
"""Letters of up to so many chips are large enough to be read."""


@dataclass(frozen=True)
class Mark:
    """A core of a chip, or a chip of a system."""

    x: int
    y: int
    parts: tuple[tuple[int, float], ...]
    """Places among the Program's groups, side by side in the mark, and how much of it each has."""
    letter: str
    used: float
    busy: float
    """Share of the busiest one's SOPs."""
    title: str


def letter_of(group: int) -> str:
    return LETTERS[group] if group < len(LETTERS) else "*"


def colour_class(group: int) -> str:
    return f"g{group % COLOURS}"


def places(chip: Chip) -> list[tuple[int, int]]:
    """Columns and rows of cores, for each core of a chip: tiles in rows, the cores of a tile in rows of their own."""
    side = _side(chip)
    found = []
    for core in range(chip.cores_per_chip):
        tile, slot = divmod(core, chip.cores_per_tile)
        y, x = divmod(tile, chip.mesh[0])
        found.append((x * side + slot % side, y * side + slot // side))
    return found


def core_marks(of: Figures, chip: int) -> Iterator[Mark]:
    """The cores of a chip that have neurons."""
    at, group_at = places(of.mapped.chip), {name: k for k, name in enumerate(of.mapped.cores.cuts)}
    most = max(of.done["sops"], default=0) if of.done else 0
    for core in of.of_chip[chip]:
        groups = tuple(group_at[name] for name in of.mapped.table.groups[core])
        busy = of.done["sops"][core] / most if most else 0.0
        x, y = at[of.numbers[core] % of.mapped.chip.cores_per_chip]
        letter = letter_of(groups[0]) if len(groups) == 1 else MANY
        parts = tuple((group, 1 / len(groups)) for group in groups)
        yield Mark(x, y, parts, letter, min(of.used[core], 1.0), busy, core_title(of, core))


def core_title(of: Figures, core: int) -> str:
    table = of.mapped.table
    text = (
        f"core {of.numbers[core]}: {names(table.groups[core])}; {of.neurons[core]:,} neurons;"
        f" {of.used[core]:.0%} of its {table.limited_by[core]}"
    )
    if of.done:
        sops, spikes = (of.per_step(of.done[name][core]) for name in ("sops", "spikes"))
        text += f"; {sops:,.1f} SOPs, {spikes:,.1f} spikes a step"
    return text


def chip_marks(of: Figures, columns: int) -> Iterator[Mark]:
    """The chips in use, row by row."""
    records = of.chip_records
    most = max((record.get("sops", 0) for record in records), default=0)
    group_at = {name: k for k, name in enumerate(of.mapped.cores.cuts)}
    for k, record in enumerate(records):
        on = Counter(record["groups"]).most_common(4)
        parts = tuple((group_at[name], n / sum(n for _, n in on)) for name, n in on)
        text = f"chip {record['chip']}: {record['cores']} cores; {names(f'{name} on {n}' for name, n in on)}"
        if len(record["groups"]) > len(on):
            text += f" and {len(record['groups']) - len(on)} groups more"
        text += f"; cores {record['used_mean']:.0%} full in the mean"
        if of.done:
            text += f"; {of.per_step(record['sops']):,.1f} SOPs a step"
        busy = record["sops"] / most if most else 0.0
        used = min(record["used_mean"], 1.0)
        yield Mark(k % columns, k // columns, parts, letter_of(parts[0][0]), used, busy, text)


def chip_svg(of: Figures, chip: int) -> Markup:
    """One chip, its tiles and cores; cores without neurons are hollow."""
    marks = list(core_marks(of, chip))
    side, (width, height) = _side(of.mapped.chip), of.mapped.chip.mesh
    tiles = sorted({(x // side, y // side) for x, y in places(of.mapped.chip)})
    size = side * (CORE + GAP) - GAP
    drawn = [_rect("tile", x * _pitch(side) - 1, y * _pitch(side) - 1, size + 2, size + 2) for x, y in tiles]
    taken = {(mark.x, mark.y) for mark in marks}
    hollow = [_rect("free", *_corner(x, y, side), CORE, CORE) for x, y in places(of.mapped.chip) if (x, y) not in taken]
    lettered = len(of.chips) <= LETTERED_CHIPS
    drawn += [*hollow, *(_mark(mark, *_corner(mark.x, mark.y, side), lettered) for mark in marks)]
    on = Counter(name for core in of.of_chip[chip] for name in of.mapped.table.groups[core])
    label = f"Chip {chip}: {names(f'{name} on {n}' for name, n in on.items())} cores"
    return _svg(label, (width * _pitch(side), height * _pitch(side)), drawn)


def system_svg(of: Figures) -> Markup:
    """Every chip as a mark."""
    columns = _columns(len(of.chips))
    marks, step = list(chip_marks(of, columns)), CORE + GAP
    drawn = [_mark(mark, mark.x * step, mark.y * step, False) for mark in marks]
    label = f"{len(of.chips):,} chips, row by row, each in the colours of its groups"
    return _svg(label, (columns * step, -(-len(marks) // columns) * step), drawn, f"max-width: {columns * 1.6:g}rem")


def text_chip(of: Figures, chip: int, *, busy: bool = False) -> list[str]:
    """A character for each core, two columns of characters to a tile; `busy`: tenths of the busiest core's SOPs."""
    side, (width, height) = _side(of.mapped.chip), of.mapped.chip.mesh
    at = {place: UNUSED for place in places(of.mapped.chip)}
    at |= {(mark.x, mark.y): _tenth(mark.busy) if busy else mark.letter for mark in core_marks(of, chip)}
    rows = []
    for y in range(height * side):
        row = [at.get((x, y), ABSENT) for x in range(width * side)]
        rows.append(" ".join("".join(row[x : x + side]) for x in range(0, len(row), side)))
    return rows


def text_system(of: Figures) -> list[str]:
    """A character for each chip: the group that is on most of its cores."""
    columns = _columns(len(of.chips))
    letters = [mark.letter for mark in chip_marks(of, columns)]
    return ["".join(letters[k : k + columns]) for k in range(0, len(letters), columns)]


def text_beside(titled: Sequence[tuple[str, list[str]]], across: int = 3) -> list[str]:
    """Blocks of text of equal height, some beside each other, each below its title."""
    found = []
    for start in range(0, len(titled), across):
        some = [[title, *rows] for title, rows in titled[start : start + across]]
        width = max(len(row) for rows in some for row in rows)
        found += ["   ".join(row.ljust(width) for row in line).rstrip() for line in zip(*some, strict=True)] + [""]
    return found[:-1]


def _side(chip: Chip) -> int:
    """Cores of a tile's row."""
    root = isqrt(chip.cores_per_tile)
    return root + (root * root < chip.cores_per_tile)


def _pitch(side: int) -> int:
    return side * (CORE + GAP) - GAP + TILE_GAP


def _corner(x: int, y: int, side: int) -> tuple[int, int]:
    (tile_x, in_x), (tile_y, in_y) = divmod(x, side), divmod(y, side)
    return tile_x * _pitch(side) + in_x * (CORE + GAP), tile_y * _pitch(side) + in_y * (CORE + GAP)


def _columns(chips: int) -> int:
    """Of a picture that is somewhat wider than high."""
    return max(1, ceil((chips * 3 / 2) ** 0.5))


def _tenth(share: float) -> str:
    return str(min(9, int(share * 10)))


def _mark(mark: Mark, x: float, y: float, lettered: bool) -> str:
    parts, left = "", x
    for group, share in mark.parts:
        parts += _rect(colour_class(group), round(left, 2), y, round(share * CORE, 2), CORE)
        left += share * CORE
    text = f'<text x="{x + CORE / 2:g}" y="{y + CORE * 0.74:g}">{mark.letter}</text>' if lettered else ""
    style = f"--u:{mark.used:.2g};--s:{mark.busy:.2g}"
    return f'<g class="k" style="{style}"><title>{escape(mark.title)}</title>{parts}{text}</g>'


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"/>'


def _svg(label: str, size: tuple[int, int], drawn: Sequence[str], style: str = "") -> Markup:
    width, height = size
    box = f"-1.5 -1.5 {width} {height}"
    named = f'role="img" aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg"'
    return Markup(f'<svg viewBox="{box}" style="{style}" {named}>' + "\n".join(drawn) + "</svg>")
