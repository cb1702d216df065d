"""A training layer against torch's own synapse, batch norm and the neuron alone, in float64.

The arctangent's slope tells currents apart that spike alike, so equal gradients mean equal currents.
"""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.train import (
    DALIF,
    Branch,
    Dynamics,
    Image,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    Shortcut,
    SpikingLayer,
    Surrogate,
    TDBatchNorm1d,
    TDBatchNorm2d,
)
from spikeport.train.synapses import AnyBatchNorm, Synapse

NEAR = {"rtol": 1e-9, "atol": 1e-10}
Case = tuple[SpikingLayer, Tensor]


def layer_of(synapse: Synapse, norm: AnyBatchNorm, **options: object) -> SpikingLayer:
    neuron = DALIF(0.2, alpha=0.7, beta=0.6, dynamics=Dynamics(Surrogate("atan")))
    return SpikingLayer(synapse, neuron, norm, quantize=False, **options)


def conv(norm: AnyBatchNorm | None = None, bias: bool = True) -> Case:
    synapse = QuantConv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=bias)
    return layer_of(synapse, norm or nn.BatchNorm2d(4)), torch.rand(3, 4, 2, 5, 7)


def linear(norm: AnyBatchNorm | None = None, bias: bool = True) -> Case:
    return layer_of(QuantLinear(5, 3, bias=bias), norm or nn.BatchNorm1d(3)), torch.rand(4, 6, 5)


def transposed() -> Case:
    synapse = QuantConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2)
    return layer_of(synapse, nn.BatchNorm2d(6)), torch.rand(3, 2, 4, 3, 4)


CASES: dict[str, Callable[[], Case]] = {
    "conv": conv,
    "conv without bias": lambda: conv(bias=False),
    "transposed": transposed,
    "linear": linear,
    "linear without bias": lambda: linear(bias=False),
    "cumulative mean": lambda: conv(nn.BatchNorm2d(4, momentum=None)),
    "momentum 0": lambda: conv(nn.BatchNorm2d(4, momentum=0.0)),
    "momentum 1": lambda: linear(nn.BatchNorm1d(3, momentum=1.0)),
    "not affine": lambda: conv(nn.BatchNorm2d(4, affine=False)),
    "large eps": lambda: linear(nn.BatchNorm1d(3, eps=0.5)),
    "of the threshold, 1d": lambda: linear(TDBatchNorm1d(3, 0.4, 2.0)),
    "of the threshold, 2d": lambda: conv(TDBatchNorm2d(4, 0.4)),
}
cases = pytest.mark.parametrize("make", CASES.values(), ids=CASES)


def case(make: Callable[[], Case]) -> Case:
    torch.manual_seed(3)
    layer, x = make()
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(-0.3, 0.2)
            module.running_var.uniform_(0.1, 3.0)
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias, 0.3, 0.5)
    return layer.double().train(), x.double()


def of_torch(synapse: Synapse, x: Tensor) -> Tensor:
    if isinstance(synapse, QuantLinear):
        return F.linear(x, synapse.weight, synapse.bias)
    if isinstance(synapse, QuantConv2d):
        return F.conv2d(x, synapse.weight, synapse.bias, synapse.stride, synapse.padding, groups=synapse.groups)
    return F.conv_transpose2d(
        x, synapse.weight, synapse.bias, synapse.stride, synapse.padding, synapse.output_padding, synapse.groups
    )


def by_torch(layer: SpikingLayer, x: Tensor, past: Tensor | None = None) -> Tensor:
    """Each branch as torch has it, their sum, the gain, and the neuron without any norm."""
    main = layer.main
    flat = x.flatten(0, 1) if main.pool is None else main.pool(x.flatten(0, 1))
    y = of_torch(main.synapse, flat) if main.norm is None else main.norm(of_torch(main.synapse, flat))
    if past is not None:
        other = layer.shortcut
        flat = past.flatten(0, 1) if other.pool is None else other.pool(past.flatten(0, 1))
        y = y + (flat if isinstance(other, Shortcut) else other.norm(of_torch(other.synapse, flat)))
    return layer.neuron(layer.neuron.gain() * y.reshape(*x.shape[:2], *y.shape[1:]))


