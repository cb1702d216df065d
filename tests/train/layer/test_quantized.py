"""Quantized training: the weights, thresholds and biases of `integers()`, with gradients that pass straight through."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikeport.train import (
    ALIF,
    DALIF,
    LIF,
    Branch,
    Dynamics,
    Image,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    Shortcut,
    SpikingLayer,
    Surrogate,
    TDBatchNorm2d,
)

Made = tuple[SpikingLayer, tuple[Tensor, ...]]


def spikes(*shape: int) -> Tensor:
    return (torch.rand(shape) < 0.5).double()


def conv(norm: nn.BatchNorm2d | None = None, pool: nn.AvgPool2d | None = None) -> Made:
    layer = SpikingLayer(QuantConv2d(3, 4, 3), ALIF(0.5, 0.3), norm, pool=pool)
    return layer, (spikes(1, 8, 3, 12, 12),)


def joined(shortcut: Branch | Shortcut, scale: float = 1.0) -> Made:
    layer = SpikingLayer(QuantConv2d(3, 4, 3, padding=1), DALIF(0.6), nn.BatchNorm2d(4), shortcut=shortcut)
    if isinstance(shortcut, Branch):
        shortcut.synapse.weight.data.mul_(scale)
    return layer, (spikes(1, 8, 3, 6, 6), spikes(1, 8, 4, 6, 6))


def past(norm: nn.BatchNorm2d | None = None, pool: nn.AvgPool2d | None = None) -> Branch:
    return Branch(QuantConv2d(4, 4, 1), norm, pool)


CASES: dict[str, Callable[[], Made]] = {
    "no norm": lambda: conv(),
    "norm": lambda: conv(nn.BatchNorm2d(4)),
    "norm of the threshold": lambda: conv(TDBatchNorm2d(4, 0.3)),
    "means": lambda: conv(nn.BatchNorm2d(4), nn.AvgPool2d(2)),
    "means that overlap": lambda: conv(nn.BatchNorm2d(4), nn.AvgPool2d(3, 2)),
    "linear": lambda: (SpikingLayer(QuantLinear(9, 5), ALIF(0.5, 0.3), nn.BatchNorm1d(5)), (spikes(1, 30, 9),)),
    "transposed": lambda: (
        SpikingLayer(QuantConvTranspose2d(4, 6, 3, groups=2), ALIF(0.5, 0.2), nn.BatchNorm2d(6)),
        (spikes(1, 8, 4, 5, 5),),
    ),
    "spikes as they are": lambda: joined(Shortcut()),
    "means of spikes": lambda: joined(Shortcut(nn.AvgPool2d(3, 1, 1))),
    "a branch": lambda: joined(past(nn.BatchNorm2d(4))),
    "a branch of means": lambda: joined(past(nn.BatchNorm2d(4), nn.AvgPool2d(3, 1, 1))),
    "a heavy branch": lambda: joined(past(), 20.0),
    "a light branch": lambda: joined(past(), 0.03),
    "a branch of zeros": lambda: joined(past(), 0.0),
}
cases = pytest.mark.parametrize("make", CASES.values(), ids=CASES)


def case(make: Callable[[], Made]) -> Made:
    """In training mode with frozen norms of random statistics."""
    torch.manual_seed(5)
    layer, inputs = make()
    layer.double().train()
    for norm in (m for m in layer.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)):
        norm.eval()
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias, 0.3, 0.3)
        norm.running_mean.normal_(0, 0.3)
        norm.running_var.uniform_(0.1, 2.0)
    return layer, inputs


def weights_used(layer: SpikingLayer, inputs: tuple[Tensor, ...]) -> list[Tensor]:
    """What each synapse computed with, in the order of the branches."""
    used: list[Tensor] = []

    def record(apply: Any) -> Any:
        def wrapped(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            used.append(weight.detach())
            return apply(x, weight, bias)

        return wrapped

    watched = copy.deepcopy(layer)
    for branch in watched.branches:
        if isinstance(branch, Branch):
            branch.synapse.apply_weight = record(branch.synapse.apply_weight)
    watched(*inputs)
    return used


# ---------------------------------------------------------------- the same numbers as the chip


@cases
def test_the_rounded_weights_are_the_chips(make: Callable[[], Made]) -> None:
    """With w the weight that was used, gain gamma / sqrt(var + eps) w is its mantissa in units, over the window's."""
    layer, inputs = case(make)
    ints = layer.integers()
    branches = [branch for branch in layer.branches if isinstance(branch, Branch)]
    mantissas = [w for w in (ints.weight, ints.past) if w is not None]
    for branch, used, mantissa in zip(branches, weights_used(layer, inputs), mantissas, strict=False):
        factor = layer.neuron.gain().detach().expand(ints.bias.shape)
        if branch.norm is not None:
            gamma = branch.norm.weight * getattr(branch.norm, "factor", 1.0)
            factor = (factor * gamma / torch.sqrt(branch.norm.running_var + branch.norm.eps)).detach()
        divisor = 1 if branch.pool is None else branch.pool.kernel_size**2
        in_units = used * branch.synapse.per_weight(factor) / (ints.unit * divisor)
        assert torch.allclose(in_units, mantissa.double(), rtol=0, atol=1e-9)


