"""Design rules: what would stop a Program on a chip, every violation at once.

One file for each family; a rule is a function, and its name is its id.
"""

from spikeport.chip import Chip, chip_named
from spikeport.deploy.rules.base import Design as Design
from spikeport.deploy.rules.base import Rule as Rule
from spikeport.deploy.rules.base import Violation as Violation
from spikeport.deploy.rules.fan import FAN
from spikeport.deploy.rules.memory import MEMORY
from spikeport.deploy.rules.occupancy import OCCUPANCY
from spikeport.deploy.rules.representability import REPRESENTABILITY
from spikeport.errors import WrongType
from spikeport.program import Program

RULES: tuple[Rule, ...] = (*REPRESENTABILITY, *OCCUPANCY, *FAN, *MEMORY)


def check(program: Program, chip: Chip | str | None = None) -> list[Violation]:
    """Everything about the Program that the chip cannot hold, with the limit's source; empty if it fits.

    Args:
        program: As it would be loaded onto one chip.
        chip: The one that it was compiled for if None.
    """
    return violations(design(program, chip))


def design(program: Program, chip: Chip | str | None = None) -> Design:
    """The Program on that chip, with its cores."""
    if not isinstance(program, Program):
        do = "load_program(path) reads one, compile_graph(graph) makes one"
        raise WrongType("check", "program", got=type(program).__name__, relation="is not", limit="a Program", do=do)
    return Design(program, chip if isinstance(chip, Chip) else chip_named(chip or program.chip))


def violations(design: Design) -> list[Violation]:
    return [violation for rule in RULES for violation in rule.violations(design)]
