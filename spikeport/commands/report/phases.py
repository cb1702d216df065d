"""The same section of several Programs as one: a part for each, under its name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from spikeport.commands.report.blocks import Beside, Block, Facts, Folded, Grid, Part, Picture, Section, Words
from spikeport.page import distinct


def joined(sections: Mapping[str, Section]) -> Section:
    """Of Programs by name; ids, captions and titles say whose they are."""
    first = next(iter(sections.values()))
    same = _shared([section.blocks for section in sections.values()]) if len(sections) > 1 else []
    parts = [
        Part(name.capitalize(), [_named(one, name) for one in section.blocks[len(same) :]])
        for name, section in sections.items()
        if len(section.blocks) > len(same)
    ]
    return Section(first.name, first.title, [*same, *parts])


def _shared(blocks: Sequence[Sequence[Block]]) -> list[Block]:
    """The words that all of them begin with, which are said once."""
    found: list[Block] = []
    for one, *others in zip(*blocks, strict=False):
        if not isinstance(one, Words) or any(one != other for other in others):
            break
        found.append(one)
    return found


def _named(block: Block, name: str) -> Block:
    match block:
        case Picture():
            return replace(block, drawn=distinct(block.drawn, name), title=f"{block.title}, {name}")
        case Grid() | Facts():
            return replace(block, caption=f"{block.caption}, {name}")
        case Beside() | Folded():
            return replace(block, blocks=[_named(one, name) for one in block.blocks])
        case _:
            return block
