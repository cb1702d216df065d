"""How others write down what is the same run: named rewritings of our trace, after which values compare with `==`.

A convention is exact and says why it exists. It is never a tolerance.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.sim.result import Trace

REFRACTORY_V = 128


@dataclass(frozen=True)
class Convention:
    """One rewriting of a trace."""

    name: str
    why: str
    apply: Callable[[Trace], Trace]


def _each(trace: Trace, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Trace:
    return Trace({name: change(x) for name, x in trace.state.items()}, change(trace.s))


def _with(trace: Trace, variable: str, values: NDArray[Any]) -> Trace:
    return replace(trace, state={**trace.state, variable: values})


def _one_step_late(x: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([np.zeros_like(x[:1]), x[:-1]])


def _over_64(x: NDArray[Any]) -> NDArray[Any]:
    return x / 64  # a power of two: exact


REFRACTORY_COUNTER = Convention(
    "v = 128 where s",
    "after a spike the chip's register of v holds the refractory counter, where Lava's models hold 0 (lava#282)",
    lambda trace: _with(trace, "v", np.where(trace.s != 0, REFRACTORY_V, trace.v)),
)
ONE_STEP_LATE = Convention(
    "one step late",
    "SLAYER's first layer hands its spikes on one step later than the chip; the first recorded step is empty",
    lambda trace: _each(trace, _one_step_late),
)
U_OVER_64 = Convention(
    "u / 64",
    "SLAYER writes the current in units of the weights, before the chip's shift by 6",
    lambda trace: _with(trace, "u", _over_64(trace.u)),
)


def from_step(first: int) -> Convention:
    """The layer's time: its steps from `first` on, where its first input of a sample arrives."""
    return Convention(
        f"from step {first}",
        "each connection takes one step; SLAYER writes every layer down from its own first step",
        lambda trace: _each(trace, lambda x: x[first - 1 :]),
    )
