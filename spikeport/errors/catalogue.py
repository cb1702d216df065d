"""The catalogue of errors: an entry for each code, read from the docstring of its class.

A docstring has a title, why there is such an error with its usual causes, and paragraphs that begin with `Fix:` and
`Example:`. The example is the line as it is printed, without "error CODE: ".
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from spikeport import errors
from spikeport.errors.base import SpikeportError

FAMILIES = {
    "SP1": "Files and folders",
    "SP2": "Arguments, arrays and recipes",
    "SP3": "Modules to NIR, Programs to modules",
    "SP4": "Graphs to Programs",
    "SP5": "Programs",
    "SP6": "Runs, Lava and boards",
}


@dataclass(frozen=True)
class Entry:
    """What there is to know of a code."""

    code: str
    name: str
    """Of the class in `spikeport.errors`, for `except`."""
    title: str
    why: str
    fix: str
    example: str
    exit_code: int

    def data(self) -> dict[str, Any]:
        return asdict(self)


def _classes() -> Iterator[type[SpikeportError]]:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, SpikeportError) and "code" in vars(value) and value.code:
            yield value


def _entry(cls: type[SpikeportError]) -> Entry:
    title, *rest = [" ".join(text.split()) for text in (cls.__doc__ or "").split("\n\n")]
    said = {"Fix": "", "Example": ""}
    why = []
    for text in rest:
        label, _, tail = text.partition(": ")
        if label in said:
            said[label] = tail
        else:
            why.append(text)
    title = title.removesuffix(".")
    return Entry(cls.code, cls.__name__, title, "\n\n".join(why), said["Fix"], said["Example"], cls.exit_code)


CLASSES = {cls.code: cls for cls in sorted(_classes(), key=lambda cls: cls.code)}
"""By code, in order."""
CATALOGUE = {code: _entry(cls) for code, cls in CLASSES.items()}
"""Every code with its entry, in order."""
