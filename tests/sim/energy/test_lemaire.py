"""Memory accesses by hand, and the price of an access at the model's own points."""

from fractions import Fraction

import pytest

from spikeport.sim.energy.lemaire import access_pj, ann_traffic, snn_traffic
from tests.sim.energy.hand import hand_counts


@pytest.mark.parametrize(
    ("size_bytes", "pj"),
    [(0, 0.0), (8 * 1024, 10.0), (32 * 1024, 20.0), (20 * 1024, 15.0), (2**20, 100.0), (2**24, 100.0)],
)
def test_price_of_an_access(size_bytes: int, pj: float) -> None:
    assert access_pj(size_bytes // 4) == pytest.approx(pj)


def test_spiking_layer() -> None:
    """b, per inference: 7 SOPs, 4 updates, 3.5 spikes in, 0.5 out; 32 weights, 2 potentials."""
    counts = hand_counts()
    traffic = snn_traffic(counts.layers[1], counts)
    assert traffic.weights == 7
    assert traffic.potentials == 2 * 7 + 2 * 4
    assert traffic.values == Fraction(7, 2) + Fraction(1, 2)
    per_byte = 10 / 8192
    queue = 4 * 4000 * per_byte  # 4 accesses to a queue of 1000 words: below 8 KiB
    assert traffic.energy_pj == pytest.approx(7 * 32 * 4 * per_byte + 22 * 2 * 4 * per_byte + queue)


def test_layer_on_the_host() -> None:
    """a: 144 MACs on the host read weight and input and write 16 outputs; 32 updates; 3.5 spikes out."""
    counts = hand_counts()
    traffic = snn_traffic(counts.layers[0], counts)
    assert traffic.weights == 144
    assert traffic.potentials == 2 * 32
    assert traffic.values == Fraction(7, 2) + 144 + 16


def test_the_ann_reads_a_weight_and_an_input_for_each_mac() -> None:
    counts = hand_counts()
    conv, dense = (ann_traffic(layer) for layer in counts.layers)
    assert (conv.weights, conv.values) == (144, 144 + 16)
    assert (dense.weights, dense.values, dense.potentials) == (32, 32 + 2, 0)
    per_byte = 10 / 8192
    assert dense.energy_pj == pytest.approx(32 * (32 * 4 + 16 * 4) * per_byte + 2 * 2 * 4 * per_byte)
