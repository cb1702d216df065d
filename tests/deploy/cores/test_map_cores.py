"""The core mapping against published compile logs and figures by hand."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI1, LOIHI2
from spikeport.deploy.cores import CoreMap, cores_of, map_cores
from spikeport.deploy.cores.words import dense_bits, kernel_bits, loihi1_words, loihi2_tap_words, loihi2_words
from tests.deploy.small_programs import row, stack


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


def test_words_of_lists_on_loihi_2() -> None:
    """A header of 10 bits and 12 + 8 a synapse; a tap of a kernel has a header of 20 and 8 bits a weight."""
    assert loihi2_words(np.array([0, 1, 2, 3, 6])).tolist() == [0, 1, 1, 2, 3]  # 30, 50, 70, 130 bits
    assert loihi2_words(np.array([2, 3]), bits=4).tolist() == [1, 1]  # 42, 58 bits
    assert loihi2_words(np.array([1, 3]), delays=True).tolist() == [1, 2]  # 36, 88 bits
    assert loihi2_tap_words(np.array([0, 1, 5, 6, 13, 14])).tolist() == [0, 1, 1, 2, 2, 3]  # 28, 60, 68, 124, 132


@pytest.mark.parametrize(
    ("weight", "dense", "kernel"),
    [
        ([0, 0], 1, 1),
        ([2, -2], 2, 2),
        ([-6, 2, 6], 3, 4),  # -3, 1 and 3 without the lowest bit
        ([-8, 2, 6], 3, 4),
        ([-8, 2, 8], 4, 4),
        ([-256, 2, 254], 8, 8),
        ([-256, 64], 3, 8),  # multiples of 64: -4 and 1
        ([1, 255], 8, 8),
        ([3, 8], 4, 4),
        ([-7, -1], 3, 4),
    ],
)
def test_bits_of_weights(weight: list[int], dense: int, kernel: int) -> None:
    assert (dense_bits(np.array(weight)), kernel_bits(np.array(weight))) == (dense, kernel)


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
