"""What `spikeport conformance` asks of a part, and what a part yields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from spikeport.sim.convention import Convention, InputConvention


@dataclass(frozen=True)
class Setup:
    """What the command was asked for."""

    wheel: Path | None = None
    """A copy of lava-dl's wheel; fetched if None."""
    quick: bool = False
    """Leave out the later steps of long recordings, and most random Programs."""
    only: tuple[str, ...] = ()
    """Names of the parts that run; all if empty."""
    tell: Callable[[str], None] = lambda text: None
    """Called with what is being done."""


@dataclass(frozen=True)
class Row:
    """One comparison, with `==` on every value."""

    what: str
    against: str
    values: int
    differing: int
    conventions: tuple[Convention | InputConvention, ...] = ()
    """Applied to our trace before comparing, or to the recorded input before running."""
    run: str = ""
    """How the network was run, where the recording does not say it."""
    missing: str = ""
    """Why nothing was compared, if nothing was."""
    detail: str = ""
    """What else was counted."""


Part: TypeAlias = Callable[[Setup], Iterator[Row]]
