"""Which neurons are on which core, and how full and how busy the cores are."""

from spikeport.commands.answer import Table
from spikeport.commands.mapping.busiest import sentences
from spikeport.commands.mapping.mesh import chip_svg, letter_of, system_svg
from spikeport.commands.mapping.page import colour_of
from spikeport.commands.mapping.records import Figures
from spikeport.commands.mapping.tables import crossing_table, group_table, headline, over_table
from spikeport.commands.report.blocks import Beside, Block, Grid, Picture, Section, Words

NAME, TITLE = "mapping", "Mapping to cores"
CHIPS = 4
"""As many are drawn core by core; of more, the one with the busiest or fullest core, and all as marks."""
KEYS = 24


def mapping(of: Figures) -> Section:
    first, *more = headline(of)
    blocks: list[Block] = [Words(first, "banner" if of.mapped.over else "result"), *(Words(line) for line in more)]
    if of.mapped.over:
        blocks.append(_grid("What is over", over_table(of), ("layer", "unit"), ("remedy",)))
    large = len(of.chips) > CHIPS
    core = of.busiest(1)[0] if of.ran else int(of.mapped.table.fullest(1)[0])
    chips = [of.chip_of[core]] if large else of.chips
    pictures = [_system(of)] * large + [_chip(of, chip) for chip in chips]
    pictures[-1] = _with_keys(pictures[-1], of)
    hint = (
        "A square is a core and a frame a tile, whose cores share a router; hollow squares are free, letters are those "
        "of the layers below, + is a core with several."
    )
    blocks += [Words(hint, "hint"), Beside(pictures) if len(pictures) > 1 else pictures[0]]
    blocks += [Words(sentence) for sentence in sentences(of)]
    blocks.append(_grid("Utilization: of each resource the most that one of a layer's cores needs", group_table(of),
                        ("group", "limited by", "chips")))  # fmt: skip
    crossings = crossing_table(of)
    if crossings.rows:
        blocks.append(_grid(crossings.title[0].upper() + crossings.title[1:], crossings, ("from", "to")))
    return Section(NAME, TITLE, blocks)


def _grid(caption: str, table: Table, names: tuple[str, ...], words: tuple[str, ...] = ()) -> Grid:
    return Grid(caption, table.columns, table.rows, names=names, words=words)


def _chip(of: Figures, chip: int) -> Picture:
    text = f"Chip {chip}: {len(of.of_chip[chip]):,} of {of.mapped.chip.cores_per_chip} cores"
    return Picture(chip_svg(of, chip), text, text, f"{text}.", width="mesh")


def _system(of: Figures) -> Picture:
    text = f"{len(of.chips):,} chips, each in the colours of the layers that are on most of its cores"
    return Picture(system_svg(of), text, text, f"{text}.", width="mesh")


def _with_keys(picture: Picture, of: Figures) -> Picture:
    """The last picture has the key of all."""
    keys = []
    for place, group in enumerate(of.mapped.program.groups[:KEYS]):
        colour, shade = colour_of(place)
        keys.append(
            (
                f"{letter_of(place)} {group.name}",
                f"color-mix(in srgb, var(--{colour}) calc({shade:.0%} * var(--depth)), transparent)",
            )
        )
    more = len(of.mapped.program.groups) - KEYS
    caption = picture.caption + (f" And {more:,} more layers, as the table has them." if more > 0 else "")
    return Picture(picture.drawn, picture.title, picture.described, caption, keys, picture.width)
