"""`Events`: what neurons send as a list of addresses, and the same as an array."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import EventInvalid
from spikeport.fixed import Ints
from spikeport.program import Input


@dataclass(frozen=True, eq=False)
class Events:
    """Address events of one input, or of one output, over some steps; in any order, each address once.

    Raises:
        InputError: no step, lists that are no integers or not equally long, or an address that is listed twice.
    """

    steps: int
    """How many steps they span; at least 1 where they are pushed."""
    step: Ints
    """`(k,)` in [0, steps): counted from the first of these steps."""
    index: Ints
    """`(k,)` the neuron, in the row-major order of the shape."""
    sample: Ints | None = None
    """`(k,)` of the batch; all of sample 0 if None."""
    value: Ints | None = None
    """`(k,)` payloads of a graded input, values of a bias input, v of an output that reads it; all 1 if None."""

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int | np.integer) or self.steps < 0:
            raise EventInvalid("events", "steps", got=self.steps, relation="is not a number of at least", limit=0)
        step = _listed("step", self.step)
        for name, fill in (("step", 0), ("index", 0), ("sample", 0), ("value", 1)):
            x = getattr(self, name)
            x = np.full(len(step), fill, np.int64) if x is None else _listed(name, x)
            if len(x) != len(step):
                raise EventInvalid("events", f"number of {name}", got=len(x), relation="is not", limit=len(step))
            object.__setattr__(self, name, x)
        _check_range("events", "step", step, 0, self.steps - 1)

    def __len__(self) -> int:
        return len(self.step)

    @property
    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Step, sample, index, value."""
        assert self.sample is not None and self.value is not None  # filled in when made
        return self.step, self.sample, self.index, self.value

    def to_array(self, entry: Input, batch: int) -> NDArray[np.integer]:
        """`(steps, B, n)` of a spike or graded input, 0 where nothing is sent.

        Raises:
            InputError: an address that the input does not have, or that is listed twice.
        """
        at, value = self._places(entry, batch), self.columns[3]
        byte = entry.kind == "spike" and _fits_byte(value)
        x: NDArray[np.integer] = np.zeros(self.steps * batch * entry.size, np.uint8 if byte else np.int64)
        x[at] = value
        return x.reshape(self.steps, batch, entry.size)

    def over(self, entry: Input, held: Ints) -> Ints:
        """`(steps, B, n)` of a bias input: each value stays until the next.

        Args:
            held: `(B, n)` before the first step.
        """
        at, value = self._places(entry, len(held)), self.columns[3]
        order = np.argsort(at)  # step by step
        at, value = at[order], value[order]
        edges = np.searchsorted(at, np.arange(self.steps + 1) * held.size)
        x = np.empty((self.steps, held.size), np.int64)
        frame = held.reshape(-1).copy()
        for step, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
            frame[at[low:high] - step * held.size] = value[low:high]
            x[step] = frame
        return x.reshape(self.steps, *held.shape)

    def _places(self, entry: Input, batch: int) -> Ints:
        """`(k,)` of each event in the array, flat."""
        where = f"input {entry.name}"
        step, sample, index, _ = self.columns
        _check_range(where, "sample of an event", sample, 0, batch - 1)
        _check_range(where, "index of an event", index, 0, entry.size - 1)
        at = (step * batch + sample) * entry.size + index
        ordered = np.sort(at)
        if (ordered[1:] == ordered[:-1]).any():
            do = "put the events of one address and step together"
            raise EventInvalid(where, "step, sample and index of two events", relation="are", limit="the same", do=do)
        return at


def events_of(x: NDArray[np.integer]) -> Events:
    """What is not 0 in `(steps, B, *shape)`, in the order of steps, samples and neurons."""
    flat = x.reshape(*x.shape[:2], prod(x.shape[2:]))
    step, sample, index = np.nonzero(flat)
    return Events(len(flat), step, index, sample, flat[step, sample, index].astype(np.int64))


def _listed(name: str, x: Ints) -> Ints:
    x = np.asarray(x)
    if x.ndim != 1 or (x.size and x.dtype.kind not in "iu"):
        got = f"{x.dtype}, {x.ndim} axes"
        raise EventInvalid("events", name, got=got, relation="is not", limit="a list of integers")
    return x.astype(np.int64)


def _fits_byte(x: Ints) -> bool:
    return not x.size or (int(x.min()) >= 0 and int(x.max()) <= 255)


def _check_range(where: str, what: str, x: Ints, low: int, high: int) -> None:
    if x.size and (x.min() < low or x.max() > high):
        worst = x.min() if x.min() < low else x.max()
        raise EventInvalid(where, what, got=int(worst), relation="is not in", limit=f"[{low}, {high}]")
