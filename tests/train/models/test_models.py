"""Models by name: what is built, how large it is, and options that are refused."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import InputError
from spikeport.train import (
    ALIF,
    DALIF,
    LIF,
    PLIF,
    Branch,
    MaxPool2d,
    QuantConv2d,
    QuantLinear,
    Readout,
    Residual,
    Shortcut,
    SpikeDropout,
    SpikingLayer,
    TDBatchNorm2d,
    Vote,
)
from spikeport.train.models import MODELS, Source, build_model

OPTIONS: dict[str, Any] = {"steps": 3, "neuron": "alif", "channels": (2, 3), "votes": 2}
SMALL: dict[str, dict[str, Any]] = {
    "alif_net": {"channels": 2, "hidden": 4},
    "small_conv": OPTIONS,
    **{name: {"width": 1} for name in ("resnet18", "resnet19", "resnet20", "resnet34", "vgg11", "vgg16")},
}


def build(**changes: Any) -> nn.Sequential:
    return build_model("small_conv", Source((1, 8, 8)), 10, **{**OPTIONS, **changes})


def spiking(net: nn.Module) -> list[SpikingLayer]:
    return [m for m in net.modules() if isinstance(m, SpikingLayer)]


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


# ---------------------------------------------------------------- size


@pytest.mark.parametrize(
    ("model", "shape", "classes", "count", "published", "neurons"),
    [  # counts in millions as DA-LIF's Table I and TAID's Table 8 give them; 2 scalars for each layer of neurons
        ("resnet20", (3, 32, 32), 100, 11_294_154, "11.29", 19),
        ("resnet20", (3, 32, 32), 10, 11_247_984, "11.25", 19),
        ("resnet19", (3, 32, 32), 10, 12_569_260, "12.57", 17),
        ("resnet19", (3, 32, 32), 100, 12_615_430, "12.62", 17),
        ("vgg16", (3, 32, 32), 10, 14_728_292, "14.73", 13),
        ("vgg16", (3, 32, 32), 100, 14_774_462, "14.77", 13),
        ("vgg11", (2, 128, 128), 11, 9_231_067, "9.23", 8),
        ("resnet18", (3, 224, 224), 1000, 11_689_546, "11.69", 17),
        ("resnet34", (3, 224, 224), 1000, 21_797_738, "21.80", 33),
        ("alif_net", (1, 28, 28), 10, 13_198_984, "13.20", 4),
    ],
)
def test_a_model_has_as_many_parameters_as_its_paper_says(
    model: str, shape: tuple[int, int, int], classes: int, count: int, published: str, neurons: int
) -> None:
    with torch.device("meta"):
        net = build_model(model, Source(shape), classes)
    assert parameters(net) == count
    assert f"{count / 1e6:.2f}" == published
    assert len(spiking(net)) == neurons


def test_alifs_network_for_cifar_has_six_convolutions_and_two_dropouts() -> None:
    """TAID's Table 8: {{Conv256 - BN - ALIF} x 3 - MaxPool} x 2 - DP - 2048 - ALIF - DP - 100 - ALIF - AP."""
    with torch.device("meta"):
        net = build_model("alif_net", Source((3, 32, 32)), 10, channels=256, convs=3)
    conv = [SpikingLayer] * 3 + [MaxPool2d]
    tail = [nn.Flatten, SpikeDropout, SpikingLayer, SpikeDropout, SpikingLayer, Vote]
    assert [type(m) for m in net] == conv * 2 + tail
    # each convolution with its norm, then the two products, then 8 pairs of scalars
    convs = 3 * 256 * 9 + 5 * 256 * 256 * 9 + 6 * 2 * 256
    assert parameters(net) == convs + 256 * 8 * 8 * 2048 + 2048 * 100 + 2 * 8


# ---------------------------------------------------------------- shape of the residual networks


def residuals(model: str, **options: Any) -> list[Residual]:
    with torch.device("meta"):
        net = build_model(model, Source((3, 32, 32)), 10, **options)
    return [m for m in net if isinstance(m, Residual)]


