"""The Program that is broken in one way after the other: x, 2 inputs, to g, 3 neurons."""

from typing import Any

import numpy as np

from spikeport.program import LIF, Dense, Input, Output, Program

SPIKES = np.ones((4, 1, 2), np.int64)


def group(**changes: Any) -> LIF:
    return LIF(**{"name": "g", "shape": (3,), "du": 0, "dv": 0, "vth": 1, "bias_mant": np.zeros(3, int), **changes})


def dense(**changes: Any) -> Dense:
    return Dense(**{"source": "x", "target": "g", "weight": np.zeros((3, 2), int), **changes})


def program(**changes: Any) -> Program:
    inputs, outputs = (Input("x", (2,), "spike"),), (Output("y", "g"),)
    return Program(**{"groups": (group(),), "connections": (dense(),), "inputs": inputs, "outputs": outputs, **changes})
