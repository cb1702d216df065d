"""The directive `commands`: every command of spikeport with its arguments and options, as the code declares them."""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from typer.main import get_command

from spikeport.cli.app import app as spikeport_app

SPECIAL = re.compile(r"([\\*`|_])")  # what reStructuredText would read as markup


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}


class Commands(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        commands = _leaves("spikeport", get_command(spikeport_app))
        lines = [line for name, command in commands for line in _section(name, command)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Commands that do something, by full name; groups are walked."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for child, inner in command.commands.items():
        if not inner.hidden:
            yield from _leaves(f"{name} {child}", inner)


def _section(name: str, command: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=name)
    yield from (name, "-" * len(name), "", f".. program:: {name}", "")
    yield from _plain(command.help or "").splitlines()
    yield ""
    for param in command.params:
        if record := param.get_help_record(context):  # as --help has it: spelling and kind, what it means
            spelling, told = record
            yield from (f".. option:: {spelling}", "", f"   {_plain(told)}", "")


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)
