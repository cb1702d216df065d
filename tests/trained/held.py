"""Holds a trained net's file against what its framework did: our float interpreter runs it on the same spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.interpreter import interpret
from spikeport.deploy.pipeline import read_as
from spikeport.deploy.read import read_nir
from tests.trained.nets import Trained

CHUNK = 200  # samples at once


@dataclass(frozen=True)
class Held:
    convention: str
    """The preset that the file was run under."""
    accuracy: float
    """Of the interpreter, on all of the test set."""
    classes: int
    """Samples that get another class than in the framework."""
    differ: int
    """Values of the first 64 samples' output that are not the framework's; spikes only."""
    values: int
    deviation: float
    """The largest difference among them; of membranes, too."""


def hold(net: Trained) -> Held:
    """The float interpreter on the net's file, beside the framework."""
    out, convention = float_run(net)
    scores, first = net.scores_of(out), out[:, : net.out.shape[1]]
    gap = np.abs(first - net.out.astype(np.float64))
    classes = int(np.count_nonzero(scores.argmax(1) != net.scores.argmax(1)))
    differ = int(np.count_nonzero(gap)) if net.spiking else 0
    return Held(convention, net.accuracy_of(out), classes, differ, gap.size, float(gap.max()))


def float_run(net: Trained) -> tuple[NDArray[np.float64], str]:
    """What the output gives for the test set, `(T, N, n)`, and the preset it was run under."""
    graph, convention, _ = read_as(read_nir(net.graph), net.convention)
    parts = []
    for start in range(0, net.spikes.shape[1], CHUNK):
        (out,) = interpret(graph, net.spikes[:, start : start + CHUNK], convention).values()
        parts.append(out)
    return np.concatenate(parts, axis=1), convention.name
