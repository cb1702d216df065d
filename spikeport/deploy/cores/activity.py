"""How busy a Program is, as far as the search for a mapping needs to know: plain numbers, whoever measured them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.program import Program

Floats: TypeAlias = NDArray[np.float64]
Rates: TypeAlias = Floats | float

ASSUMED_RATE = 0.1
"""Spikes of a neuron in a step, where nothing was measured: a figure for comparing blocks, and of no network."""


@dataclass(frozen=True)
class Times:
    """ns of one operation on a core; defaults are those of Davies et al., IEEE Micro 38(1), 2018, table 2.

    Updates, spikes and messages sent follow each other; messages that arrive and operations do, and both go on at once.
    """

    update: float = 5.3
    """Of every neuron, in every step."""
    active: float = 3.1
    """More, of a neuron that received something or spiked."""
    spike: float = 0.0
    message_out: float = 0.0
    message_in: float = 0.0
    sop: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(("dense", "sparse", "conv"), 3.5))
    """By kind of connection."""


@dataclass(frozen=True, eq=False)
class Activity:
    """Means over the steps of a run."""

    rates: Mapping[str, Rates]
    """Of each group, and of each input that sends spikes: spikes in a step, of each neuron `(n,)` or of any."""
    active: Mapping[str, float]
    """The share of a group's neurons that received something or spiked in a step."""
    times: Times = field(default_factory=Times)


def assumed(program: Program, rate: float = ASSUMED_RATE) -> Activity:
    """All neurons alike, and all of them active."""
    nodes = [*(i.name for i in program.inputs if i.kind != "bias"), *(g.name for g in program.groups)]
    return Activity(dict.fromkeys(nodes, rate), {g.name: 1.0 for g in program.groups})
