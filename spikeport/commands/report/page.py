"""Sections as one HTML file that needs no network, no script and no other file."""

import os
from collections.abc import Sequence
from importlib.resources import files

from markupsafe import Markup

from spikeport import __version__
from spikeport.atomic import replacing
from spikeport.commands.mapping.page import mesh_css
from spikeport.commands.report.blocks import Section
from spikeport.page import rendered


def write_page(path: str | os.PathLike[str], title: str, lede: str, sections: Sequence[Section]) -> None:
    """As `render_page`, through a rename: a failed write leaves nothing behind."""
    page = render_page(title, lede, sections)
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="\n") as file:
        file.write(page)


def render_page(title: str, lede: str, sections: Sequence[Section]) -> str:
    """The page as text; the same sections give the same bytes."""
    here = files("spikeport.commands.report")
    css = (here / "report.css").read_text(encoding="utf-8")
    return rendered(
        here / "report.html",
        {},
        title=title,
        lede=lede,
        sections=sections,
        more_css=Markup(f"{mesh_css()}\n{css}"),
        tool=f"spikeport {__version__}",
    )
