"""What a report's page is made of, as plain values; `report.html` has a form for each kind of block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from markupsafe import Markup, escape

Kind: TypeAlias = Literal["plain", "hint", "result", "banner", "missing"]
Width: TypeAlias = Literal["narrow", "pixels", "half", "mesh"]


@dataclass(frozen=True)
class Words:
    """One paragraph."""

    text: str
    kind: Kind = "plain"


@dataclass(frozen=True)
class Facts:
    """Quantity, value and note, a row each."""

    caption: str
    rows: Sequence[tuple[str, ...]]
    unseen: bool = False
    """Whether the heading above says what the caption does; who hears the page is told all the same."""


@dataclass(frozen=True)
class Grid:
    """A table with heads on both sides; it scrolls in a frame of its own where the page is narrow."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: tuple[str, ...] = ()
    """Columns of short text; the others hold numbers. The first always is text."""
    words: tuple[str, ...] = ()
    """Columns of sentences, which are folded into lines."""
    sums: bool = False
    """Whether the last row is the sum of the others."""


@dataclass(frozen=True)
class Picture:
    """A figure, with what it shows in words for those who do not see it."""

    drawn: Markup
    """SVG."""
    title: str
    described: str
    caption: str = ""
    keys: Sequence[tuple[str, str]] = ()
    """(words, CSS colour)."""
    width: Width = "narrow"

    @property
    def svg(self) -> Markup:
        """With its title and description as SVG has them; what has a label already stays as it is."""
        head, rest = str(self.drawn).split(">", 1)
        if "aria-label=" in head:
            return self.drawn
        inside = f"<title>{escape(self.title)}</title><desc>{escape(self.described)}</desc>"
        return Markup(head.replace("<svg ", '<svg role="img" ', 1) + ">" + inside + rest)


@dataclass(frozen=True)
class Tiles:
    """Pictures side by side, as one bitmap."""

    png: str
    """A data URI."""
    described: str
    caption: str
    width: int
    """In pixels of the bitmap."""


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline, what it left, and the SHA-256 of that."""

    name: str
    made: str = ""
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True)
class Stages:
    stages: Sequence[Stage]


@dataclass(frozen=True)
class Listed:
    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    text: str


@dataclass(frozen=True)
class Beside:
    """Blocks next to each other where there is room."""

    blocks: Sequence["Block"]
    small_first: bool = False
    """Whether the first is a small picture, and takes no more room than that."""


@dataclass(frozen=True)
class Folded:
    """Blocks that are shown on demand, and always on paper."""

    summary: str
    blocks: Sequence["Block"]


@dataclass(frozen=True)
class Part:
    """Blocks under a heading of their own."""

    title: str
    blocks: Sequence["Block"]


Block: TypeAlias = Words | Facts | Grid | Picture | Tiles | Stages | Listed | Code | Beside | Folded | Part


@dataclass(frozen=True)
class Section:
    """One section of the page; `name` is its anchor."""

    name: str
    title: str
    blocks: Sequence[Block]


def missing(name: str, title: str, *needed: str) -> Section:
    """A section without data, and what to give to get it."""
    return Section(name, title, [Words(text, "missing") for text in needed])
