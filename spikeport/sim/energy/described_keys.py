"""What each key of a described network may hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from spikeport.errors import FileError

LARGEST = 2**20
"""Of any size; keeps a slip of the pen from costing minutes."""


@dataclass(frozen=True)
class Rule:
    """`read` gives None for what it refuses."""

    limit: str
    read: Callable[[object], Any]


def _whole(least: int) -> Rule:
    def read(value: object) -> int | None:
        return value if type(value) is int and least <= value <= LARGEST else None

    return Rule(f"a whole number from {least} to {LARGEST}", read)


def _whole_pair(least: int) -> Rule:
    one = _whole(least)

    def read(value: object) -> tuple[int, ...] | None:
        pair: list[Any] = value if isinstance(value, list) else [value, value]
        return tuple(pair) if len(pair) == 2 and None not in map(one.read, pair) else None

    return Rule(f"{one.limit}, or two of them", read)


def _shape(value: object) -> tuple[int, ...] | None:
    sizes = value if isinstance(value, list) else []
    return tuple(sizes) if 1 <= len(sizes) <= 4 and None not in map(_whole(1).read, sizes) else None


def _number(most: float) -> Callable[[object], Fraction | None]:
    def read(value: object) -> Fraction | None:
        inside = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
        return Fraction(repr(value)) if inside else None  # the decimal that was written, not its float

    return read


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _one_of(*names: str) -> Rule:
    return Rule(f"one of {', '.join(names)}", lambda value: value if value in names else None)


RULES: Mapping[str, Rule] = {
    "name": Rule("text", _text),
    "note": Rule("text", _text),
    "input": _one_of("still", "moving"),
    "fed": _one_of("analog", "spikes", "graded"),
    "bias": Rule("true or false", lambda value: value if isinstance(value, bool) else None),
    "rate": Rule("a number from 0 to 1", _number(1.0)),
    "sops": Rule("a number from 0 on", _number(1e18)),
    "in": Rule("a list of one to four sizes", _shape),
    "shape": Rule("a list of one to four sizes", _shape),
    **dict.fromkeys(("steps", "out_channels", "groups", "in_features", "out_features"), _whole(1)),
    **dict.fromkeys(("kernel", "stride", "dilation"), _whole_pair(1)),
    **dict.fromkeys(("padding", "output_padding"), _whole_pair(0)),
}
"""One meaning for each key, whatever the layer."""


def read_key(where: str, key: str, value: object) -> Any:
    """The value as its dataclass wants it; FileError if it is of another kind or out of range."""
    rule = RULES[key]
    read = rule.read(value)
    if read is None:
        raise FileError(where, key, got=repr(value), relation="is not", limit=rule.limit)
    return read