@cases
def test_one_step_of_training_is_one_step_of_the_chip(make: Callable[[], Made]) -> None:
    """Nothing has leaked yet, so no v was rounded: same weights, bias and threshold, same spikes."""
    layer, inputs = case(make)
    found = layer(*inputs)
    assert 0.02 < found.mean() < 0.98
    assert torch.equal(found, layer.eval()(*inputs))


@pytest.mark.parametrize("bias", [True, False])
def test_one_step_of_an_image_is_one_step_of_the_chip(bias: bool) -> None:
    """Up to images whose sum lies half between two mantissas; the chip's offset has 20 bits."""
    torch.manual_seed(0)
    synapse = QuantConv2d(2, 4, 3, bias=bias)
    layer = SpikingLayer(synapse, ALIF(0.5, 0.1), nn.BatchNorm2d(4), image=Image(1)).double().train()
    layer.main.norm.eval()
    nn.init.normal_(layer.main.norm.bias, 0.1, 0.1)
    x = torch.randint(0, 256, (16, 2, 8, 8))
    found, chip = layer(x), layer.eval()(x)
    assert 0.1 < chip.mean() < 0.9
    assert (found != chip).double().mean() < 2e-3


@pytest.mark.parametrize("gamma", [1.0, -0.5, 0.0])
def test_the_batch_normalises_what_the_running_statistics_rounded(gamma: float) -> None:
    """The weights are those of the grid before the step; torch's own norm over them gives the same spikes."""
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(4)
    layer = SpikingLayer(QuantConv2d(3, 4, 3, bias=False), LIF(0.0, 0.25), norm).double().train()
    norm.running_var.uniform_(0.1, 2.0)
    norm.weight.data[1] = gamma
    x = spikes(1, 8, 3, 9, 9)
    ints, fresh = layer.integers(), nn.BatchNorm2d(4).double()
    fresh.load_state_dict(norm.state_dict())
    (used,) = weights_used(layer, (x,))
    if gamma:
        back = ints.unit * torch.sqrt(norm.running_var + norm.eps) / norm.weight.detach()
        assert torch.allclose(used, ints.weight * back[:, None, None, None], rtol=1e-9)
    y = fresh(nn.functional.conv2d(x.flatten(0, 1), used))
    threshold = ints.vth * ints.unit  # by the bias, which the chip rounds, currents are off by up to half a step
    off = 2.0 ** (layer.integers().bias_exp - 6) * ints.unit
    found = layer(x).flatten(0, 1)
    clear = (y - threshold).abs() > off
    assert clear.double().mean() > 0.9
    assert torch.equal(found[clear], (y > threshold).double()[clear])


# ---------------------------------------------------------------- gradients


