"""Pages that stand alone: one HTML file without a network, a script or another file.

`page.html` is every page's frame, `page.css` its style; figures are inline SVG in colours that the page's theme gives.
The same input gives the same bytes: nothing here reads a clock.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from typing import Any

import matplotlib.style
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_IN = 4.6  # 331 units wide: text of 10 stays legible on a phone and is not huge on a desk
TITLE_IN, CAPTION_IN = 0.3, 4 / 72  # of the line above a panel, and from the panel to its text
CAPTION_CHARACTERS = 50  # what fits into that width
INK, MUTED, LINE, BLUE, ORANGE, GREY = "#010101", "#020202", "#030303", "#040404", "#050505", "#060606"
SKY, GREEN, VIOLET, PINK, GOLD, BROWN = "#070707", "#080808", "#090909", "#0a0a0a", "#0b0b0b", "#0c0c0c"
THEME = {
    INK: "var(--ink)", MUTED: "var(--muted)", LINE: "var(--line)",
    BLUE: "var(--blue)", ORANGE: "var(--orange)", GREY: "var(--grey)",
    SKY: "var(--sky)", GREEN: "var(--green)", VIOLET: "var(--violet)",
    PINK: "var(--pink)", GOLD: "var(--gold)", BROWN: "var(--brown)",
}  # fmt: skip
BITMAP_RGB = (0.23, 0.51, 0.85)  # legible on white and on black: a bitmap cannot follow the theme
STYLE = {
    "font.size": 10, "svg.fonttype": "none", "text.parse_math": False, "text.color": INK, "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED, "xtick.color": LINE, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "legend.frameon": False,
    "legend.labelcolor": INK, "axes.formatter.useoffset": False, "axes.formatter.limits": (-6, 9),
}  # fmt: skip


def rendered(template: Traversable, filters: Mapping[str, Any], **values: object) -> str:
    """A template of jinja2 as a page: it fills the blocks of `page.html`, and may take its tables from `grid.html`."""
    here = files("spikeport")
    shared = {name: (here / name).read_text(encoding="utf-8") for name in ("page.html", "grid.html")}
    environment = Environment(
        loader=DictLoader(shared), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= filters
    css = Markup((here / "page.css").read_text(encoding="utf-8"))
    return environment.from_string(template.read_text(encoding="utf-8")).render(css=css, **values)


@contextmanager
def drawing() -> Iterator[None]:
    """matplotlib with the pages' style."""
    with matplotlib.style.context(["default", STYLE]):
        yield


def svg(name: str, figure: Figure) -> Markup:
    """Inline SVG: colours follow the page's theme, and no id meets that of another figure."""
    buffer = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]  # neither XML declaration nor document type
    # the metadata hold the date, the style sheet would reach the whole page
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r' id="image[0-9a-f]+"', "", text)  # equal bitmaps would have equal ids, which nothing refers to
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text))
    for colour, variable in THEME.items():
        text = text.replace(colour, variable)
    return distinct(text, name)


def distinct(drawn: str, name: str) -> Markup:
    """SVG whose ids, and what refers to them, begin with this name."""
    text = str(drawn)  # Markup would escape what is put in
    for plain in (' id="', "url(#", 'href="#'):
        text = text.replace(plain, f"{plain}{name}-")
    return Markup(text)


def stack(heights_in: list[float], ticks: bool = True) -> tuple[Figure, list[Axes]]:
    """Panels of these heights below each other, each with a line of text above it."""
    foot_in = 0.45 if ticks else 0.05
    height_in = sum(heights_in) + TITLE_IN * len(heights_in) + foot_in
    figure = Figure(figsize=(WIDTH_IN, height_in))
    panels, top = [], height_in
    for panel_in in heights_in:
        top -= TITLE_IN + panel_in
        panels.append(figure.add_axes((0, top / height_in, 1, panel_in / height_in)))
    return figure, panels


def bars(rows: Sequence[tuple[str, float, str]]) -> Figure:
    """(name, value, text): a bar each, below its caption, on a track as long as the largest; all in one panel."""
    bar_in, pitch_in = 0.16, 0.16 + TITLE_IN
    figure, (axes,) = stack([pitch_in * len(rows) - TITLE_IN], ticks=False)
    top = max(value for _, value, _ in rows) or 1.0
    at = [pitch_in * (len(rows) - 1 - k) for k in range(len(rows))]
    axes.barh(at, [top] * len(rows), height=bar_in, align="edge", color=LINE, alpha=0.5, linewidth=0)
    axes.barh(at, [value for _, value, _ in rows], height=bar_in, align="edge", color=BLUE, linewidth=0)
    for y, (name, _, text) in zip(at, rows, strict=True):
        axes.text(0, y + bar_in + CAPTION_IN, _shortened(name, text))
        axes.text(top, y + bar_in + CAPTION_IN, text, ha="right", color=MUTED)
    axes.set(xlim=(0, top), ylim=(0, pitch_in * len(rows) - TITLE_IN))
    axes.set_axis_off()
    return figure


def caption(axes: Axes, left: str, right: str) -> None:
    left = _shortened(left, right)
    axes.set_title(left, loc="left", fontsize=10, pad=4, y=1.0)  # without y every draw measures all texts above
    axes.set_title(right, loc="right", fontsize=10, pad=4, y=1.0, color=MUTED)


def _shortened(left: str, right: str) -> str:
    room = CAPTION_CHARACTERS - len(right)
    return left if len(left) <= room else f"{left[: room - 1]}…"


def bar(axes: Axes, parts: list[tuple[float, str]], top: float, low: float = 0.0, high: float = 1.0) -> None:
    """Stacked parts from the left, on a track that shows where `top` lies."""
    axes.barh([low], [top], height=high - low, align="edge", color=LINE, alpha=0.5, linewidth=0)
    left = 0.0
    for value, colour in parts:
        axes.barh([low], [value], left=left, height=high - low, align="edge", color=colour, linewidth=0)
        left += value
    axes.set(xlim=(0, top), ylim=(0, 1))
    axes.set_axis_off()
