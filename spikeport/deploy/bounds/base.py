"""What is known of a group: the bounds of its quantities, the words they have to fit, and what its sources can send."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.fixed import Ints

CEILING = 1 << 34  # beyond every word: bounds are not followed further
V_WORD = (-fixed.V_MAX, fixed.V_MAX)  # of v, of a resonator's state, and of a sigma-delta neuron's under `strict`


@dataclass(frozen=True, eq=False)
class Bound:
    """One quantity of a group, `(n,)` bounds, before it is put into its word."""

    what: str
    """As `OverflowDetected` names it: `u`, `v`, `re`, `sigma`, `sum of a convolution into u`. What arrives in a step
    (`a`, or `a_re` and `a_im`) has a word only at LIF under `loihi1`, and at stage `delta`, which watches `a << e`;
    `u + bias` is looked at under `loihi1` alone."""
    low: Ints
    high: Ints
    word: tuple[int, int] | None

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Of each neuron."""
        if self.word is None:
            return np.ones(self.low.shape, np.bool_)
        return (self.low >= self.word[0]) & (self.high <= self.word[1])

    @property
    def interval(self) -> tuple[int, int]:
        """Of all neurons together."""
        return int(self.low.min()), int(self.high.max())


@dataclass(frozen=True, eq=False)
class Sent:
    """What each neuron of a source can send, all arrays `(n,)`."""

    low: Ints
    """The least payload of a step, at most 0: silence is possible."""
    high: Ints
    """The greatest, at least 0."""
    total: tuple[Ints, Ints] | None = None
    """Bounds of all payloads since the first step added up, 0 between them; None: they add up without end."""


@dataclass(frozen=True, eq=False)
class GroupBounds:
    """The bounds of one group."""

    group: str
    bounds: tuple[Bound, ...] = ()
    sources: Mapping[str, Sent] = field(default_factory=dict)
    """What the proof takes its sources to send, by name."""

    @property
    def proven(self) -> bool:
        """Whether it cannot overflow."""
        return all(bound.fits.all() for bound in self.bounds)

    def __getitem__(self, what: str) -> Bound:
        return next(bound for bound in self.bounds if bound.what == what)
