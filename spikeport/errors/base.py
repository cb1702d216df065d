"""The root of all errors, and the form of their message.

    <where>: <what> (<got>) <relation> <limit>; <what to do>

Its pieces are attributes, so a caller never parses the text.
"""

from typing import Any, ClassVar, Self


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

    code: ClassVar[str] = ""
    """The cause, stable over versions; `spikeport explain CODE` tells more."""
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

    def at(self, where: str) -> Self:
        """The same error at another place."""
        return type(self)(where, self.what, got=self.got, relation=self.relation, limit=self.limit, do=self.do)

    def inside(self, outer: str) -> Self:
        """The same error, its place within `outer`: context added on the way up."""
        return self.at(f"{outer} ({self.where})")

    def line(self) -> str:
        """What a terminal shows: `error SP101: net.nir: no such file`."""
        return f"error {self.code}: {self}" if self.code else f"error: {self}"

    def data(self) -> dict[str, Any]:
        """Code, pieces and message, of what JSON can hold; what is no number is text."""
        got, limit = (x if x is None or type(x) in (bool, int, str) else str(x) for x in (self.got, self.limit))
        pieces = {"where": self.where, "what": self.what, "got": got, "relation": self.relation, "limit": limit}
        return {"code": self.code, **pieces, "do": self.do, "message": str(self)}

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
