"""Thresholds that differ become the largest of them, and all that enters grows with its own."""

import numpy as np
import pytest

from spikeport.deploy.maps.base import Conv, Dense
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.network import Network, Projection, Readout
from spikeport.deploy.options import Options
from spikeport.deploy.passes.one_threshold import OneThreshold
from spikeport.errors import DeployError
from tests.deploy.graphs import floats, population


def scaled(before: Network) -> Network:
    step = OneThreshold()
    step.requires(before, Options())
    after = step.run(before, Options())
    step.ensures(after, Options())
    return after


def network(p: object, map: object, n: int = 2) -> Network:
    return Network((p,), (Projection("in", "n", map),), (("in", (n,)),), (Readout("out", "n"),))  # type: ignore[arg-type]


def test_all_that_enters_grows_by_what_the_threshold_grows() -> None:
    p = population(
        "n", 2, threshold=floats(1, 4), bias=floats(2, 3), drive=floats(5, 6), first=(floats(7, 8),), keep_u=0.25
    )
    after = scaled(network(p, Dense(floats([1, 2], [3, 4]))))
    (found,) = after.populations
    assert found.threshold.tolist() == [4, 4]
    assert (found.bias.tolist(), found.drive.tolist(), found.first[0].tolist()) == ([8, 3], [20, 6], [28, 8])
    assert (found.keep_v.tolist(), found.keep_u.tolist()) == ([0.5, 0.5], [0.25, 0.25])
    assert after.projections[0].map.weight.tolist() == [[4, 8], [3, 4]]  # type: ignore[union-attr]


def test_a_convolution_stays_one_where_each_channel_has_its_threshold() -> None:
    kernel = conv(np.ones((2, 1, 2, 2)), (1, 1), (0, 0), (1, 1), 1, (1, 3, 3))
    threshold = np.broadcast_to(np.array([1.0, 2.0])[:, None, None], (2, 2, 2))
    after = scaled(network(population("n", 2, 2, 2, threshold=threshold), kernel, n=9))
    found = after.projections[0].map
    assert isinstance(found, Conv)
    assert found.weight[:, 0, 0, 0].tolist() == [2, 1]


def test_what_hears_the_neurons_is_not_changed() -> None:
    a, b = population("n", 2, threshold=floats(1, 4)), population("b", 2, threshold=3.0)
    behind = Projection("n", "b", Dense(floats([1, 2], [3, 4])))
    before = Network((a, b), (behind,), (("in", (2,)),), (Readout("out", "b"),))
    after = scaled(before)
    assert after.projections == (behind,)
    assert after.populations[1] is b


@pytest.mark.parametrize("threshold", [3.0, np.inf])
def test_one_threshold_or_none_stays(threshold: float) -> None:
    before = network(population("n", 2, threshold=threshold), Dense(np.eye(2)))
    assert scaled(before).populations == before.populations


def test_a_threshold_of_zero_beside_others_is_refused() -> None:
    with pytest.raises(DeployError) as caught:
        scaled(network(population("n", 2, threshold=floats(0, 1)), Dense(np.eye(2))))
    assert str(caught.value) == (
        "n: threshold (0.0) is not above 0; raise it, no scale makes it one with the layer's others"
    )
