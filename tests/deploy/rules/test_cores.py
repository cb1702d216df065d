"""The core mapping against published compile logs and figures by hand."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI1, LOIHI2
from spikeport.deploy.cores import CoreMap, cores_of, map_cores
from spikeport.deploy.cores.words import loihi1_words, loihi2_tap_words, loihi2_words
from spikeport.program import Conv, Dense, Output
from tests.deploy.rules.nets import lif, row, stack


def cores(core_map: CoreMap) -> list[int]:
    return [p.cores for p in core_map]


def test_the_layers_of_yolo_kp_take_the_cores_of_its_compile_log() -> None:
    """lava-dl, tutorials netx/yolo_kp/run.ipynb: 574 cores, from the first layer to the last."""
    half, keep, point = ((3, 2, 1), (3, 1, 1), (1, 1, 0))
    layers = [(16, *half), (32, *half), (64, *half), (128, *half), (256, *keep), (256, *half), (512, *keep)]
    net = stack((3, 448, 448), *layers, (256, *point), (512, *keep), (48, *point))
    found = map_cores(net, LOIHI2)
    assert cores(found) == [224, 112, 56, 28, 56, 16, 32, 14, 32, 4]
    assert [round(100 * p.most("neurons") / 4095, 2) for p in found] == [87.52] * 9 + [65.64]


def test_the_convolutions_of_pilotnet_take_the_cores_of_its_compile_log() -> None:
    """lava-dl, netx/pilotnet_snn/run.ipynb, 74 cores: blocks of 16, 4, 4, 8, 8 and 16 columns, all rows and channels.

    Its dense layers take 12, 1, 1 and 1 there; the log spreads 100 neurons wider than its own memory asks for.
    """
    net = stack((3, 66, 200), (3, 1, 1, 0), (24, 3, 2, 0), (36, 3, 2, 0), (48, 3, 2, 0), (64, 3, 1, 0), 100, 50, 10, 1)
    fifth = Conv("c3", "c4", np.ones((64, 48, 3, 3), int), stride=(2, 1), padding=(1, 0))
    sixth = Conv("c4", "c5", np.ones((64, 64, 3, 3), int))
    groups = (*net.groups[:4], lif("c4", (64, 4, 22)), lif("c5", (64, 2, 20)), lif("c6", (100,)))
    dense = Dense("c5", "c6", np.ones((100, 2560), int))
    net = replace(
        net,
        groups=groups,
        connections=(*net.connections[:4], fifth, sixth, dense),
        outputs=(Output("y", "c6"),),
    )
    found = map_cores(net, LOIHI2)
    assert cores(found) == [13, 25, 13, 3, 3, 2, 9]
    assert [p.most("neurons") for p in found.placements[:6]] == [3168, 3072, 2160, 2688, 2048, 2048]


def test_the_layers_of_mnist_take_the_cores_of_its_compile_log() -> None:
    """lava-dl, netx/mnist: 784-128-64-10 on 3, 1 and 1 cores."""
    assert cores(map_cores(row(128, 64, 10, n_in=784), LOIHI2)) == [3, 1, 1]


def test_dense_layers_of_the_oxford_log_take_its_words() -> None:
    """lava-dl, netx/oxford: one core would need 16,128 words for 256 to 200 neurons, and 16,000 for 200 to 256."""
    assert 256 * int(loihi2_words(np.array(200))) == 16_128
    assert 200 * int(loihi2_words(np.array(256))) == 16_000
    assert cores(map_cores(row(256, 200, n_in=200), LOIHI2)) == [2, 2]  # the log has 3 and 2


@pytest.mark.parametrize(
    ("synapses", "neurons", "words"),
    [
        (0, 0, 0),
        (1, 0, 1),
        (6, 0, 1),
        (7, 0, 2),
        (64, 0, 9),
        (65, 0, 10),
        (64, 64, 15),
        (64, 65, 16),
        (3, 1024, 1),
        (4, 1024, 2),
    ],
)
def test_words_of_an_axon_on_loihi_1(synapses: int, neurons: int, words: int) -> None:
    """8 bits of weight, 6 to 12 of index, a header of 10 for each 64: 64 * 8 + 10 = 522 bits are 9 words of 64."""
    assert int(loihi1_words(np.array(synapses), neurons=neurons)) == words


def test_words_of_a_tap_on_loihi_2_are_no_fewer_than_in_the_logs() -> None:
    """pilotnet: 81 words for 27 taps of 24 filters, 864 for 216 of 36, 1620 for 324 of 48, 2880 for 576 of 64."""
    filters = np.array([24, 36, 48, 64])
    assert (loihi2_tap_words(filters) >= np.array([3, 4, 5, 5])).all()
    assert int(loihi2_tap_words(filters)[0]) == 3


def test_the_same_shapes_take_the_same_cores_whatever_the_weights() -> None:
    net = stack((2, 9, 9), (6, 3, 1, 1), 30)
    other = replace(net, connections=tuple(replace(c, weight=c.weight * 0) for c in net.connections))
    for chip in (LOIHI1, LOIHI2):
        small = replace(chip, neurons_per_core=32)
        assert cores(map_cores(net, small)) == cores(map_cores(other, small))


def test_a_map_becomes_cores_in_the_programs_order() -> None:
    net = row(128, 64, 10, n_in=784)
    found = cores_of(map_cores(net, LOIHI2), LOIHI2)
    assert list(found.first.items()) == [(net.groups[0].name, 0), (net.groups[1].name, 3), (net.groups[2].name, 4)]
    assert found.chip is LOIHI2
    assert found.labels(net.groups[0].name).tolist() == [0] * 43 + [1] * 43 + [2] * 42