def on_the_grid(layer: SpikingLayer) -> SpikingLayer:
    """Every number a multiple of its step, so that rounding changes nothing; all steps are powers of 2."""
    for branch in layer.branches:
        if isinstance(branch, Branch):
            weight = branch.synapse.weight.data
            weight.copy_(torch.randint(-126, 127, weight.shape) / 128)
            weight.view(-1)[0] = 127 / 128
            if branch.synapse.bias is not None:
                branch.synapse.bias.data.copy_(torch.randint(-40, 40, branch.synapse.bias.shape) / 256)
            if branch.norm is not None:
                branch.norm.eps = 0.0
                branch.norm.running_var.fill_(1.0)
                branch.norm.running_mean.copy_(torch.randint(-40, 40, branch.norm.running_mean.shape) / 256)
                branch.norm.bias.data.copy_(torch.randint(-20, 20, branch.norm.bias.shape) / 256)
    return layer


def grid_layer(norm: bool, shortcut: Branch | None, reset: str) -> SpikingLayer:
    dynamics = Dynamics(Surrogate("atan"), reset, detach_reset=False)
    neuron = ALIF(0.5, 0.75, constrained=False, dynamics=dynamics)
    synapse = QuantConv2d(3, 4, 3, padding=1)
    return on_the_grid(SpikingLayer(synapse, neuron, nn.BatchNorm2d(4) if norm else None, shortcut=shortcut).double())


def gradients(layer: SpikingLayer, inputs: tuple[Tensor, ...], quantize: bool) -> tuple[Tensor, dict[str, Tensor]]:
    layer = copy.deepcopy(layer)
    layer.quantize = quantize
    given = [x.clone().requires_grad_() for x in inputs]
    out = layer(*given)
    torch.manual_seed(9)
    (out * torch.randn_like(out)).sum().backward()
    found = {name: p.grad for name, p in layer.named_parameters()}
    return out, found | {f"input {n}": x.grad for n, x in enumerate(given)}


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("norm", ["none", "frozen"])
def test_gradients_are_those_of_the_float_form_where_rounding_changes_nothing(
    norm: str, shortcut: bool, reset: str
) -> None:
    torch.manual_seed(2)
    way = Branch(QuantConv2d(4, 4, 1), nn.BatchNorm2d(4) if norm != "none" else None) if shortcut else None
    layer = grid_layer(norm != "none", way, reset).train()
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    inputs = (spikes(5, 2, 3, 6, 6), spikes(5, 2, 4, 6, 6))[: 1 + shortcut]
    (out, found), (plain, want) = gradients(layer, inputs, True), gradients(layer, inputs, False)
    assert torch.equal(out, plain)
    assert 0.05 < out.mean() < 0.95
    for name, gradient in want.items():
        assert gradient.any() and torch.allclose(found[name], gradient, rtol=1e-9, atol=1e-9), name


@pytest.mark.parametrize("gamma", [1.0, 0.0])
def test_so_they_are_where_the_batch_normalises(gamma: float) -> None:
    """Only the bias is rounded, by less than a step; a slope that is the same everywhere does not see it."""
    torch.manual_seed(2)
    layer = grid_layer(True, None, "zero").train()
    layer.neuron.dynamics = Dynamics(Surrogate("rectangular", 1000.0))
    layer.main.norm.weight.data[1] = gamma
    x = spikes(3, 2, 3, 6, 6)
    (out, found), (plain, want) = gradients(layer, (x,), True), gradients(layer, (x,), False)
    assert torch.equal(out, plain)
    assert want["main.norm.weight"][1] != 0
    del want["neuron.tau_raw"]  # it sees v itself
    for name, gradient in want.items():
        assert torch.allclose(found[name], gradient, rtol=1e-9, atol=1e-9), name


@cases
def test_every_parameter_learns(make: Callable[[], Made]) -> None:
    layer, inputs = case(make)
    layer.neuron.dynamics = Dynamics(Surrogate("atan"))
    inputs = tuple(x.expand(4, *x.shape[1:]) for x in inputs)
    out = layer(*inputs)
    (out * torch.randn_like(out)).sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all() and parameter.grad.any(), name
