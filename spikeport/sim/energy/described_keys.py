"""What each key of a described network may hold."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from spikeport.sim.energy.toml_section import Section

LARGEST = 2**20
"""Of any size; keeps a slip of the pen from costing minutes."""
Read: TypeAlias = Callable[[Section, str], Any]
"""The value as its dataclass wants it; FileError if it is of another kind or out of range."""


def _is_size(value: object, least: int) -> bool:
    return type(value) is int and least <= value <= LARGEST


def _size(least: int) -> Read:
    return lambda section, key: section.integer(key, least, LARGEST)


def _pair(least: int) -> Read:
    def read(section: Section, key: str) -> tuple[int, ...]:
        value = section.needed(key)
        pair: list[Any] = value if isinstance(value, list) else [value, value]
        if len(pair) != 2 or not all(_is_size(n, least) for n in pair):
            section.refuse(key, "is not", f"an integer from {least} to {LARGEST}, or two of them")
        return tuple(pair)

    return read


def _shape(section: Section, key: str) -> tuple[int, ...]:
    value = section.needed(key)
    sizes: list[Any] = value if isinstance(value, list) else []
    if not 1 <= len(sizes) <= 4 or not all(_is_size(n, 1) for n in sizes):
        section.refuse(key, "is not", f"a list of one to four sizes from 1 to {LARGEST}")
    return tuple(sizes)


def _number(most: float) -> Read:
    def read(section: Section, key: str) -> Fraction:
        value = section.needed(key)
        if type(value) not in (int, float) or not 0 <= value <= most:
            section.refuse(key, "is not", f"a number from 0 to {most:g}")
        return Fraction(repr(value))  # the decimal that was written, not its float

    return read


def _one_of(*names: str) -> Read:
    return lambda section, key: section.choice(key, names)


def _bool(section: Section, key: str) -> bool:
    value = section.needed(key)
    if not isinstance(value, bool):
        section.refuse(key, "is not", "true or false")
    return bool(value)


READ: Mapping[str, Read] = {
    **dict.fromkeys(("name", "note"), Section.text),
    "input": _one_of("still", "moving"),
    "fed": _one_of("analog", "spikes", "graded"),
    "bias": _bool,
    "rate": _number(1.0),
    "sops": _number(1e18),
    **dict.fromkeys(("in", "shape"), _shape),
    **dict.fromkeys(("steps", "out_channels", "groups", "in_features", "out_features"), _size(1)),
    **dict.fromkeys(("kernel", "stride", "dilation"), _pair(1)),
    **dict.fromkeys(("padding", "output_padding"), _pair(0)),
}
"""One meaning for each key, whatever the layer."""
