"""The term is 0 exactly where the compiler's bounds prove a layer, or nearly so; its gradient leads back."""

import pytest
import torch
from torch import nn

from spikeport.train import ALIF, DALIF, Image, QuantLinear, SpikingLayer
from spikeport.train.loop.limits import excess, layer_excess


def layer(n: int, weight: float, tau: float = 0.5, threshold: float = 1.0) -> SpikingLayer:
    made = SpikingLayer(QuantLinear(n, 2, bias=False), ALIF(tau, threshold))
    nn.init.constant_(made.synapse.weight, weight)
    return made


def value(x: torch.Tensor) -> float:
    return x.item()


def test_a_layer_within_its_words_costs_nothing() -> None:
    assert value(layer_excess(layer(100, 0.1))) == 0
    assert value(layer_excess(layer(100, -0.1))) == 0


@pytest.mark.parametrize("n", [516, 520, 1032])
def test_u_counts_from_where_24_bits_end(n: int) -> None:
    """n mantissas of 254, each 64 steps: 2^23 / (254 * 64) = 516.03 of them fit."""
    found = value(layer_excess(layer(n, 0.1)))
    assert found == pytest.approx(max(0.0, n * 254 * 64 / 2**23 - 1), abs=1e-5)
    assert (found > 0) == (n > 516)


def test_inhibition_adds_up_over_the_steps() -> None:
    """A step keeps 3/4: v falls to four times what arrives in one."""
    found = value(layer_excess(layer(200, -0.1, tau=0.75)))
    assert found == pytest.approx(200 * 4 * 254 * 64 / 2**23 - 1, rel=1e-4)


def test_thresholds_leave_their_range_by_octaves() -> None:
    high = 0.1 * 2**20 / 254
    assert value(layer_excess(layer(4, 0.1, threshold=high))) == pytest.approx(3.0, abs=1e-3)
    low = 0.1 / 4 / 254
    assert value(layer_excess(layer(4, 0.1, threshold=low))) == pytest.approx(2.0, abs=1e-3)


def test_a_negative_decay_costs_and_its_gradient_raises_it() -> None:
    made = SpikingLayer(QuantLinear(4, 2), DALIF(constrained=False, beta=-0.25), image=Image(2))
    found = layer_excess(made)
    found.backward()
    assert found.item() == pytest.approx(1 + 1024, rel=1e-5)
    (beta,) = made.neuron.beta.parameters()
    assert beta.grad is not None and beta.grad < 0


def test_descent_brings_an_overflowing_layer_back() -> None:
    made = layer(2000, 0.1)
    nn.init.uniform_(made.synapse.weight, 0.5, 1.0, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.SGD(made.parameters(), lr=1e-1)
    before = value(excess(made))
    for _ in range(50):
        optimizer.zero_grad()
        excess(made).backward()
        optimizer.step()
    assert value(excess(made)) < before / 2


def test_a_model_adds_up_its_layers() -> None:
    model = nn.Sequential(layer(600, 0.1), layer(700, 0.1))
    assert value(excess(model)) == pytest.approx(sum(value(layer_excess(m)) for m in model))
    assert value(excess(nn.Sequential())) == 0
