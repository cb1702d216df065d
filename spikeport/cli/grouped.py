"""The commands as a group: `--help` with headings, for typer draws them with rich alone, which takes time to import;
and one line for Ctrl-C and for words that are no command."""

from typing import Any

from typer.core import TyperGroup

from spikeport.cli.ending import interruptible
from spikeport.cli.usage import Misread, Read, unknown


class Grouped(Read, TyperGroup):
    """Commands stand under the `rich_help_panel` that they were added with."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except Misread:
            more = f"'{ctx.command_path} --help' lists all"
            raise unknown(ctx.command_path, "command", args[0], self.list_commands(ctx), more) from None

    @interruptible()
    def make_context(self, *words: Any, **extra: Any) -> Any:
        return super().make_context(*words, **extra)

    @interruptible()
    def invoke(self, ctx: Any) -> Any:
        return super().invoke(ctx)

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
