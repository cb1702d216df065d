"""One population with what enters it, to be rounded."""

from typing import Any

import numpy as np

from spikeport.deploy.maps.base import Dense
from spikeport.deploy.network import Population, Projection
from tests.deploy.graphs import population

WEIGHT, V_STEP = 1 / 64, 1 / 4096  # what mantissa 1 and one step of v are worth on Lava's grid


def threshold(vth: int) -> float:
    """On Lava's grid."""
    return (64 * vth + 0.5) * V_STEP


def one(*weights: Any, bias: Any = 0.0, **values: Any) -> tuple[Population, list[Projection]]:
    """A population `here` with a Dense for each of the weights, which may have any shape."""
    size = np.atleast_1d(np.asarray(bias)).shape
    into = [Projection(f"in{k}", "here", Dense(np.atleast_2d(np.array(w, float)))) for k, w in enumerate(weights)]
    return population("here", *size, bias=bias, **values), into
