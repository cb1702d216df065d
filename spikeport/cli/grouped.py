"""The commands as a group: `--help` with headings, for typer draws them with rich alone, which takes time to import;
and Ctrl-C, which typer's versions answer in different ways."""

from typing import Any

from typer.core import TyperGroup

from spikeport.errors import SpikeportError


class Interrupted(SpikeportError):
    """Ctrl-C, which has no cause to look up, and so no code."""

    exit_code = 130

    def line(self) -> str:
        return self.what


class Grouped(TyperGroup):
    """Commands stand under the `rich_help_panel` that they were added with."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("spikeport", "interrupted") from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = {name: self.commands[name] for name in self.list_commands(ctx)}
        indent = max(len(name) for name in commands)
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in commands.items():
            text = command.get_short_help_str(formatter.width - 6 - indent)
            groups.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(
                (name.ljust(indent), text)
            )
        for heading, rows in groups.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
