"""How others write down what is the same run: named rewritings of our trace, after which values compare with `==`.

What is fed where a recording's own input is not written down as it was is a rewriting of that input.

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


@dataclass(frozen=True)
class InputConvention:
    """One rewriting of a recorded input `(T, *shape)`, before anything runs on it."""

    name: str
    why: str
    apply: Callable[[NDArray[Any]], NDArray[Any]]


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


AT_ONCE = Convention(
    "at once",
    "lava-dl's input neurons hear their source within the step; here a connection takes one, and our first is left out",
    lambda trace: _each(trace, lambda x: x[1:]),
)
COUNTS_ONCE = InputConvention(
    "payloads count once",
    "the release's test_blocks.py gives this layer no message bits, and Lava takes any payload for one spike then",
    lambda x: (x != 0).astype(np.int64),
)


def held(steps: int) -> InputConvention:
    """A recording of one step, for `steps` steps."""
    return InputConvention(
        "held",
        "the one recorded step is a constant input: Lava's source starts over when it has sent all it has",
        lambda x: np.repeat(x[:1], steps, axis=0),
    )


def sine(steps: int) -> InputConvention:
    """A recording of one step becomes `steps` steps of one period."""
    wave = np.sin(2 * np.pi * np.arange(steps) / steps)
    return InputConvention(
        "times a sine",
        f"the release's test_blocks.py takes image * sin(2 pi k / {steps}), without its fractions, as step k",
        lambda x: np.trunc(np.multiply.outer(wave, x[0])).astype(np.int64),
    )


def left(columns: int) -> InputConvention:
    """An image's part `(T, c, h, :columns)`."""
    return InputConvention(
        f"left {columns} columns",
        "the release's test_hdf5_nx.py cuts the input so, because the square network has no more",
        lambda x: x[..., :columns],
    )
