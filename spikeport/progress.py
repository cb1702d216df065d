"""How far long work has come: whoever works says it, whoever wants to know listens.

Nothing is shown here. The command line listens and draws bars; in a library without a listener, saying it is a call.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Task(Protocol):
    """A piece of work that is under way."""

    def advance(self, n: float = 1, info: str = "") -> None:
        """So much more is done; `info` is a figure or a name that goes with it."""


Listener = Callable[[str, float | None, str], AbstractContextManager[Task]]
"""Told what is worked on, how much of it there is (None if nobody knows) and in which unit, a plural."""


class _Unheard:
    def advance(self, n: float = 1, info: str = "") -> None:
        pass


@contextmanager
def _nobody(what: str, total: float | None, unit: str) -> Iterator[Task]:
    yield _Unheard()


_listener: Listener = _nobody


def listen(listener: Listener | None) -> None:
    """From now on this process's work is told to `listener`, in place of the one before; to nobody if None."""
    global _listener
    _listener = listener or _nobody


@contextmanager
def working(what: str, total: float | None = None, unit: str = "") -> Iterator[Task]:
    """Says that work goes on in this block, as "simulating", of `total` units, as "steps"."""
    with _listener(what, total, unit) as task:
        yield task


def counted(items: Collection[T], what: str, unit: str) -> Iterator[T]:
    """The items, each one unit of work that is done when the next is asked for."""
    with working(what, len(items), unit) as task:
        for item in items:
            yield item
            task.advance()
