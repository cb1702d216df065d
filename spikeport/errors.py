"""Every error that spikeport raises on purpose.

    SpikeportError
    ├── InputError          (ValueError)    an argument, an array or a recipe is not what was asked for
    │   └── FileError                       a file is missing, truncated, or of another kind
    ├── ProgramError        (ValueError)    integers that no Loihi core can hold
    ├── ExportError         (TypeError)     a module that has no NIR form
    ├── DeployError         (ValueError)    a graph that cannot become a Program
    │   ├── UnsupportedNode                 a NIR node that no pass lowers
    │   ├── PassError                       a pass broke its own contract, or failed on the way
    │   └── RuleError                       the network does not fit the chip; all violations at once
    ├── SimError            (RuntimeError)  a simulation that cannot go on
    │   └── OverflowDetected                a value left its word while the profile forbids it
    ├── TrainingStopped     (RuntimeError)  a signal ended a training run, which can be resumed
    └── WorkerError         (RuntimeError)  the Lava worker hung, crashed, or answered nonsense
        └── LavaMissing                     no interpreter on which Lava can run

The message has one form: `<where>: <what> (<got>) <relation> <limit>; <what to do>`.
Its pieces are attributes, so a caller never parses the text.
"""

from typing import ClassVar, Self


class SpikeportError(Exception):
    """The root; catches everything that spikeport raises on purpose.

    Args:
        where: The file, layer, node or argument at fault.
        what: The quantity or fact at fault.
        got: The value that was found.
        relation: How `got` stands to `limit`, as words: "exceeds", "is not".
        limit: The value that was allowed or expected.
        do: What the user can do about it.
    """

    exit_code: ClassVar[int] = 2
    """What the command line exits with: 1 when the work says no, 2 on bad input."""

    def __init__(
        self,
        where: str,
        what: str,
        *,
        got: object = None,
        relation: str = "",
        limit: object = None,
        do: str = "",
    ) -> None:
        self.where = where
        self.what = what
        self.got = got
        self.relation = relation
        self.limit = limit
        self.do = do
        super().__init__(self._message())

    def inside(self, outer: str) -> Self:
        """The same error, its place within `outer`: context added on the way up."""
        where = f"{outer} ({self.where})"
        return type(self)(where, self.what, got=self.got, relation=self.relation, limit=self.limit, do=self.do)

    def _message(self) -> str:
        text = f"{self.where}: {self.what}"
        if self.got is not None:
            text += f" ({self.got})"
        if self.relation:
            text += f" {self.relation}"
        if self.limit is not None:
            text += f" {self.limit}"
        if self.do:
            text += f"; {self.do}"
        return " ".join(text.split())


class InputError(SpikeportError, ValueError):
    """An argument, an array or a recipe is not what was asked for."""


class FileError(InputError):
    """A file is missing, truncated, or of another kind."""


class ProgramError(SpikeportError, ValueError):
    """Integers that no Loihi core can hold."""


class ExportError(SpikeportError, TypeError):
    """A module that has no NIR form."""


class DeployError(SpikeportError, ValueError):
    """A graph that cannot become a Program."""


class UnsupportedNode(DeployError):
    """A NIR node that no pass lowers; `got` is its type."""


class PassError(DeployError):
    """A pass broke its own contract; `got` names the passes that ran before it."""


class RuleError(DeployError):
    """The network does not fit the chip; `got` lists every violated rule."""

    exit_code = 1


class SimError(SpikeportError, RuntimeError):
    """A simulation that cannot go on."""

    exit_code = 1


class OverflowDetected(SimError):
    """A value left its word while the arithmetic profile forbids it."""


class TrainingStopped(SpikeportError, RuntimeError):
    """A signal ended a training run, which can be resumed."""

    exit_code = 130


class WorkerError(SpikeportError, RuntimeError):
    """The Lava worker hung, crashed, or answered nonsense."""

    exit_code = 1
    said = ""
    """All that it wrote to standard error."""


class LavaMissing(WorkerError):
    """No interpreter on which Lava can run."""

    exit_code = 2
