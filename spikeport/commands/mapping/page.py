"""A mapping as a single HTML file that needs no network, no script and no other file."""

import os
from importlib.resources import files

from markupsafe import Markup

from spikeport.atomic import replacing
from spikeport.commands.mapping import tables
from spikeport.commands.mapping.busiest import sentences
from spikeport.commands.mapping.mesh import (
    COLOURS,
    DRAWN_CHIPS,
    LETTERED_CHIPS,
    chip_svg,
    colour_class,
    letter_of,
    system_svg,
)
from spikeport.commands.mapping.records import Figures
from spikeport.deploy.cores import LIMITS
from spikeport.deploy.cores.table import GROUPS
from spikeport.page import rendered

PALETTE = ("blue", "orange", "green", "violet", "gold", "sky", "pink", "brown", "grey")
"""Of the pages' colours; then the same, paler."""
SHADES = (0.72, 0.36)


def write_page(path: str | os.PathLike[str], title: str, of: Figures, command: str = "") -> None:
    """As `render_page`, through a rename: a failed write leaves nothing behind."""
    page = render_page(title, of, command)
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="\n") as file:
        file.write(page)


def render_page(title: str, of: Figures, command: str = "") -> str:
    """The page as text; the same mapping and run give the same bytes.

    Args:
        command: That makes this page again.
    """
    one = of.mapped
    large = len(of.chips) > DRAWN_CHIPS
    listed = of.busiest(tables.SHOWN_CORES) if of.ran else one.table.fullest(tables.SHOWN_CORES).tolist()
    what = "The cores with the most SOPs" if of.ran else "The fullest cores"
    shown = [of.chip_of[listed[0]]] if large else of.chips
    return rendered(
        files("spikeport.commands") / "mapping.html",
        {},
        title=title,
        one=one,
        ran=of.ran,
        headline=tables.headline(of),
        sentences=sentences(of),
        colours=mesh_css(),
        system=system_svg(of) if large else None,
        chips=[(chip, len(of.of_chip[chip]), chip_svg(of, chip)) for chip in shown],
        letters=len(of.chips) <= LETTERED_CHIPS,
        legend=[(colour_class(k), letter_of(k), group.name) for k, group in enumerate(one.program.groups)],
        busiest=_busiest(of),
        over=tables.over_table(of),
        search=tables.search_table(of),
        searched_by=tables.search_sentence(of),
        groups=tables.group_table(of),
        per_chip=tables.chip_table(of),
        listed=tables.core_table_of(of, listed, what),
        crossings=tables.crossing_table(of),
        limits=_limits(of),
        command=command,
    )


def mesh_css() -> Markup:
    """How marks look, and a rule for each colour class: `--c` is the colour, `--o` how opaque, times `--depth`."""
    rules = [(files("spikeport.commands.mapping") / "mesh.css").read_text(encoding="utf-8")]
    for k in range(COLOURS):
        colour, shade = colour_of(k)
        rules.append(f".{colour_class(k)} {{ --c: var(--{colour}); --o: {shade}; }}")
    return Markup("\n".join(rules))


def colour_of(group: int) -> tuple[str, float]:
    """Name of a group's colour among the page's, and how opaque it is."""
    shade, colour = divmod(group % COLOURS, len(PALETTE))
    return PALETTE[colour], SHADES[shade]


def _busiest(of: Figures) -> str:
    """What full colour stands for where cores or chips are shaded by SOPs."""
    if of.ran is None:
        return ""
    return f"{of.per_step(max(of.done['sops'])):,.1f}"


def _limits(of: Figures) -> list[tuple[str, str, str]]:
    """Resource, limit, and who says so."""
    chip, sources = of.mapped.chip, of.mapped.chip.sources
    fields = {**LIMITS, GROUPS: "neuron_settings_per_core"}
    fields |= {"cores of a chip": "cores_per_chip", "cores of a tile": "cores_per_tile"}
    fields |= {"chips of a system": "chips_per_system"}
    rows = [
        (tables.TITLES.get(name, name), f"{getattr(chip, field):,}", sources[field]) for name, field in fields.items()
    ]
    width, height = chip.mesh
    return [*rows, ("tiles of a chip", f"{width} x {height}", sources["mesh"])]
