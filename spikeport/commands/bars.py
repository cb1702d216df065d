"""What is shown of long work while it goes on: bars on a terminal's standard error, and nothing anywhere else.

A bar has its unit's rate and the time that is left. It appears when its work has taken a moment, and is gone with it.
"""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, Task, TaskID
from rich.table import Column, Table
from rich.text import Text

from spikeport.progress import Task as Told

LATE_S = 0.5
"""Work that is quicker is not shown."""
BAR, SHORT_BAR = 20, 5
"""Columns of a bar; with less room than for the short one there is none."""
CLOCK = len(" 0:00:00 left")
"""What a bar's name leaves free."""
SHORT_TEXT = 6
"""Columns, with fewer than which a text is left out."""


class Bars(Progress):
    """All bars of this process, one below the other."""

    def __init__(self, console: Console, shown: bool) -> None:
        super().__init__(console=console, disable=not shown, transient=True)
        self.bar = BarColumn()

    def get_renderables(self) -> Iterable[RenderableType]:
        """Lines that are never broken: what there is no room for is left out, the time left last."""
        late = [task for task in self.tasks if (task.elapsed or 0.0) > LATE_S]
        if not late:
            return
        width = self.console.width
        names = min(max(len(task.description) for task in late), max(width - CLOCK, 1))
        room = width - names - 1
        told = [far(task, room) for task in late]
        self.bar.bar_width = min(BAR, room - 1 - max(map(len, told)))
        barred = self.bar.bar_width >= SHORT_BAR
        room -= barred * (self.bar.bar_width + 1)
        table = Table.grid(*(Column(no_wrap=True) for _ in range(2 + barred)), padding=(0, 1))
        for task, text in zip(late, told, strict=True):
            bar = [self.bar.render(task)] if barred else []
            info = cut(task.fields["info"], room - len(text) - 2)
            table.add_row(Text(cut(task.description, names)), *bar, Text(f"{text}  {info}".rstrip()))
        yield table


def far(task: Task, room: int) -> str:
    """`1,234/10,000 images  87 images/s  1:41 left`, or as much of it as there is room for.

    Where nobody knows the end, it is the time that it took so far.
    """
    unit, seconds, total = task.fields["unit"], task.elapsed or 0.0, task.total
    speed = (task.completed - task.fields.get("before", 0)) / max(seconds, 1e-3)
    left = clock(seconds) if total is None or not speed else f"{clock((total - task.completed) / speed)} left"
    share = f"{task.completed / total:.0%}" if total else ""
    count, speed_shown = counted(task.completed, total, unit), rate(speed, unit)
    forms = ((count, speed_shown), (share, speed_shown), (speed_shown,), (share,), ())
    texts = ["  ".join(part for part in (*form, left) if part) for form in forms]
    return next((text for text in texts if len(text) <= room), left)


def cut(text: str, room: int) -> str:
    """Its beginning; nothing, where that would say nothing."""
    if len(text) <= room:
        return text
    return f"{text[: room - 1]}…" if room >= SHORT_TEXT else ""


_bars: Bars | None = None
_open = 0
_lock = threading.RLock()


@contextmanager
def bars() -> Iterator[Bars]:
    """The bars, on the screen until the outermost block ends."""
    global _bars, _open
    with _lock:
        if _bars is None:
            console = errors()
            _bars = Bars(console, sys.stderr.isatty() and not console.is_dumb_terminal)
            _bars.start()
        shown, _open = _bars, _open + 1
    try:
        yield shown
    finally:
        with _lock:
            _open -= 1
            if not _open:
                clear()


def clear() -> None:
    """Takes the bars off the screen, whatever is still open."""
    global _bars, _open
    with _lock:
        shown, _bars, _open = _bars, None, 0
    if shown is not None:
        shown.stop()


@contextmanager
def drawn(what: str, total: float | None, unit: str) -> Iterator[Told]:
    """A `spikeport.progress.Listener`."""
    with bars() as shown:
        task = shown.add_task(what, total=total, unit=unit, info="")
        try:
            yield _Bar(shown, task)
        finally:
            shown.remove_task(task)


class _Bar:
    def __init__(self, shown: Bars, task: TaskID) -> None:
        self.shown, self.task = shown, task

    def advance(self, n: float = 1, info: str = "") -> None:
        if info:
            self.shown.update(self.task, advance=n, info=info)
        else:
            self.shown.update(self.task, advance=n)


def say(text: str) -> None:
    """One line to standard error, for what happens meanwhile; above the bars, if there are any."""
    console = errors() if _bars is None else _bars.console
    console.print(escape(text), soft_wrap=True, highlight=False)


def errors() -> Console:
    """Standard error; a terminal only if it is one, whatever FORCE_COLOR says."""
    return Console(stderr=True, force_terminal=sys.stderr.isatty())


def counted(done: float, total: float | None, unit: str) -> str:
    """`1,234/10,000 images`; nothing where nothing is counted."""
    if total is None and not done:
        return ""
    return f"{done:,.0f}{'' if total is None else f'/{total:,.0f}'} {unit}".rstrip()


def rate(speed: float, unit: str) -> str:
    """`87 images/s`; below one in ten seconds, `23 s each`."""
    if not speed or not unit:
        return ""
    if speed < 0.1:
        return f"{1 / speed:,.0f} s each"
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.2g} {unit}/s"


def clock(seconds: float) -> str:
    """`1:41`, or `2:03:04`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
