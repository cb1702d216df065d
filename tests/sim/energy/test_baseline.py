"""The ANN in three forms, against hand arithmetic."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.program import Dense
from spikeport.sim.counting import count_operations
from spikeport.sim.energy.baseline import activation_bits, baselines, looped, quantized_mac
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.profile import profile_named
from tests.sim.energy.hand import ANN_MACS, hand_counts, hand_program, hand_result

INT8 = profile_named("cmos45-int8")


@pytest.mark.parametrize(("steps", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (16, 5), (100, 7)])
def test_bits_are_the_logarithm_of_the_levels(steps: int, bits: int) -> None:
    """ceil(log2(T + 1)), Yan et al., arXiv:2409.08290."""
    assert activation_bits(steps) == bits


def test_eight_bits_cost_what_eight_bits_cost() -> None:
    assert quantized_mac(INT8, 8).nominal == pytest.approx(0.23)
    assert quantized_mac(INT8, 4).nominal == pytest.approx(0.2 / 2 + 0.03)


def test_three_baselines_the_fair_one_first() -> None:
    snn, ann = Bounds(None, 10.0, None), Bounds(None, 40.0, None)
    dense, repeated, quantized = baselines(hand_counts(), snn, ann, INT8, Bounds(None, 3.0, None))
    assert (dense.name, dense.macs, dense.energy_pj.nominal) == ("dense", ANN_MACS, 40.0)
    assert dense.ratio == Bounds(None, 0.25, None)
    assert (repeated.macs, repeated.energy_pj.nominal) == (2 * ANN_MACS, 80.0)
    assert "not a fair baseline" in repeated.note
    assert quantized.energy_pj.nominal == pytest.approx(ANN_MACS * (0.2 * 2 / 8 + 0.03))
    assert quantized.ratio is not None and quantized.ratio.nominal == pytest.approx(3.0 / (ANN_MACS * 0.08))
    assert "2 bits" in quantized.title


def test_a_network_with_a_loop_is_held_against_an_ann_that_has_it_too() -> None:
    program = hand_program()
    loop = replace(program, connections=(*program.connections, Dense("b", "b", np.ones((2, 2), np.int64))))
    counts = count_operations(loop, hand_result())
    assert looped(counts) == ["b"] and looped(hand_counts()) == []
    some = Bounds(None, 1.0, None)
    once, often, _ = baselines(counts, some, some, INT8, some)
    assert once.note == "too little, because a recurrent ANN computes its loops (b) at every step"
    assert "not a fair baseline" not in often.note and "recurrent ANN" in often.note
