"""How many threads this process may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from spikeport.errors import InputError

VARIABLE = "SPIKEPORT_THREADS"
"""In the environment: the number, where many processes share a host."""


def cores() -> int:
    """On which this process may run: all of the host's, or those that a scheduler has bound it to."""
    bound = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(bound(0)) if bound else os.cpu_count() or 1


def threads() -> int:
    """What `SPIKEPORT_THREADS` says, or else `cores`.

    Raises:
        InputError: it is set, and not to a whole number above 0.
    """
    said = os.environ.get(VARIABLE)
    if said is None:
        return cores()
    if not said.isdecimal() or not int(said):
        raise InputError("environment", VARIABLE, got=said, relation="is not", limit="a whole number above 0")
    return int(said)


@contextmanager
def limited(number: int | None) -> Iterator[None]:
    """Lets this process, and those that it starts, use so many threads each; None changes nothing."""
    before = os.environ.get(VARIABLE)
    if number is not None:
        os.environ[VARIABLE] = str(number)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        if before is not None:
            os.environ[VARIABLE] = before
