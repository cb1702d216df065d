"""The contract of a pass: functional, checked before and after, named when it fails."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from spikeport.deploy.options import Options

Before = TypeVar("Before")
After = TypeVar("After")


class AbstractPass(ABC, Generic[Before, After]):
    """Takes one stage, gives the next; never changes what it was given.

    `requires` raises DeployError for what the user can mend, `ensures` PassError for what we broke.
    """

    name: ClassVar[str]

    def requires(self, before: Before, options: Options) -> None:
        """Raises DeployError if the pass cannot take this stage."""
        return None

    @abstractmethod
    def run(self, before: Before, options: Options) -> After:
        """The next stage."""

    def ensures(self, after: After, options: Options) -> None:
        """Raises PassError if the result is not what the pass promises."""
        return None
