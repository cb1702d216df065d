"""A readout on Lava's grid is taken as it is, where its v fits its word and its weights fill 8 bits."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.maps.base import Dense
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.quantize.on_grid import on_grid


def readout(mantissas: list[int], bias: float = 0.0) -> tuple[Population, list[Projection]]:
    zero = np.zeros(1)
    neurons = Population("y", (1,), zero + 0.5, zero + np.inf, keep_u=zero, bias=zero + bias / 4096, drive=zero)
    return neurons, [Projection("x", "y", Dense(np.array([mantissas]) / 64))]


def test_mantissas_decay_and_bias_are_kept() -> None:
    found = on_grid(*readout([254, -2], bias=3.0), v_most=10.0)
    assert found is not None and found.exact
    assert (found.weights[0].tolist(), found.bias.tolist(), found.dv) == ([[254, -2]], [3], 2048)


@pytest.mark.parametrize(
    ("mantissas", "bias", "v_most"), [([64, -2], 0.0, 1.0), ([254, -2], 0.5, 1.0), ([254, -2], 0.0, 2049.0)], ids=str
)
def test_what_is_coarse_or_off_the_grid_or_leaves_its_word_is_rounded(
    mantissas: list[int], bias: float, v_most: float
) -> None:
    assert on_grid(*readout(mantissas, bias), v_most=v_most) is None


def test_a_decay_of_the_chips_own_tells_the_grid_from_an_accident() -> None:
    neurons, into = readout([64, -2], bias=5.0)
    for keep, taken in ((3277 / 4096, True), (3276.8 / 4096, False), (3280 / 4096, False)):
        found = on_grid(replace(neurons, keep_v=np.full(1, keep)), into, v_most=1.0)
        assert (found is not None) == taken
    assert on_grid(replace(neurons, keep_v=np.full(1, 3277 / 4096)), into, v_most=2049.0) is None


def test_v_is_not_asked_for_where_neurons_fire() -> None:
    neurons, into = readout([64, -2])
    firing = replace(neurons, threshold=np.full(1, (100 * 64 + 0.5) / 4096))
    found = on_grid(firing, into)
    assert found is not None and found.vth == 100
