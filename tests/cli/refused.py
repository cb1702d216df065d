"""Bad input: files that are no good, and what the command makes of them: exit 2, one line, nothing left behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.cli.command import listing, spikeport
from tests.errors.lines import said

Prepare = Callable[[Path, Path], None]
"""Takes the folder of what the commands made, and lays something bad into the other."""

Case = tuple[tuple[str, ...], Prepare, str]
"""The words of a command, what is prepared for it, and how its line begins; {made} and {here} are the folders."""

DO_WRITE = "; choose a folder that you may write to"
X = np.zeros((3, 2, 1, 8, 8), np.uint8)


def truncated(name: str) -> Prepare:
    return lambda made, folder: void((folder / name).write_bytes((made / name).read_bytes()[:-100]))


def text(name: str, content: str = "hello\n") -> Prepare:
    return lambda made, folder: void((folder / name).write_text(content))


def samples(**arrays: Any) -> Prepare:
    return lambda made, folder: np.savez(folder / "x.npz", **arrays)


def void(_: object) -> None:
    """For calls whose result nobody wants."""


def assert_refused(case: Case, made: Path, here: Path) -> None:
    words, prepare, message = case
    prepare(made, here)
    before = listing(here)
    ran = spikeport(*(word.format(here=here, made=made) for word in words))
    assert ran.code == 2
    assert ran.out == ""
    assert said(ran.err).startswith(message.replace("{here}", str(here)).replace("{made}", str(made)))
    assert ran.err.count("\n") == 1 and ran.err.endswith("\n")
    assert listing(here) == before