def assert_alike(layer: SpikingLayer, *inputs: Tensor, batches: int = 3) -> None:
    """Spikes, gradients of inputs and parameters, and statistics, over some batches."""
    twin = copy.deepcopy(layer)
    for _ in range(batches):
        given = [x.clone().requires_grad_() for x in inputs]
        theirs = [x.clone().requires_grad_() for x in inputs]
        found, want = layer(*given), by_torch(twin, *theirs)
        assert torch.equal(found, want)
        assert 0 < found.mean() < 1
        cost = torch.randn_like(found)
        (found * cost).sum().backward()
        (want * cost).sum().backward()
        for mine, its in zip(given, theirs, strict=True):
            assert torch.allclose(mine.grad, its.grad, **NEAR)
        inputs = tuple(torch.rand_like(x) for x in inputs)
    mine, its = dict(layer.named_parameters()), dict(twin.named_parameters())
    for name, parameter in mine.items():
        assert torch.allclose(parameter.grad, its[name].grad, **NEAR), name
    mine, its = dict(layer.named_buffers()), dict(twin.named_buffers())
    for name, buffer in mine.items():
        assert torch.allclose(buffer.double(), its[name].double(), **NEAR), name


@cases
def test_a_batch_is_normalised_as_torch_does(make: Callable[[], Case]) -> None:
    layer, x = case(make)
    assert_alike(layer, x)
    assert layer.main.norm.num_batches_tracked == 3


@cases
def test_a_norm_may_be_frozen_while_the_layer_trains(make: Callable[[], Case]) -> None:
    """The running statistics stay, and all that is in front of them learns, the synapse's bias too."""
    layer, x = case(make)
    layer.main.norm.eval()
    before = [b.clone() for b in layer.main.norm.buffers()]
    assert_alike(layer, x)
    assert all(torch.equal(a, b) for a, b in zip(before, layer.main.norm.buffers(), strict=True))


@cases
def test_so_does_the_float_form_in_eval_mode(make: Callable[[], Case]) -> None:
    layer, x = case(make)
    assert_alike(layer.eval(), x, batches=1)


SHORTCUTS: dict[str, Callable[[], Branch | Shortcut]] = {
    "spikes": Shortcut,
    "means": lambda: Shortcut(nn.AvgPool2d(3, 1, 1)),
    "branch": lambda: Branch(QuantConv2d(4, 4, 1), nn.BatchNorm2d(4)),
    "branch of means": lambda: Branch(QuantConv2d(4, 4, 1, bias=False), TDBatchNorm2d(4), nn.AvgPool2d(3, 1, 1)),
}


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("make", SHORTCUTS.values(), ids=SHORTCUTS)
def test_two_ways_are_added_up_and_each_is_normalised_alone(
    make: Callable[[], Branch | Shortcut], frozen: bool, pooled: bool
) -> None:
    pool = nn.AvgPool2d(2, divisor_override=None) if pooled else None
    size = 12 if pooled else 6
    past = torch.rand(3, 2, 4, 6, 6).double()

    def both() -> Case:
        synapse = QuantConv2d(2, 4, 3, padding=1)
        layer = layer_of(synapse, nn.BatchNorm2d(4), pool=pool, shortcut=make())
        return layer, torch.rand(3, 2, 2, size, size)

    layer, x = case(both)
    if frozen:
        for module in layer.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
    assert_alike(layer, x, past, batches=1 if pooled else 3)


def test_a_layer_without_a_norm_is_its_synapse() -> None:
    def bare() -> Case:
        neuron = DALIF(0.1, dynamics=Dynamics(Surrogate("atan")))
        return SpikingLayer(QuantLinear(5, 3), neuron, quantize=False), torch.rand(4, 6, 5)

    layer, x = case(bare)
    assert_alike(layer, x)


def test_images_of_each_step_are_normalised_together() -> None:
    """A still image has one map, whose statistics are those over the batch; frames have T of them."""

    def framed() -> Case:
        synapse = QuantConv2d(1, 3, 3)
        return layer_of(synapse, nn.BatchNorm2d(3), image=Image(4, 0, 1, 1.0)), torch.rand(4, 2, 1, 6, 6)

    layer, x = case(framed)
    assert_alike(layer, x)
