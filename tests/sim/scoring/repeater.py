"""A network whose every answer and operation can be told from its input: each neuron repeats one input."""

import numpy as np
from numpy.typing import NDArray

from spikeport.program import LIF, Dense, Input, Output, Program

N, CLASSES, STEPS = 6, 3, 5


def repeater(classes: int = CLASSES) -> Program:
    """Neuron i spikes one step after input i; two neurons stand for each class."""
    group = LIF("g", (N,), 4095, 4096, 10, np.zeros(N, int))
    return Program(
        (group,), (Dense("x", "g", 254 * np.eye(N, dtype=int)),), (Input("x", (N,), "spike"),),
        (Output("y", "g", classes),), latency=1,
    )  # fmt: skip


def samples(rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Spikes `(T, B, N)` and labels; what neighbours answer differs."""
    return (rng.random((STEPS, count, N)) < 0.4).astype(np.uint8), rng.integers(0, CLASSES, count)


def answers(x: NDArray[np.uint8]) -> list[int]:
    """The class with the most spikes of each sample, the lowest of equal ones, in plain Python."""
    found = []
    for b in range(x.shape[1]):
        sums = [sum(int(x[t, b, 2 * c + k]) for t in range(len(x)) for k in range(2)) for c in range(CLASSES)]
        found.append(sums.index(max(sums)))
    return found
