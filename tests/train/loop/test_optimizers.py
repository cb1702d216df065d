"""Weight decay is on weights alone, whatever the optimizer."""

import pytest
import torch
from torch import nn

from spikeport.train import ALIF, QuantConv2d, QuantLinear, SpikingLayer, Train
from spikeport.train.loop.optimizers import build_optimizer, set_rate, split_parameters


def net() -> nn.Sequential:
    return nn.Sequential(
        SpikingLayer(QuantConv2d(1, 2, 3), ALIF(), nn.BatchNorm2d(2)), SpikingLayer(QuantLinear(4, 3), ALIF())
    )


def test_weights_of_two_axes_decay_and_nothing_else() -> None:
    model = net()
    decayed, free = (
        {name for name, p in model.named_parameters() if any(p is q for q in group)}
        for group in split_parameters(model)
    )
    assert decayed == {"0.main.synapse.weight", "1.main.synapse.weight"}
    assert {part for name in free for part in name.split(".")} >= {"bias", "norm", "neuron"}
    assert decayed | free == {name for name, _ in model.named_parameters()}


def test_parameters_that_do_not_learn_are_left_out() -> None:
    model = nn.Sequential(SpikingLayer(QuantLinear(4, 3, bias=False), ALIF(learn="none")))
    assert [len(group) for group in split_parameters(model)] == [1, 0]
    assert len(build_optimizer(model, Train(1, 1, 0.1, 0)).param_groups) == 1


@pytest.mark.parametrize(
    ("name", "expected"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)]
)
def test_a_step_without_gradient_moves_decayed_weights_only(name: str, expected: type) -> None:
    model = net()
    optimizer = build_optimizer(model, Train(1, 1, 0.1, 0, optimizer=name, weight_decay=0.1, momentum=0.5))
    assert type(optimizer) is expected
    before = {key: p.detach().clone() for key, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    moved = {key for key, p in model.named_parameters() if not torch.equal(p, before[key])}
    assert moved == {"0.main.synapse.weight", "1.main.synapse.weight"}


def test_the_bottleneck_has_a_rate_of_its_own() -> None:
    model = nn.ModuleDict({"bottleneck": nn.Linear(2, 2), "other": nn.Linear(2, 2)})
    course = Train(1, 1, 0.1, 0, optimizer="adamw", weight_decay=0.5, bottleneck_factor=10)
    optimizer = build_optimizer(model, course)
    set_rate(optimizer, 0.03)
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for p in group["params"]}
    assert found == {
        id(model["bottleneck"].weight): (pytest.approx(0.3), 0.5),
        id(model["bottleneck"].bias): (pytest.approx(0.3), 0.0),
        id(model["other"].weight): (0.03, 0.5),
        id(model["other"].bias): (0.03, 0.0),
    }


def test_the_rate_is_set_in_every_group() -> None:
    optimizer = build_optimizer(net(), Train(1, 1, 0.1, 0))
    set_rate(optimizer, 0.03)
    assert [group["lr"] for group in optimizer.param_groups] == [0.03, 0.03]
