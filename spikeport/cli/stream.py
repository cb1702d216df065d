"""`spikeport stream`: a pipe's input and output."""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli.options import OwnProfile, ProgramFile, StateIn

INTERRUPTED = 130


def stream(
    net: ProgramFile,
    profile: OwnProfile = None,
    state_in: StateIn = None,
    state_out: Annotated[
        Path | None,
        typer.Option(
            "--state-out", metavar="S.NPZ", help="Save the session at the end; the next part goes on from it."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON lines.")] = False,
) -> None:
    """Events from standard input, one a line, through a Program; its answers to standard output as they come.

    A line is T INDEX [VALUE [INPUT]]: step, neuron, payload or value, name of the input; or JSON with the keys t,
    index, value, input. T alone says that step T has begun. T never falls; a step is run when a later one begins, and
    the rest at the end, or at Ctrl-C. Answers are T INDEX VALUE [OUTPUT], T the input step that they answer.
    """
    from spikeport.commands.running.stream import stream as command

    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    lines = Interruptible(sys.stdin)
    try:
        command(net, lines, _write, as_json=json, profile=profile, state_in=state_in, state_out=state_out)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # whoever read has had enough; nothing is to be flushed at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if lines.stopped:
        raise typer.Exit(INTERRUPTED)


class Interruptible:
    """Lines up to their end or to Ctrl-C, which is not to tear a step; a second one does not wait."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines, self.stopped, self.waiting = lines, False, False

    def __iter__(self) -> Iterator[str]:
        before = signal.signal(signal.SIGINT, self._heed)
        try:
            lines = iter(self.lines)
            while not self.stopped:
                self.waiting = True
                line = next(lines, None)
                self.waiting = False
                if line is None:
                    return
                yield line
        except KeyboardInterrupt:
            if not self.waiting:
                raise
        finally:
            signal.signal(signal.SIGINT, before)

    def _heed(self, *_: object) -> None:
        again, self.stopped = self.stopped, True
        if self.waiting or again:
            raise KeyboardInterrupt


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
