"""A population with several decays becomes parts, each with its own; the sums that arrive stay what they were."""

from itertools import product

import numpy as np
import pytest

from spikeport.deploy.maps.base import Conv, Dense, Identity
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Network, Population, Projection, Readout
from spikeport.deploy.options import Options
from spikeport.deploy.passes.one_decay import OneDecay
from spikeport.errors import DeployError
from tests.deploy.graphs import floats, population


def decayed(before: Network) -> Network:
    step = OneDecay()
    step.requires(before, Options())
    after = step.run(before, Options())
    step.ensures(after, Options())
    return after


def alone(p: Population, reads: str = "s") -> Network:
    """Hears an input; what is heard of it sums all."""
    ends = (Projection("in", "n", Dense(np.arange(1.0, 2 * p.size + 1).reshape(p.size, 2))),)
    return Network((p,), ends, (("in", (2,)),), (Readout("out", "n", reads),))  # type: ignore[arg-type]


def maps(after: Network) -> dict[tuple[str, str], list[list[float]]]:
    return {(q.source, q.target): matrix(q.map).toarray().tolist() for q in after.projections}


def test_neurons_that_share_their_decays_are_a_part() -> None:
    after = decayed(
        alone(population("n", 3, keep=floats(0.5, 0.25, 0.5), bias=floats(1, 2, 3), first=(floats(4, 5, 6),)))
    )
    fast, slow, again = after.populations
    assert [p.name for p in after.populations] == ["n.0", "n.1", "n"]
    assert (fast.keep_v.tolist(), fast.bias.tolist(), fast.first[0].tolist()) == ([0.25], [2], [5])
    assert (slow.keep_v.tolist(), slow.bias.tolist(), slow.first[0].tolist()) == ([0.5, 0.5], [1, 3], [4, 6])
    assert maps(after) == {
        ("in", "n.0"): [[3, 4]],
        ("in", "n.1"): [[1, 2], [5, 6]],
        ("n.0", "n"): [[0], [1], [0]],
        ("n.1", "n"): [[1, 0], [0, 0], [0, 1]],
    }
    assert (again.threshold.tolist(), again.keep_v.tolist()) == ([0.5] * 3, [0] * 3)  # repeats what it hears
    assert after.outputs == (Readout("out", "n"),)


def test_both_decays_count() -> None:
    p = population("n", 4, keep=floats(0.5, 0.5, 0.25, 0.5), keep_u=floats(0, 0.5, 0, 0))
    parts = decayed(alone(p)).populations[:-1]
    assert [(q.size, q.keep_v[0], q.keep_u[0]) for q in parts] == [(1, 0.25, 0), (2, 0.5, 0), (1, 0.5, 0.5)]


def test_a_population_that_hears_itself_is_split_at_both_ends() -> None:
    p, weight = population("n", 2, keep=floats(0.25, 0.5)), floats([1, 2], [3, 4])
    last = population("b", 1)
    back, on = Projection("n", "n", Dense(weight), lag=1), Projection("n", "b", Dense(floats([5, 6])))
    before = Network((p, last), (back, on), (("in", (2,)),), (Readout("out", "b"),))
    after = decayed(before)
    assert [q.name for q in after.populations] == ["n.0", "n.1", "b"]
    found = maps(after)
    for to, source in product((0, 1), (0, 1)):
        assert found[f"n.{source}", f"n.{to}"] == [[weight[to, source]]]
    assert {q.lag for q in after.projections if q.target != "b"} == {1}
    assert (found["n.0", "b"], found["n.1", "b"]) == ([[5]], [[6]])


def test_whole_channels_keep_their_convolution() -> None:
    keep = np.broadcast_to(np.array([0.5, 0.25, 0.5])[:, None, None], (3, 2, 2))
    kernel = conv(np.arange(12.0).reshape(3, 1, 2, 2), (1, 1), (0, 0), (1, 1), 1, (1, 3, 3))
    last = Projection("n", "b", Identity(12))
    before = Network(
        (population("n", 3, 2, 2, keep=keep), population("b", 12)),
        (Projection("in", "n", kernel), last),
        (("in", (1, 3, 3)),),
        (Readout("out", "b"),),
    )
    after = decayed(before)
    assert [p.shape for p in after.populations] == [(1, 2, 2), (2, 2, 2), (12,)]
    first, second = (q.map for q in after.projections[:2])
    assert isinstance(first, Conv) and isinstance(second, Conv)
    assert first.weight.ravel().tolist() == [4, 5, 6, 7]
    assert second.weight.ravel().tolist() == [0, 1, 2, 3, 8, 9, 10, 11]


def test_decays_that_are_one_to_the_chip_are_one() -> None:
    keep = 0.5 + floats(-0.4, 0, 0.4) / 4096
    (p,) = decayed(alone(population("n", 3, keep=keep))).populations
    assert p.name == "n"
    assert p.keep_v == pytest.approx(np.full(3, 0.5), rel=1e-12)


def test_a_readouts_decays_may_differ_by_less_than_the_chip_sees_and_no_more() -> None:
    slightly = population("n", 2, threshold=np.inf, keep=0.5 + floats(0, 0.4) / 4096)
    assert [p.name for p in decayed(alone(slightly, "v")).populations] == ["n"]
    with pytest.raises(DeployError) as caught:
        decayed(alone(population("n", 2, threshold=np.inf, keep=floats(0.25, 0.5)), "v"))
    assert str(caught.value) == "n: parts of a readout (2) exceed 1; give the readout one tau"


def test_more_decays_than_a_chip_has_cores_are_refused() -> None:
    assert len(decayed(alone(population("n", 128, keep=np.arange(128) / 128))).populations) == 129
    with pytest.raises(DeployError) as caught:
        decayed(alone(population("n", 129, keep=np.arange(129) / 129)))
    assert str(caught.value) == (
        "n: different decays (129) exceed 128; "
        "give the neurons of a layer one tau, or a few; --decays N puts like ones together"
    )


def test_a_part_has_a_name_of_its_own() -> None:
    parts = population("n", 2, keep=floats(0.25, 0.5))
    before = alone(parts)
    before = Network((population("n.1", 2), parts), before.projections, before.inputs, before.outputs)
    assert [p.name for p in decayed(before).populations] == ["n.1", "n.0", "n.1_", "n"]
