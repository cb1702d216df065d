"""The threshold's batch norm against its equation in float64, and its statistics against torch's own norm."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import InputError
from spikeport.train import TDBatchNorm1d, TDBatchNorm2d

SHAPES: dict[Any, tuple[int, ...]] = {TDBatchNorm1d: (20, 3), TDBatchNorm2d: (6, 3, 4, 5)}
TWINS: dict[Any, Any] = {TDBatchNorm1d: nn.BatchNorm1d, TDBatchNorm2d: nn.BatchNorm2d}
kinds = pytest.mark.parametrize("kind", SHAPES)


def made(kind: Any, **options: float) -> tuple[Any, Tensor]:
    torch.manual_seed(0)
    norm = kind(3, **options).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm, torch.randn(SHAPES[kind]).double() * 2 + 1


def along_channels(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (x.dim() - 2))


def equation(norm: Any, x: Tensor, mean: Tensor, var: Tensor, factor: float) -> Tensor:
    """gamma alpha Vth (x - mean) / sqrt(var + eps) + beta."""
    standard = (x - along_channels(mean, x)) / torch.sqrt(along_channels(var, x) + norm.eps)
    return along_channels(norm.weight, x) * factor * standard + along_channels(norm.bias, x)


@kinds
@pytest.mark.parametrize(("vth", "alpha"), [(0.2, 1.0), (0.2, 2.0), (1.5, 0.5)])
def test_a_batch_is_brought_to_the_threshold(kind: Any, vth: float, alpha: float) -> None:
    """Statistics are those of all of the batch's steps and places; the variance is the biased one."""
    norm, x = made(kind, vth=vth, alpha=alpha)
    axes = [0, *range(2, x.dim())]
    want = equation(norm, x, x.mean(axes), x.var(axes, correction=0), alpha * vth)
    assert torch.allclose(norm(x), want, rtol=1e-12, atol=1e-12)


@kinds
def test_eval_mode_takes_the_running_statistics(kind: Any) -> None:
    norm, x = made(kind, vth=0.3)
    for _ in range(3):
        norm(x)
    want = equation(norm, x, norm.running_mean, norm.running_var, 0.3)
    assert torch.allclose(norm.eval()(x), want, rtol=1e-12, atol=1e-12)


@kinds
@pytest.mark.parametrize("momentum", [0.1, 1.0, 0.0, None])
def test_statistics_are_torchs(kind: Any, momentum: float | None) -> None:
    norm, x = made(kind)
    twin = TWINS[kind](3, momentum=momentum).double()
    norm.momentum = momentum
    for k in range(3):
        norm(x + k)
        twin(x + k)
    for mine, its in zip(norm.buffers(), twin.buffers(), strict=True):
        assert torch.equal(mine, its)


@kinds
def test_gradients_are_those_of_a_norm_whose_gamma_holds_the_factor(kind: Any) -> None:
    norm, x = made(kind, vth=0.4)
    twin = TWINS[kind](3).double()
    twin.weight.data, twin.bias.data = norm.weight.detach() * 0.4, norm.bias.detach().clone()
    mine, its = x.clone().requires_grad_(), x.clone().requires_grad_()
    cost = torch.randn_like(x)
    (norm(mine) * cost).sum().backward()
    (twin(its) * cost).sum().backward()
    assert torch.allclose(mine.grad, its.grad, rtol=1e-10, atol=1e-12)
    assert torch.allclose(norm.weight.grad, twin.weight.grad * 0.4, rtol=1e-10)
    assert torch.allclose(norm.bias.grad, twin.bias.grad, rtol=1e-10)


def test_gamma_starts_at_1_and_currents_with_the_deviation_of_the_threshold() -> None:
    norm, x = TDBatchNorm2d(3, vth=0.2), torch.randn(50, 3, 8, 8)
    assert norm.weight.tolist() == [1, 1, 1]
    assert norm(x).std((0, 2, 3)).tolist() == pytest.approx([0.2] * 3, rel=1e-3)


def test_another_number_of_axes_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 4D input"):
        TDBatchNorm2d(3)(torch.zeros(2, 3))


@pytest.mark.parametrize("options", [{"vth": 0.0}, {"alpha": -1.0}, {"vth": float("inf")}])
def test_a_factor_that_is_not_above_0_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"TDBatchNorm1d: alpha \* vth"):
        TDBatchNorm1d(3, **options)
