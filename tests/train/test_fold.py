"""Folding against torch's own convolution followed by its own batch norm, in float64."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from spikeport.train import QuantConv2d, QuantLinear
from spikeport.train.fold import fold
from spikeport.train.synapses import Synapse

ROUNDING = 1e-12  # float64, sums in another order
Norm = nn.BatchNorm1d | nn.BatchNorm2d
Case = tuple[Synapse, Norm, Tensor]


def conv(bias: bool, momentum: float | None = 0.1, affine: bool = True) -> Case:
    synapse = QuantConv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=bias)
    return synapse, nn.BatchNorm2d(4, momentum=momentum, affine=affine), torch.rand(6, 2, 5, 7)


def linear(bias: bool, momentum: float | None = 0.1, affine: bool = True) -> Case:
    return QuantLinear(5, 3, bias=bias), nn.BatchNorm1d(3, momentum=momentum, affine=affine), torch.rand(8, 5)


CASES: dict[str, Callable[[], Case]] = {
    "conv": lambda: conv(True),
    "conv without bias": lambda: conv(False),
    "cumulative mean": lambda: conv(True, momentum=None),
    "not affine": lambda: conv(True, affine=False),
    "linear": lambda: linear(True),
    "linear without bias": lambda: linear(False, momentum=0.3),
}
cases = pytest.mark.parametrize("make", CASES.values(), ids=CASES)


def case(make: Callable[[], Case]) -> Case:
    torch.manual_seed(3)
    synapse, norm, x = make()
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.1, 3.0)
    if norm.affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return synapse.double(), norm.double(), x.double()


def torchs(synapse: Synapse, norm: Norm, x: Tensor) -> Tensor:
    """Convolution or product, then batch norm, both as torch has them."""
    torchs_own = nn.Conv2d if isinstance(synapse, QuantConv2d) else nn.Linear
    return norm(torchs_own.forward(synapse, x))


def folded(synapse: Synapse, norm: Norm | None, x: Tensor, gain: Tensor) -> Tensor:
    parts = fold(synapse, norm, gain)
    return synapse.apply_weight(x, parts.weight, parts.bias)


@cases
def test_folded_weights_do_what_batch_norm_does_in_eval_mode(make: Callable[[], Case]) -> None:
    synapse, norm, x = case(make)
    expected = 0.7 * torchs(synapse, norm.eval(), x)
    gain = torch.tensor(0.7, dtype=torch.float64)
    assert torch.allclose(folded(synapse, norm, x, gain), expected, rtol=ROUNDING, atol=ROUNDING)


def test_without_batch_norm_only_the_gain_is_folded() -> None:
    synapse, _, x = case(lambda: linear(True))
    expected = 0.5 * nn.functional.linear(x, synapse.weight, synapse.bias)
    half = torch.tensor(0.5, dtype=torch.float64)
    assert torch.allclose(folded(synapse, None, x, half), expected, rtol=ROUNDING)


def test_a_synapse_without_bias_and_norm_has_bias_0() -> None:
    assert fold(QuantLinear(3, 2, bias=False), None, torch.ones(())).bias.tolist() == [0, 0]


def test_eval_mode_leaves_the_running_statistics_alone() -> None:
    synapse, norm, _ = case(lambda: conv(True))
    before = [b.clone() for b in norm.buffers()]
    fold(synapse, norm, torch.ones((), dtype=torch.float64))
    assert all(torch.equal(a, b) for a, b in zip(before, norm.buffers(), strict=True))


def test_a_channel_that_never_varied_is_finite() -> None:
    synapse, norm, _ = case(lambda: conv(False))
    assert norm.running_var is not None
    norm.running_var[0] = 0
    assert torch.isfinite(fold(synapse, norm, torch.ones(())).weight).all()
