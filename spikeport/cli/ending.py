"""How a command ends that is not done: one line on standard error and an exit code."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from spikeport.errors import SpikeportError


class Interrupted(SpikeportError):
    """Ctrl-C, which has no cause to look up, and so no code."""

    exit_code = 130

    def line(self) -> str:
        return self.what


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C as an error like others, before typer has it, whose versions answer in different ways."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted("spikeport", "interrupted") from None


def end(error: SpikeportError) -> NoReturn:
    """One line on standard error; with --json what it is about too, as one line of JSON on standard output."""
    if isinstance(error, Interrupted):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if (bars := sys.modules.get("spikeport.commands.bars")) is not None:
        bars.clear()
    sys.stderr.write(f"{error.line()}\n")
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"error": error.data()}) + "\n")
    sys.exit(error.exit_code)
