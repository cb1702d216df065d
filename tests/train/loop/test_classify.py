"""The loss against torch's, its parts against the whole, and its terms by hand."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train import ALIF, Activity, QuantLinear, SpikingLayer, Train, Vote
from spikeport.train.loop.classify import Classification, criterion
from spikeport.train.loop.objective import Place
from spikeport.train.settings import Loss

SCORES = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = torch.tensor([0, 3, 1, 1, 2, 0])
WHOLE = Place(1, 0, 6)


def course(**more: object) -> Train:
    return Train(1, 6, 0.1, 0, **more)  # type: ignore[arg-type]


def test_mse_is_that_to_one_hot_targets() -> None:
    expected = F.mse_loss(SCORES, F.one_hot(Y, 4).double())
    assert criterion(course())(SCORES, Y).mean() == pytest.approx(float(expected))


def test_cross_entropy_is_torchs() -> None:
    for smooth in (0.0, 0.2):
        error = criterion(course(loss="cross_entropy", label_smoothing=smooth))(SCORES, Y)
        assert error.mean() == pytest.approx(float(F.cross_entropy(SCORES, Y, label_smoothing=smooth)))


def test_smoothed_targets_of_mse_are_torchs_for_cross_entropy() -> None:
    """0.2 / 4 on every class, and 0.8 more on the right one."""
    found = criterion(course(label_smoothing=0.2))(torch.zeros(1, 4), torch.tensor([2]))
    assert float(found) == pytest.approx((3 * 0.05**2 + 0.85**2) / 4)


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        SpikingLayer(QuantLinear(5, 8), ALIF()), SpikingLayer(QuantLinear(8, 4), ALIF()), Vote(4)
    ).double()


def spikes(batch: int) -> Tensor:
    return (torch.rand(3, batch, 5, generator=torch.Generator().manual_seed(1)) < 0.5).double()


def gradient(objective: Classification) -> Tensor:
    found = torch.cat([p.grad.flatten() for p in objective.parameters() if p.grad is not None])
    objective.zero_grad()
    return found


@pytest.mark.parametrize("terms", [Loss(), Loss(sops=0.7, sops_target=20.0), Loss(limits=0.3)])
def test_uneven_parts_average_to_the_gradient_of_the_whole(terms: Loss) -> None:
    objective, x = Classification(net(), 4, course(), terms), spikes(6)
    objective(x, Y, WHOLE).backward()
    whole, figures = gradient(objective), objective.figures
    parts, summed = [], []
    for part in (slice(0, 4), slice(4, 6)):
        objective(x[:, part], Y[part], Place(1, 0, 6, part.start, 2)).backward()
        parts.append(gradient(objective))
        summed.append(objective.figures)
    assert torch.allclose((parts[0] + parts[1]) / 2, whole, rtol=0, atol=1e-14)
    assert torch.allclose(summed[0] + summed[1], figures)


def test_sops_count_above_their_target_alone_and_per_sample() -> None:
    model, x = net(), spikes(6)
    with Activity(model).watch() as seen:
        model(x)
    sops = seen.total_sops().detach()
    plain = Classification(model, 4, course(), Loss())(x, Y, WHOLE).item()
    for target in (float(sops.min()) / 2, float(sops.median()), float(sops.max())):
        loss = Classification(model, 4, course(), Loss(sops=2.0, sops_target=target))(x, Y, WHOLE)
        assert loss.item() - plain == pytest.approx(2.0 * (sops / target - 1).clamp(min=0).mean().item())


def test_figures_are_sums_of_what_was_seen() -> None:
    objective, x = Classification(net(), 4, course(), Loss()), spikes(6)
    scores = objective.model(x)
    objective(x, Y, WHOLE)
    scores = scores.detach()
    figures = dict(zip(objective.names(), objective.figures.tolist(), strict=True))
    assert figures["loss"] == pytest.approx(6 * float(F.mse_loss(scores, F.one_hot(Y, 4).double())))
    assert (figures["correct"], figures["samples"]) == (int((scores.argmax(1) == Y).sum()), 6)
    assert figures["slots 1"] == 3 * 6 * 4
    assert figures["spikes 1"] == pytest.approx(float(scores.sum()) * 3)
