"""Which class an output names: its values become one number per class and step, these one number per class."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError, UnknownName, WrongShape
from spikeport.fixed import Ints

Decide = Literal["mean", "max", "last"]
"""What a class's values over time come to. `mean`: the average, and so the number of spikes for spikes; `max`: the
greatest (norse's examples, snnTorch's `ce_max_membrane_loss`); `last`: that of the last step, what an integrator
without leak has gathered by then. The steps are those of the input."""
DECISIONS: tuple[Decide, ...] = get_args(Decide)


@dataclass(frozen=True, eq=False)
class Tally:
    """What the values of some steps come to for each class, `(B, classes)`; they are added up in each block first."""

    steps: int
    total: Ints
    most: Ints
    last: Ints

    def then(self, later: "Tally") -> "Tally":
        """Of both parts of a run, one after the other."""
        if not (self.steps and later.steps):
            return self if self.steps else later
        total, most = self.total + later.total, np.maximum(self.most, later.most)
        return Tally(self.steps + later.steps, total, most, later.last)

    def winners(self, how: Decide = "mean") -> NDArray[np.int64]:
        """The class with the largest number, `(B,)`; the lowest class wins a tie.

        Raises:
            InputError: no such way to decide, or no step to decide from.
        """
        if how not in DECISIONS:
            raise UnknownName("decide", "name", got=how, relation="is not one of", limit=", ".join(DECISIONS))
        if not self.steps:
            raise InputError("decide", "steps of the output", got=0, relation="are not above", limit=0)
        # the mean is the total over one number of steps for all classes
        return {"mean": self.total, "max": self.most, "last": self.last}[how].argmax(axis=1)


def tally(values: NDArray[Any], classes: int) -> Tally:
    """
    Args:
        values: Of one output, integers `(T, B, *shape)`; neurons stand for the classes in equal blocks.
    """
    steps, batch = values.shape[:2]
    n = int(np.prod(values.shape[2:]))
    if classes < 1 or n % classes:
        raise WrongShape("vote", "output neurons", got=n, relation="do not divide by classes", limit=classes)
    by_class = values.reshape(steps, batch, classes, n // classes).sum(axis=3, dtype=np.int64)
    if not steps:
        none = np.zeros((batch, classes), np.int64)
        return Tally(0, none, none, none)
    return Tally(steps, by_class.sum(axis=0), by_class.max(axis=0), by_class[-1])


def decide(values: NDArray[Any], classes: int, how: Decide = "mean") -> NDArray[np.int64]:
    """The class that an output names for each sample, `(B,)`; the lowest class wins a tie.

    Args:
        values: Of one output, integers `(T, B, *shape)`, as `Result.outputs` has them.
        classes: How many; each has an equal block of the neurons.
        how: By the mean over the steps, which of spikes is their number, by the largest value, or by the last step's.

    Raises:
        InputError: the neurons do not divide by the classes, no such way to decide, or no step to decide from.
    """
    return tally(values, classes).winners(how)
