"""A run that is small enough to be counted by hand."""

import numpy as np

from spikeport.chip import LOIHI1
from spikeport.cores import Cores, Cut, flat
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.sim.counting import CoreActivity, Counts, count_cores, count_operations
from spikeport.sim.result import Result

HOST_MACS = 16 * 9  # per pass: 16 outputs, 9 taps
ANN_MACS = 16 * 9 + 2 * 16
SPIKES = 7  # of group a in two samples; each reaches both neurons of b


def hand_program() -> Program:
    """A 3x3 conv with padding on 1x4x4 on the host, then 16 -> 2 dense."""
    groups = tuple(LIF(n, s, 0, 0, 1, np.zeros(s, np.int64)) for n, s in (("a", (1, 4, 4)), ("b", (2,))))
    encoder = Encoder(Conv("x", "a", np.ones((1, 1, 3, 3), np.int64), padding=(1, 1)), np.zeros((1, 4, 4), np.int64))
    dense = Dense("a", "b", np.ones((2, 16), np.int64))
    return Program(groups, (dense,), (Input("x", (1, 4, 4), "bias", 0, 9),), (Output("o", "b"),), (encoder,), 1)


def hand_result(moving: bool = False) -> Result:
    """2 steps, 2 samples: 5 spikes of the first sample, 2 of the second, one answer of b to the first."""
    sent = {"x": np.ones((3, 2, 16), np.int64), "a": np.zeros((3, 2, 16), np.uint8), "b": np.zeros((3, 2, 2), np.uint8)}
    sent["a"][0, 0, :5] = 1
    sent["a"][1, 1, :2] = 1
    sent["b"][1, 0, 0] = 1
    sent["x"][1] += moving
    return Result(sent["b"][1:], 1, {}, sent)


def hand_counts(moving: bool = False) -> Counts:
    return count_operations(hand_program(), hand_result(moving))


def hand_activity() -> CoreActivity:
    """Group a on two cores of one tile, rows 0-1 and 2-3; b on a third core of that tile."""
    cuts = {"a": Cut((1, 4, 4), (1, 2, 4)), "b": flat(2, 2)}
    return count_cores(hand_program(), hand_result(), Cores(LOIHI1, cuts))
