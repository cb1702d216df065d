"""All that a report can show; what is not known is None or empty, and its section says what to give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spikeport.commands.compiling.gap import Gap
from spikeport.commands.mapping.records import Figures
from spikeport.commands.report.blocks import Block, Section, Stage
from spikeport.commands.report.observed import Observed
from spikeport.commands.report.pictures import Painted
from spikeport.program import Program
from spikeport.sim.energy import Energy


@dataclass(frozen=True)
class Compared:
    """The simulator beside something else that ran the same Program on the same samples."""

    against: str
    what: str
    """Which values were compared."""
    values: int = 0
    differing: int = 0
    missing: str = ""
    """Why nothing was compared."""
    first: str = ""
    """The first difference."""

    @property
    def said(self) -> str:
        if not self.values:
            return f"not compared: {self.missing}"
        return f"{self.differing:,} of {self.values:,} values differ"


@dataclass(frozen=True, eq=False)
class Known:
    """Of one Program or run."""

    subject: str
    """The path that was given."""
    title: str
    lede: str = ""
    program: Program | None = None
    stages: Sequence[Stage] = ()
    mapping: Figures | None = None
    ran: Observed | None = None
    gap: Gap | None = None
    no_gap: str = ""
    """Why there is none."""
    facts: Sequence[tuple[str, str, str]] = ()
    """Quantity, value and note of what is known beside the Program: a training run's accuracies."""
    compared: Sequence[Compared] = ()
    energies: Sequence[Energy] = ()
    """The first is drawn."""
    priced: Sequence[Block] = ()
    """What else is known of its energy."""
    phases: Mapping[str, "Known"] = field(default_factory=dict)
    """The Programs of an autoencoder by name; `program` and what follows from it are theirs."""
    painted: Painted | None = None
    """What an autoencoder makes of pictures; None: it is none."""
    training: Sequence[Section] = ()
    warnings: Sequence[str] = ()
    no_program: str = ""
    """Why there is none, and what to do."""
    command: str = ""
    """That makes the page again."""
    commands: Sequence[Sequence[object]] = ()
    """For its parts, as words."""


def number(count: int, what: str) -> str:
    """`1 sample`, `2 samples`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def share(part: int, whole: int) -> str:
    return f"{part / whole:.2%} ({part:,} of {whole:,})"
