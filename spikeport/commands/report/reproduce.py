"""The commands that make this page, and its parts, again."""

import shlex
from collections.abc import Sequence

from spikeport.commands.report.blocks import Block, Code, Section, Words

NAME, TITLE = "reproduce", "Reproduce this"


def reproduce(command: str, more: Sequence[Sequence[object]] = ()) -> Section:
    """
    Args:
        command: That made the page; empty if it was not recorded.
        more: Commands for parts of it, as words.
    """
    blocks: list[Block] = [Code(command) if command else Words("The command behind this page was not recorded.")]
    if more:
        blocks.append(Words("Its parts one by one, in the terminal:", "hint"))
        blocks.append(Code("\n".join(shlex.join(map(str, words)) for words in more)))
    return Section(NAME, TITLE, blocks)
