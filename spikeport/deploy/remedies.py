"""What would fit: the changed Program is made, and held to all the design rules. What is told here was tried.

A change is of use if what it is meant to mend is gone, and nothing new is broken. Of a change that comes in sizes
the nearest one is sought by bisection. A large network gets as many trials as a small one, so the time is that of
some tens of checks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spikeport.deploy.changes import Change, Key, changes
from spikeport.deploy.rules import RULES, Violation, violations
from spikeport.deploy.rules.base import Design
from spikeport.errors import ProgramError
from spikeport.progress import counted


@dataclass(frozen=True, eq=False)
class Remedy:
    """A change that was tried and is of use, with the design that it leads to."""

    change: str
    mends: tuple[Key, ...]
    """Rules and layers that it mends."""
    left: tuple[Key, ...]
    """Those that stay broken."""
    after: Design
    kind: int
    lost: float
    """Share of the neurons that the design has no more."""

    @property
    def fits(self) -> bool:
        """Whether nothing is left."""
        return not self.left

    @property
    def cores(self) -> int:
        return self.after.cores.cores

    def line(self) -> str:
        """`conv2 with 96 of 128 channels fits: 118 of 120 cores`."""
        room = f"{self.cores} of {self.after.chip.cores_per_chip} cores"
        if self.fits:
            return f"{self.change} fits: {room}"
        mended = ", ".join(dict.fromkeys(rule for rule, _ in self.mends))
        left = ", ".join(dict.fromkeys(rule for rule, _ in self.left))
        return f"{self.change} mends {mended} and leaves {left}: {room}"


@dataclass(frozen=True, eq=False)
class Advice:
    """What would fit, nearest first."""

    remedies: tuple[Remedy, ...]
    together: Remedy | None
    """Several of them at once, where none alone is enough."""
    tried: int
    """How many changed designs were made and checked."""

    def lines(self) -> list[str]:
        found = [remedy.line() for remedy in self.remedies]
        found += [self.together.line()] if self.together else []
        if any(r.fits for r in self.remedies) or self.together:
            return found
        return [*found, f"nothing that was tried makes it fit ({self.tried} changes)"]


def advise(design: Design, broken: Sequence[Violation] | None = None) -> Advice:
    """Tries changes of a design that does not fit.

    Args:
        broken: Its violations, if they are known.
    """
    broken = violations(design) if broken is None else broken
    if not broken:
        return Advice((), None, 0)
    trials = _Trials(design, frozenset((v.id, v.layer) for v in broken))
    tried = counted([*changes(design, broken)], "trying what would fit", "changes")
    found = [(change, trials.nearest(change)) for change in tried]
    useful = sorted(
        ((change, *good) for change, good in found if good is not None),
        key=lambda item: (item[2].kind, item[2].lost),
    )
    remedies = tuple(remedy for _, _, remedy in useful)
    together = None if any(r.fits for r in remedies) else trials.together([(c, s) for c, s, _ in useful])
    return Advice(remedies, together, trials.made)


class _Trials:
    """Makes changed designs, checks them and counts them."""

    def __init__(self, before: Design, broken: frozenset[Key]) -> None:
        self.before = before
        self.broken = broken
        self.made = 0

    def nearest(self, change: Change) -> tuple[int, Remedy] | None:
        """The nearest size of a change that is of use, by bisection; the furthest is tried first."""
        if not change.sizes or (best := self._try(change, change.sizes[-1])) is None:
            return None
        low, high = 0, len(change.sizes) - 1
        while low < high:
            middle = (low + high) // 2
            if (found := self._try(change, change.sizes[middle])) is not None:
                high, best = middle, found
            else:
                low = middle + 1
        return change.sizes[high], best

    def together(self, parts: Iterable[tuple[Change, int]]) -> Remedy | None:
        """One change after the other, each where something is left for it to mend; None if something is left in the
        end.
        """
        design, left, texts, kind = self.before, self.broken, [], 0
        for change, size in parts:
            if not left or not left & change.mends:
                continue
            try:
                after = change.make(design, size)
            except ProgramError:
                continue
            rest = self._left(after, left & change.mends, left)
            if rest is not None:
                design, left, kind = after, rest, max(kind, change.kind)
                texts.append(change.text.format(size=size))
        return None if left else self._remedy(" and ".join(texts), self.broken, left, design, kind)

    def _try(self, change: Change, size: int) -> Remedy | None:
        try:
            after = change.make(self.before, size)
        except ProgramError:  # there is no such Program
            return None
        left = self._left(after, change.mends, self.broken)
        if left is None:
            return None
        return self._remedy(change.text.format(size=size), change.mends, left, after, change.kind)

    def _left(self, after: Design, mends: frozenset[Key], allowed: frozenset[Key]) -> frozenset[Key] | None:
        """What is still broken; None as soon as something is that should not be."""
        self.made += 1
        left = set()
        for rule in RULES:
            for violation in rule.violations(after):
                key = (violation.id, violation.layer)
                if key in mends or key not in allowed:
                    return None
                left.add(key)
        return frozenset(left)

    def _remedy(self, text: str, mends: frozenset[Key], left: frozenset[Key], after: Design, kind: int) -> Remedy:
        before, now = (sum(g.size for g in d.program.groups) for d in (self.before, after))
        return Remedy(text, tuple(sorted(mends)), tuple(sorted(left)), after, kind, 1 - now / before)
