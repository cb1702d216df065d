"""TAID's two forms by hand: two steps, two channels, two places."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from spikeport.errors import InputError
from spikeport.train import QuantConvTranspose2d
from spikeport.train.autoencoders import Taid

Y = torch.tensor([[[[[1.0, 3.0]], [[-2.0, 0.0]]]], [[[[0.0, 4.0]], [[1.0, 1.0]]]]], dtype=torch.float64)
"""(T, B, c, h, w) = (2, 1, 2, 1, 2): means over places 2, -1 of the first step and 2, 1 of the second."""
W = [[0.5, -1.0], [0.25, 2.0]]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def taid(form: str) -> Any:
    module = Taid(QuantConvTranspose2d(3, 2, 3, padding=1), 2, form).double()
    module.attention.weight.data = torch.tensor(W, dtype=torch.float64)
    return module


def test_the_codes_form_weighs_each_channel_and_adds_up() -> None:
    first = sigmoid(0.5 * 2 - 1 * 2), sigmoid(0.25 * 2 + 2 * 2)  # channel 0, both steps
    second = sigmoid(0.5 * -1 - 1 * 1), sigmoid(0.25 * -1 + 2 * 1)
    want = [first[0] * 1 + first[1] * 0, first[0] * 3 + first[1] * 4, second[0] * -2 + second[1], second[1]]
    assert taid("code").fuse(Y).flatten().tolist() == pytest.approx(want, abs=1e-14)


def test_the_papers_form_weighs_all_channels_alike_and_averages() -> None:
    step = sigmoid(0.5 * 0.5 - 1 * 1.5), sigmoid(0.25 * 0.5 + 2 * 1.5)  # means over channels and places 0.5, 1.5
    want = [step[0] * 1, step[0] * 3 + step[1] * 4, step[0] * -2 + step[1], step[1]]
    assert taid("paper").fuse(Y).flatten().tolist() == pytest.approx([x / 2 for x in want], abs=1e-14)


@pytest.mark.parametrize("form", ["code", "paper"])
def test_it_is_given_real_numbers_of_every_step(form: str) -> None:
    module = taid(form)
    spikes: Tensor = (torch.rand(2, 4, 3, 5, 6) < 0.5).double()
    each = torch.stack([module.synapse.apply_weight(s, module.synapse.weight, module.synapse.bias) for s in spikes])
    assert torch.allclose(module(spikes), module.fuse(each), atol=1e-14)
    assert module(spikes).shape == (4, 2, 5, 6)


def test_forms_differ_by_the_steps_alone_with_one_channel() -> None:
    y = torch.randn(2, 3, 1, 4, 4, dtype=torch.float64)
    assert torch.allclose(taid("code").fuse(y), 2 * taid("paper").fuse(y), atol=1e-14)


def test_another_form_is_refused() -> None:
    with pytest.raises(InputError, match="taid: form"):
        Taid(QuantConvTranspose2d(1, 1, 3), 2, "sum")
