"""Each schedule against torch's own, stepped epoch by epoch."""

import warnings

import pytest
import torch
from torch.optim import lr_scheduler as torch_schedules

from spikeport.train import Train
from spikeport.train.loop.schedules import rate_at

EPOCHS = 12


def course(**more: object) -> Train:
    return Train(epochs=EPOCHS, batch=1, learning_rate=0.3, seed=0, **more)  # type: ignore[arg-type]


def torch_rates(make: object) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule, rates = make(optimizer), []  # type: ignore[operator]
    for _ in range(EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SequentialLR calls its parts in a way that they warn of
            schedule.step()
    return rates


def cosine(optimizer: torch.optim.Optimizer) -> object:
    return torch_schedules.CosineAnnealingLR(optimizer, EPOCHS)


def cyclic(optimizer: torch.optim.Optimizer) -> object:
    return torch_schedules.CosineAnnealingLR(optimizer, 4, eta_min=0.01)


def step(optimizer: torch.optim.Optimizer) -> object:
    return torch_schedules.StepLR(optimizer, 5, 0.5)


def multistep(optimizer: torch.optim.Optimizer) -> object:
    return torch_schedules.MultiStepLR(optimizer, [3, 8], 0.1)


def linear(optimizer: torch.optim.Optimizer) -> object:
    return torch_schedules.LinearLR(optimizer, 1.0, 0.1, EPOCHS)


def constant(optimizer: torch.optim.Optimizer) -> object:
    return torch_schedules.LambdaLR(optimizer, lambda _: 1.0)


def warm(optimizer: torch.optim.Optimizer) -> object:
    parts = [torch_schedules.LinearLR(optimizer, 1 / 4, 1.0, 3), torch_schedules.CosineAnnealingLR(optimizer, 9)]
    return torch_schedules.SequentialLR(optimizer, parts, [3])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (course(), cosine),
        (course(t_max=4, minimum_rate=0.01), cyclic),
        (course(schedule="step", step_epochs=5, gamma=0.5), step),
        (course(schedule="multistep", milestones=(3, 8)), multistep),
        (course(schedule="linear", minimum_rate=0.03), linear),
        (course(schedule="constant"), constant),
        (course(warmup_epochs=3), warm),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_rates_are_those_of_torch(ours: Train, theirs: object) -> None:
    rates = [rate_at(ours, epoch) for epoch in range(1, EPOCHS + 1)]
    assert rates == pytest.approx(torch_rates(theirs), rel=1e-9, abs=1e-12)
