"""The table of operations against figures by hand."""

from typing import Any

import numpy as np
import pytest

from spikeport.program import LIF, Dense, Encoder, Group, Input, Output, Program, Resonator, SigmaDelta
from spikeport.sim.counting import count_operations
from spikeport.sim.counting.neuron_ops import NeuronOps, ops_per_spike, ops_per_update
from spikeport.sim.result import Result


def lif(du: int = 4095, dv: int = 0, bias: int = 0, **more: Any) -> LIF:
    return LIF("g", (3,), du, dv, 9, np.full(3, bias), **more)


def sigma_delta(stage: Any, **more: Any) -> SigmaDelta:
    return SigmaDelta("g", (3,), stage, **more)


@pytest.mark.parametrize(
    ("group", "biased", "update", "spike"),
    [
        (lif(), False, (0, 1, 1), (0, 0, 1)),  # integrate and fire
        (lif(dv=400), False, (1, 1, 1), (0, 0, 1)),  # leaky
        (lif(dv=400), True, (1, 2, 1), (0, 0, 1)),
        (lif(dv=4096), False, (0, 0, 1), (0, 0, 1)),  # no memory at all
        (lif(dv=4096), True, (0, 1, 1), (0, 0, 1)),
        (lif(du=400, dv=400), False, (2, 2, 1), (0, 0, 1)),  # current and voltage
        (lif(du=-1, dv=400), False, (1, 2, 1), (0, 0, 1)),  # a current that stays
        (lif(du=0), False, (1, 2, 1), (0, 0, 1)),  # 4095 of 4096 stay
        (lif(dv=400, reset="subtract"), False, (1, 1, 1), (0, 1, 0)),
        (lif(dv=400, refractory_steps=2), False, (1, 2, 2), (0, 0, 2)),
        (lif(dv=400, vth_low=-9), False, (1, 1, 2), (0, 0, 1)),
        (sigma_delta("delta", vth=1), False, (0, 3, 1), (0, 0, 0)),
        (sigma_delta("delta", vth=1, cum_error=True), False, (0, 4, 1), (0, 0, 1)),
        (sigma_delta("sigma"), False, (0, 1, 0), (0, 0, 0)),
        (sigma_delta("sigma_delta", vth=1), False, (0, 4, 2), (0, 0, 0)),
        (sigma_delta("sigma_delta", vth=1, activation="unit"), True, (0, 5, 1), (0, 0, 0)),
        (Resonator("g", (3,), "rf", 9, 5, 3), False, (4, 4, 3), (0, 0, 0)),
        (Resonator("g", (3,), "rf_izhikevich", 9, 5, 3), False, (4, 4, 1), (0, 0, 2)),
    ],
)
def test_by_hand(group: Group, biased: bool, update: tuple[int, ...], spike: tuple[int, ...]) -> None:
    assert ops_per_update(group, biased) == NeuronOps(*update)
    assert ops_per_spike(group) == NeuronOps(*spike)


def counted(group: LIF, encoded: bool = False) -> NeuronOps:
    """Of 4 steps, 2 samples and 3 neurons, with 5 spikes."""
    synapses = Dense("x", "g", np.full((3, 1), 2))
    encoders = (Encoder(synapses, np.zeros(3, np.int64)),) if encoded else ()
    inputs = (Input("x", (1,), "bias" if encoded else "spike"),)
    program = Program((group,), () if encoded else (synapses,), inputs, (Output("y", "g"),), encoders, latency=1)
    sent = {"x": np.zeros((5, 2, 1), np.uint8), "g": np.zeros((5, 2, 3), np.uint8)}
    sent["g"][1:, :, 0] = 1
    sent["g"][1:4, 1, 0] = 0
    return count_operations(program, Result(sent["g"][1:], 1, {}, sent)).ops


def test_a_bias_is_added_where_any_neuron_has_one_or_the_host_loads_it() -> None:
    some = LIF("g", (3,), 4095, 400, 9, np.array([0, 0, 1]))
    assert counted(lif(dv=400)) == NeuronOps(24, 24, 24 + 5)
    assert counted(some) == NeuronOps(24, 48, 24 + 5)
    assert counted(lif(dv=400), encoded=True).add == 48
