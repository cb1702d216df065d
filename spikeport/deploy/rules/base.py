"""What a design rule is, and what it gives: a `Violation` for each place that breaks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from spikeport.chip import CHIPS, Chip
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.program import Program


@dataclass(frozen=True)
class Violation:
    """One broken rule at one place, with the remedy."""

    id: str
    """The rule's name; `spikeport explain ID` tells more."""
    layer: str
    """The group, connection or input at fault, or "the chip"."""
    value: int
    limit: int
    unit: str
    source: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Design:
    """A Program on a chip, with the cores that it takes; the cores are mapped when a rule first asks."""

    program: Program
    chip: Chip
    mapped: CoreMap | None = None
    """The greedy mapping if None."""

    @cached_property
    def cores(self) -> CoreMap:
        return map_cores(self.program, self.chip) if self.mapped is None else self.mapped


@dataclass(frozen=True)
class Found:
    """What a rule finds at one place; what is None is the rule's own."""

    layer: str
    value: int
    limit: int | None = None
    remedy: str | None = None
    by: str | None = None
    """The field of `Chip` that is exceeded."""


Find = Callable[[Design], Iterator[Found]]


@dataclass(frozen=True)
class Rule:
    """A function that yields what breaks the limit, and what there is to say about it."""

    find: Find
    unit: str
    bounds: tuple[str, ...]
    """Fields of `Chip`; the first is the one that counts unless the finding says otherwise."""
    remedy: str

    @property
    def id(self) -> str:
        return self.find.__name__

    def violations(self, design: Design) -> Iterator[Violation]:
        for found in self.find(design):
            by = found.by or self.bounds[0]
            limit = getattr(design.chip, by) if found.limit is None else found.limit
            remedy = found.remedy or self.remedy
            source = design.chip.sources[by]
            yield Violation(self.id, found.layer, found.value, int(limit), self.unit, source, remedy)

    def paragraph(self) -> str:
        """What it measures and why the chip has the limit: its docstring, in one line."""
        return " ".join((self.find.__doc__ or "").split())

    def limits(self) -> dict[str, dict[str, tuple[int, str]]]:
        """For each chip, each limit with its value and source."""
        return {
            chip.name: {limit: (getattr(chip, limit), chip.sources[limit]) for limit in self.bounds}
            for chip in CHIPS.values()
        }


def rule(*limits: str, unit: str, remedy: str) -> Callable[[Find], Rule]:
    """Makes a rule of a function.

    Args:
        limits: The fields of `Chip` that it holds a Program to.
        unit: Of value and limit.
    """
    return lambda find: Rule(find, unit, limits, remedy)
