"""What is wrong with the words of a command line: one line with a code, as of any error, and the nearest name.

typer says it in several lines, in words that change with its version.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperCommand

from spikeport.errors import UsageInvalid

Misread: type[Any] = typer.BadParameter.__mro__[1]
"""The parser's own error, which typer has no public name for; those of options and values are kinds of it."""
KINDS = {"valid integer": "an integer", "valid float": "a number", "valid number": "a number"}


class Read:
    """Before a command or a group among the bases: its words are read, or one line says why not."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        given = list(args)
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except Misread as error:
            raise misread(error, ctx, given) from None


class Command(Read, TyperCommand):
    """A command of ours."""


def misread(error: Any, ctx: Any, given: Sequence[str]) -> UsageInvalid:
    """The parser's error in our words.

    Args:
        error: What the parser raised.
        ctx: The context of the command that was being read.
        given: The words that it was given.
    """
    where, more = ctx.command_path, f"'{ctx.command_path} --help' tells all"
    if option := getattr(error, "option_name", ""):
        if "requires" in error.message:
            return UsageInvalid(where, f"option {option}", relation="needs a value", do=more)
        if "not take" in error.message:
            return UsageInvalid(where, f"option {option}", relation="takes no value", do=more)
        return unknown(where, "option", _whole(option, given), _options(ctx.command), more)
    if (param := getattr(error, "param", None)) is None:
        return _unread(error, where, more)
    kind, name = (
        param.param_type_name,
        param.metavar if param.param_type_name == "argument" else max(param.opts, key=len),
    )
    if type(error).__name__ == "MissingParameter":
        return UsageInvalid(where, f"{kind} {name}", relation="is missing", do=more)
    got = _value(ctx, param, given)
    return UsageInvalid(where, name, got=got, relation="is not", **_expected(error.message, got, more))


def unknown(where: str, kind: str, name: str, names: Iterable[str], more: str) -> UsageInvalid:
    """Of a name that is none, with those that are nearest."""
    return UsageInvalid(where, kind, got=name, relation="is not known", do=_meant(name, names) + more)


def _unread(error: Any, where: str, more: str) -> UsageInvalid:
    """What has neither option nor parameter: words that are left over, or what a later typer may find."""
    message = error.format_message()
    if extra := re.search(r"unexpected extra arguments?(?:\(s\))? \((.*)\)", message):
        return UsageInvalid(where, "arguments", got=extra[1], relation="are too many", do=more)
    return UsageInvalid(where, message.rstrip("."), do=more)


def _expected(message: str, got: str, more: str) -> dict[str, str]:
    """`limit` and `do` for a value that is not taken."""
    if choices := re.search(r"is not one of (.*?)\.?$", message):
        names = re.findall(r"'([^']*)'", choices[1])
        return {"limit": f"one of {', '.join(names)}", "do": _meant(got, names) + more}
    for words, kind in KINDS.items():
        if words in message:
            return {"limit": kind, "do": more}
    asked = re.search(r"(?:should be|is not) (.*?)\.?$", message)
    return {"limit": asked[1] if asked else f"taken: {message}", "do": more}


def _meant(name: str, names: Iterable[str]) -> str:
    bare = {known.lstrip("-"): known for known in names}  # dashes are no likeness
    nearest = [bare[near] for near in get_close_matches(name.lower().lstrip("-"), bare, n=2)]
    return f"did you mean {' or '.join(nearest)}? " if nearest else ""


def _options(command: Any) -> list[str]:
    return [name for param in command.params for name in (*param.opts, *param.secondary_opts) if name.startswith("--")]


def _whole(option: str, given: Sequence[str]) -> str:
    """The word that it stands in: of `-input` the parser only tells `-i`."""
    return next((word for word in given if word.startswith(option) and not word.startswith("--")), option)


def _value(ctx: Any, param: Any, given: Sequence[str]) -> str:
    """What the parameter was given, as it was typed."""
    values, _, _ = ctx.command.make_parser(ctx).parse_args(list(given))
    value = values.get(param.name)
    return value if isinstance(value, str) else ", ".join(map(str, value or ()))
