"""A network in training is held against the chip as `spikeport check` holds its Program."""

import numpy as np
import pytest
import torch
from torch import nn

from spikeport.commands.training.held_against import chip_check
from spikeport.deploy import check, compile_graph
from spikeport.export import to_nir
from spikeport.train import ALIF, Image, QuantConv2d, QuantLinear, SpikingLayer, Vote
from spikeport.train.neurons import DALIF

IMAGE = np.zeros((1, 1, 6, 6), np.uint8)


def network(neuron: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        SpikingLayer(QuantConv2d(1, 2, 3), ALIF(), image=Image(4)),
        nn.Flatten(2),
        SpikingLayer(QuantLinear(32, 4), neuron),
        Vote(2),
    )


def test_what_is_told_is_what_the_program_has() -> None:
    net = network(ALIF()).train()
    found = chip_check(net, IMAGE, "loihi2")
    assert found is not None and net.training
    program = compile_graph(to_nir(net.eval(), torch.from_numpy(IMAGE)))
    assert (found.violations, found.cores) == (len(check(program)), 2)
    assert 0 < found.v_share < 1


def test_more_inhibition_fills_more_of_the_word() -> None:
    net = network(ALIF(tau=0.99))
    shares = []
    for weight in (-0.001, -1.0):
        with torch.no_grad():
            net[2].synapse.weight[1:] = weight
            net[2].synapse.weight[0] = 1.0
        found = chip_check(net, IMAGE, "loihi2")
        assert found is not None
        shares.append(found.v_share)
    assert shares[1] > 3 * shares[0]


def test_a_network_that_no_chip_holds_is_told_and_does_not_end_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert chip_check(network(DALIF(constrained=False, beta=-0.5)), IMAGE, "loihi2") is None
    assert "not checked against loihi2: " in capsys.readouterr().err
