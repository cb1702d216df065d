"""What you train is what runs, with transposed convolutions: kernels where the stride is 1, else listed synapses."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.deploy import compile_graph
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.read import read_nir
from spikeport.errors import InputError
from spikeport.export import to_nir, write_nir
from spikeport.program import Conv, Dense, Sparse
from spikeport.train import (
    ALIF,
    DALIF,
    Image,
    MaxPool2d,
    QuantConv2d,
    QuantConvTranspose2d,
    QuantLinear,
    SpikingLayer,
)
from spikeport.train.fold import fold
from tests.nets import Rng, chance, pick, random_neuron
from tests.whole_way import assert_same_spikes, compiled, layer_spikes

SEEDS = range(40)


def random_transposed(rng: Rng, channels: int) -> QuantConvTranspose2d:
    groups = pick(rng, *(g for g in (1, 2) if channels % g == 0))
    stride = (pick(rng, 1, 2), pick(rng, 1, 2, 3))
    dilation = (pick(rng, 1, 1, 2), 1)
    return QuantConvTranspose2d(
        channels,
        groups * pick(rng, 1, 2, 3),
        (pick(rng, 2, 3), pick(rng, 1, 3)),
        stride=stride,
        padding=(pick(rng, 0, 1), 0),
        output_padding=(max(stride[0], dilation[0]) - 1 if chance(rng, 0.5) else 0, 0),
        groups=groups,
        bias=chance(rng, 0.7),
        dilation=dilation,
    )


def random_decoder(seed: int) -> tuple[nn.Sequential, Tensor]:
    """Spikes or an image -> Linear -> Unflatten -> ConvTranspose, once or twice -> perhaps Conv or a vote."""
    rng = Rng().manual_seed(seed)
    steps, shape = pick(rng, 5, 9), (pick(rng, 2, 4), pick(rng, 3, 4), 3)
    image = Image(steps) if chance(rng, 0.3) else None
    x = torch.randint(0, 256, (2, 6), generator=rng) if image else (torch.rand(steps, 2, 6, generator=rng) < 0.5).long()
    modules = [random_layer(rng, QuantLinear(6, int(np.prod(shape))), image), nn.Unflatten(2, shape)]
    channels = shape[0]
    for _ in range(pick(rng, 1, 2)):
        synapse = random_transposed(rng, channels)
        modules.append(random_layer(rng, synapse, None))
        channels = synapse.out_channels
    if chance(rng, 0.4):
        modules.append(random_layer(rng, QuantConv2d(channels, 2, 2, padding=1), None))
        channels = 2
    if chance(rng, 0.3):
        modules.append(nn.Flatten(2))
    return nn.Sequential(*modules).eval(), x


def random_layer(
    rng: Rng, synapse: QuantLinear | QuantConv2d | QuantConvTranspose2d, image: Image | None
) -> SpikingLayer:
    linear = isinstance(synapse, QuantLinear)
    channels = synapse.out_features if isinstance(synapse, QuantLinear) else synapse.out_channels
    norm = (nn.BatchNorm1d(channels) if linear else nn.BatchNorm2d(channels)) if chance(rng, 0.6) else None
    layer = SpikingLayer(synapse, random_neuron(rng, False), norm, image=image)
    with torch.no_grad():
        synapse.weight.normal_(0.3, 0.8, generator=rng)
        if synapse.bias is not None:
            synapse.bias.normal_(0.05, 0.2, generator=rng)
        if norm is not None:
            norm.weight.normal_(1.0, 0.5, generator=rng)
            norm.bias.normal_(0.0, 0.3, generator=rng)
            norm.running_mean.normal_(0.0, 0.5, generator=rng)
            norm.running_var.exponential_(1.0, generator=rng)
    return layer


@pytest.mark.parametrize("seed", SEEDS)
def test_torch_and_the_simulator_spike_alike(seed: int, tmp_path: Path) -> None:
    net, x = random_decoder(seed)
    assert_same_spikes(net, x, compiled(net, x, tmp_path))


def test_the_random_networks_are_worth_comparing() -> None:
    rates, kinds = [], set()
    for seed in SEEDS:
        net, x = random_decoder(seed)
        rates += [s.mean() for s in layer_spikes(net, x)]
        kinds |= {type(c) for c in compile_graph(to_nir(net, x)).connections}
    assert sum(0.02 < rate < 0.98 for rate in rates) > len(rates) / 2
    assert {Conv, Sparse, Dense} & kinds >= {Conv, Sparse}


def test_the_float_form_of_the_file_is_the_layers_own(tmp_path: Path) -> None:
    """The file's graph, stepped in float64 by Euler's rule, spikes as torch does: no rounding is near a threshold."""
    torch.manual_seed(0)
    synapse = QuantConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2)
    net = nn.Sequential(SpikingLayer(synapse, ALIF(0.5, 0.13))).eval()
    x = (torch.rand(1, 8, 2, 3, 3) < 0.5).long()  # one step: v is what arrives
    write_nir(to_nir(net, x), tmp_path / "net.nir")
    found = interpret(read_nir(tmp_path / "net.nir"), x.numpy())["output"]
    assert found.shape == (1, 8, 4, 6, 6)
    assert np.array_equal(found, net(x).numpy())
    assert 0.05 < found.mean() < 0.95


def test_stride_1_becomes_a_kernel_and_the_linear_layers_neurons_an_image(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = SpikingLayer(QuantLinear(5, 2 * 6 * 6), ALIF(0.5, 0.2))
    second = SpikingLayer(QuantConvTranspose2d(2, 3, 3, padding=1), ALIF(0.5, 0.2))
    net = nn.Sequential(first, nn.Unflatten(2, (2, 6, 6)), second, MaxPool2d(2), nn.Flatten(2)).eval()
    x = (torch.rand(7, 2, 5) < 0.5).long()
    program = compiled(net, x, tmp_path)
    assert [type(c) for c in program.connections] == [Dense, Conv, Conv]
    assert program.groups[0].shape == (2, 6, 6)
    assert assert_same_spikes(net, x, program) > 0


def test_batch_norm_and_gain_are_folded_into_each_output_channel() -> None:
    torch.manual_seed(0)
    synapse, norm = QuantConvTranspose2d(4, 6, 3, stride=2, groups=2), nn.BatchNorm2d(6).eval()
    with torch.no_grad():
        for values in (norm.weight, norm.bias, norm.running_mean):
            values.normal_()
        norm.running_var.exponential_()
    x = torch.rand(3, 4, 5, 5)
    folded = fold(synapse, norm, torch.tensor(0.7))
    found = synapse.apply_weight(x, folded.weight, folded.bias)
    plain = F.conv_transpose2d(x, synapse.weight, synapse.bias, 2, groups=2)
    assert torch.allclose(found, 0.7 * norm(plain), atol=1e-5)


def test_the_largest_sum_of_weights_into_a_neuron_bounds_every_sum() -> None:
    torch.manual_seed(0)
    synapse = QuantConvTranspose2d(4, 6, 3, groups=2)
    sums = synapse.apply_weight(torch.ones(1, 4, 5, 5), synapse.weight.abs(), None)
    assert torch.isclose(synapse.reach(synapse.weight), sums.amax())


def test_training_and_eval_see_one_network() -> None:
    torch.manual_seed(0)
    layer = SpikingLayer(QuantConvTranspose2d(3, 2, 3, stride=2), DALIF(0.3))
    x = (torch.rand(9, 2, 3, 4, 4) < 0.5).float()
    assert torch.equal(layer.train()(x), layer.eval()(x))
    layer.train()(x).sum().backward()
    assert layer.synapse.weight.grad is not None and bool(layer.synapse.weight.grad.any())


def test_an_image_does_not_begin_with_one() -> None:
    with pytest.raises(InputError, match="image is not taken by a QuantConvTranspose2d"):
        SpikingLayer(QuantConvTranspose2d(1, 1, 2), ALIF(), image=Image(3))
