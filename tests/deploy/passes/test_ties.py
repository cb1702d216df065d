"""v >= threshold is v + step / 2 > threshold where v counts in steps; the float network's spikes stay."""

import numpy as np
import pytest

from spikeport.deploy.maps.base import Dense
from spikeport.deploy.network import Network, Population, Projection, Readout
from spikeport.deploy.network_run import run_network
from spikeport.deploy.options import Options
from spikeport.deploy.passes.ties import Ties


def network(
    weight: list[float], threshold: float, keep: float = 1.0, reset: str = "subtract", at: bool = True
) -> Network:
    zero = np.zeros(1)
    p = Population(
        "n", (1,), zero + keep, zero + threshold, keep_u=zero, bias=zero, drive=zero, reset=reset, at_threshold=at
    )  # type: ignore[arg-type]
    into = Projection("in", "n", Dense(np.array([weight])))
    return Network((p,), (into,), (("in", (len(weight),)),), (Readout("out", "n"),))


def test_a_counting_neuron_starts_half_a_step_up() -> None:
    (p,) = Ties().run(network([1.0, -2.0], 3.0), Options()).populations
    assert not p.at_threshold
    assert [x.tolist() for x in p.first] == [[0.5]]
    assert p.threshold.tolist() == [3.0]


def test_the_step_is_that_of_weights_and_threshold_together() -> None:
    (p,) = Ties().run(network([2.0, -4.0], 3.0), Options()).populations
    assert [x.tolist() for x in p.first] == [[0.5]]


@pytest.mark.parametrize(
    "other",
    [
        network([1.0, -2.0], 3.0, at=False),
        network([1.0, -2.0], 3.0, reset="zero"),
        network([1.0, -2.0], 3.0, keep=0.5),
        network([1.0, -0.713], 3.0),
    ],
)
def test_others_stay_as_they_are(other: Network) -> None:
    assert Ties().run(other, Options()).populations[0] is other.populations[0]


def test_what_an_image_is_loaded_into_stays_as_it_is() -> None:
    before = network([1.0, -2.0], 3.0)
    assert Ties().run(before, Options(input="bias")).populations[0] is before.populations[0]


@pytest.mark.parametrize("threshold", [1.0, 2.0, 5.0])
def test_the_spikes_are_the_same_ties_included(threshold: float) -> None:
    before = network([1.0, 1.0, 2.0, -1.0], threshold)
    x = (np.random.default_rng(0).random((200, 8, 4)) < 0.5).astype(np.uint8)
    want = run_network(before, {"in": x})["n"]
    assert np.array_equal(run_network(Ties().run(before, Options()), {"in": x})["n"], want)
    strict = network([1.0, 1.0, 2.0, -1.0], threshold, at=False)
    assert not np.array_equal(run_network(strict, {"in": x})["n"], want)