@pytest.mark.parametrize(
    ("model", "channels"),
    [
        ("resnet20", [64, 64, 128, 128, 256, 256, 512, 512]),
        ("resnet19", [128] * 3 + [256] * 3 + [512] * 2),
        ("resnet18", [64] * 2 + [128] * 2 + [256] * 2 + [512] * 2),
        ("resnet34", [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3),
    ],
)
def test_blocks_widen_where_a_stage_begins_and_go_past_themselves_by_a_convolution(
    model: str, channels: list[int]
) -> None:
    blocks = residuals(model)
    assert [block.join.synapse.out_channels for block in blocks] == channels
    for before, block in zip([channels[0], *channels], blocks, strict=False):
        (first,) = block.body
        past = block.join.shortcut
        widens = block.join.synapse.out_channels != before
        assert first.synapse.stride == ((2, 2) if widens else (1, 1))
        assert isinstance(past, Branch if widens else Shortcut)
        if isinstance(past, Branch):
            assert past.synapse.kernel_size == (1, 1)
            assert past.synapse.bias is None and past.norm is not None
            means = model == "resnet20"
            assert (past.pool is not None, past.synapse.stride) == (means, (1, 1) if means else (2, 2))


def test_both_ways_of_the_first_block_see_the_pooled_spikes() -> None:
    for model, kernel, stride, padding in (("resnet20", 2, 2, 0), ("resnet18", 3, 2, 1)):
        first, second = residuals(model)[:2]
        for way in (first.body[0].main, first.join.shortcut):
            assert (way.pool.kernel_size, way.pool.stride, way.pool.padding) == (kernel, stride, padding)
        assert first.join.main.pool is None
        assert second.body[0].main.pool is None and second.join.shortcut.pool is None


def test_initial_weights_are_mpbns() -> None:
    """Convolutions N(0, 2 / (k k c_out)); the last layer has deviation 1 / n_in, and bias 0."""
    torch.manual_seed(0)
    net = build_model("vgg11", Source((3, 32, 32)), 10, width=16)
    for module in net.modules():
        if isinstance(module, QuantConv2d) and module.weight.numel() > 1e4:
            want = (2 / (9 * module.out_channels)) ** 0.5
            assert float(module.weight.detach().std()) == pytest.approx(want, rel=0.05)
            assert not module.bias.any()
    readout = net[-1]
    assert isinstance(readout, Readout) and not readout.synapse.bias.any()
    assert float(readout.synapse.weight.detach().std()) == pytest.approx(1 / 128, rel=0.1)


# ---------------------------------------------------------------- what comes out


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("training", [True, False])
def test_a_model_gives_one_number_per_class(model: str, training: bool) -> None:
    net = build_model(model, Source((1, 32, 32)), 7, **{**SMALL[model], "steps": 2}).train(training)
    out = net(torch.randint(0, 256, (3, 1, 32, 32)))
    assert out.shape == (3, 7)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_of_a_model_learns(model: str) -> None:
    torch.manual_seed(0)
    net = build_model(model, Source((2, 32, 32)), 3, **{**SMALL[model], "neuron": "alif", "surrogate": "atan"})
    for layer in spiking(net):
        layer.quantize = False
    out: Tensor = net.train()(torch.randint(0, 256, (4, 2, 32, 32)))
    (out * torch.rand(out.shape)).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(("name", "kind"), [("alif", ALIF), ("dalif", DALIF), ("lif", LIF), ("plif", PLIF)])
@pytest.mark.parametrize("model", MODELS)
def test_all_layers_have_the_neuron_that_was_named(model: str, name: str, kind: type) -> None:
    with torch.device("meta"):
        net = build_model(model, Source((1, 32, 32)), 10, **{**SMALL[model], "neuron": name})
    assert {type(layer.neuron) for layer in spiking(net)} == {kind}
    neurons = [layer.neuron for layer in spiking(net)]
    assert len(set(map(id, neurons))) == len(neurons)


def test_options_of_the_neuron_reach_every_layer() -> None:
    for layer in spiking(build(tau=0.5, threshold=0.7)):
        assert float(layer.neuron.keep().detach()) == pytest.approx(0.5)
        assert float(layer.neuron.threshold().detach()) == pytest.approx(0.7)


def test_options_of_the_dynamics_do_too_and_the_others_are_the_papers() -> None:
    chosen = {"surrogate": "atan", "surrogate_width": 0.25, "surrogate_centre": "zero"}
    for layer in spiking(build_model("resnet20", Source((1, 16, 16)), 2, width=2, reset="subtract", **chosen)):
        dynamics, surrogate = layer.neuron.dynamics, layer.neuron.dynamics.surrogate
        assert (surrogate.shape, surrogate.width, surrogate.centre) == ("atan", 0.25, "zero")
        assert (dynamics.reset, dynamics.detach_reset) == ("subtract", False)
        assert layer.synapse.out_channels % 2 == 0
    assert spiking(build(neuron="plif"))[0].neuron.dynamics.surrogate.shape == "atan"
    assert spiking(build(neuron="alif"))[0].neuron.dynamics.detach_reset


def test_the_thresholds_norm_knows_the_threshold() -> None:
    net = build_model("resnet20", Source((1, 16, 16)), 2, width=2, norm="tdbn", neuron="lif", threshold=0.4)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 22
    assert all(isinstance(m, TDBatchNorm2d) and m.factor == pytest.approx(0.4) for m in norms)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neuron": "hh"}, "model: neuron (hh) is not one of lif, plif, alif, dalif"),
        ({"tau": 3.0}, "ALIF: tau (3.0) is not in (0, 1)"),
        ({"learn": "beta"}, "ALIF: learn (beta) is not one of both, tau, threshold, none"),
        ({"surrogate": "square"}, "Surrogate: shape (square) is not one of rectangular, atan"),
        ({"reset": "soft"}, "Dynamics: reset (soft) is not one of zero, subtract"),
        ({"steps": 0}, "Image: steps (0) is not an integer in [1, 32768]"),
        ({"channels": (0, 2)}, "model small_conv: channels (0) is not a positive integer"),
        ({"channels": "ab"}, "model small_conv: channels (a) is not a positive integer"),
        ({"votes": -1}, "model small_conv: votes (-1) is not a positive integer"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        build(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("model", "shape", "classes", "options", "message"),
    [
        ("resnet20", (3, 32, 32), 0, {}, "model resnet20: classes (0) is not a positive integer"),
        ("resnet18", (3, 32, 32), 2, {"width": 1.5}, "model resnet18: width (1.5) is not a positive integer"),
        ("vgg16", (3, 32, 32), 2, {"norm": "ln"}, "model: norm (ln) is not one of bn, tdbn"),
        ("alif_net", (1, 8, 8), 2, {"pool": "sum"}, "model alif_net: pool (sum) is not one of max, average"),
        ("alif_net", (1, 8, 8), 2, {"dropout": 1.0}, "SpikeDropout: p (1.0) is not in [0, 1)"),
        ("alif_net", (1, 8, 8), 2, {"convs": 0}, "model alif_net: convs (0) is not a positive integer"),
        ("alif_net", (1, 8, 8), 0, {}, "model alif_net: classes (0) is not a positive integer"),
        (
            "resnet20",
            (3, 24, 24),
            2,
            {},
            "model resnet20: image size ((24, 24)) cannot be halved; pad or scale the images to a multiple of 16",
        ),
        (
            "vgg11",
            (2, 32, 48),
            2,
            {},
            "model vgg11: image size ((32, 48)) cannot be halved; pad or scale the images to a multiple of 32",
        ),
    ],
)
def test_models_that_cannot_be_are_refused(
    model: str, shape: tuple[int, int, int], classes: int, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        build_model(model, Source(shape), classes, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("changes", [{"colour": 1}, {"channels": (1,)}, {"tau": "a"}], ids=str)
def test_options_of_another_kind_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        build(**changes)
    assert (caught.value.where, caught.value.what) == ("model small_conv", "options")


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        build_model("resnet", Source((1, 8, 8)), 10)
    assert str(caught.value) == f"model: name (resnet) is not one of {', '.join(sorted(MODELS))}"


def test_a_readout_takes_the_channels_of_the_last_stage() -> None:
    net = build_model("resnet19", Source((3, 32, 32)), 10, width=4)
    readout = net[-1]
    assert isinstance(readout, Readout) and isinstance(readout.synapse, QuantLinear)
    assert (readout.synapse.in_features, readout.synapse.out_features) == (16, 10)
