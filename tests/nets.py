"""Random networks for tests: small, of every architecture that exports, and fond of the edges.

`random_net(rng)` gives a `nn.Sequential` in eval mode with random weights, decays, thresholds, gains and batch-norm
statistics, and integers that it takes. Between the nets there are image and spike inputs, strided, grouped, dilated
and non-square convolutions, linear layers, layers without batch norm, dead channels, and all-zero weights.
"""

import torch
from torch import Tensor, nn

from spikeport.train import ALIF, DALIF, Image, QuantConv2d, QuantLinear, SpikingLayer, Vote

Rng = torch.Generator
Shape = tuple[int, ...]
IMAGES = ((0, 255, 1 / 255), (-128, 127, 0.01), (0, 1, 1.0), (0, 16, 0.3))


def random_net(seed: int, *, edges: bool = False) -> tuple[nn.Sequential, Tensor]:
    """A net and its input: `(B, *in)` images or `(T, B, *in)` spikes, int64.

    Args:
        edges: Draw parameters from far wider ranges; the net may overflow, or be refused.
    """
    rng = torch.Generator().manual_seed(seed)
    steps, batch = pick(rng, 3, 8, 13), pick(rng, 1, 3)
    shape: Shape = (
        (pick(rng, 1, 2, 4), pick(rng, 4, 6, 7), pick(rng, 5, 8)) if chance(rng, 0.7) else (pick(rng, 5, 20),)
    )
    image = chance(rng, 0.5)
    low, high, scale = IMAGES[pick(rng, *range(len(IMAGES)))]
    size = (batch, *shape) if image else (steps, batch, *shape)
    x = torch.randint(low, high + 1, size, generator=rng) if image else (torch.rand(size, generator=rng) < 0.4).long()
    modules: list[nn.Module] = []
    for number in range(pick(rng, 1, 2, 3)):
        first = Image(steps, low, high, scale) if image and number == 0 else None
        if len(shape) == 3 and (min(shape[1:]) < 3 or chance(rng, 0.3)):
            modules.append(nn.Flatten(1 if first else 2))
            shape = (shape[0] * shape[1] * shape[2],)
        layer, shape = random_layer(rng, shape, first, edges)
        modules.append(layer)
    if len(shape) == 1 and shape[0] % 2 == 0 and chance(rng, 0.5):
        modules.append(Vote(2))
    return nn.Sequential(*modules).eval(), x


def random_layer(rng: Rng, shape: Shape, image: Image | None, edges: bool) -> tuple[SpikingLayer, Shape]:
    synapse, out = random_synapse(rng, shape)
    channels = synapse.weight.shape[0]
    make = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
    norm = make(channels) if chance(rng, 0.7) else None
    layer = SpikingLayer(synapse, random_neuron(rng, edges), norm, image=image)
    with torch.no_grad():
        _randomize(rng, layer, edges)
    return layer, out


def random_synapse(rng: Rng, shape: Shape) -> tuple[QuantConv2d | QuantLinear, Shape]:
    bias = chance(rng, 0.6)
    if len(shape) == 1:
        n = pick(rng, 4, 7, 10)
        return QuantLinear(shape[0], n, bias=bias), (n,)
    groups = pick(rng, *(g for g in (1, 1, 2, shape[0]) if shape[0] % g == 0))
    kernel = (pick(rng, 1, 2, 3), pick(rng, 1, 3))
    conv = QuantConv2d(
        shape[0],
        groups * pick(rng, 1, 2),
        kernel,
        stride=(pick(rng, 1, 2), pick(rng, 1, 2, 3)),
        padding=(pick(rng, 0, 1), pick(rng, 0, 1, 2)),
        dilation=(pick(rng, 1, 2) if kernel[0] == 2 else 1, 1),
        groups=groups,
        bias=bias,
    )
    with torch.no_grad():
        out = conv(torch.zeros(1, *shape)).shape[1:]
    return conv, tuple(out)


def random_neuron(rng: Rng, edges: bool) -> ALIF | DALIF:
    spread = 20.0 if edges else 2.0
    neuron: ALIF | DALIF
    if chance(rng, 0.5):
        neuron = ALIF()
        raw = neuron.tau_raw, neuron.vth.raw
    else:
        neuron = DALIF(threshold=10 ** (pick(rng, -6, -3, 0, 3) if edges else 0.0) * pick(rng, 1, 2) / 2)
        raw = neuron.alpha.raw, neuron.beta.raw
    for parameter in raw:
        nn.init.normal_(parameter.data.view(1), 0.0, spread, generator=rng)
    return neuron


def chance(rng: Rng, probability: float) -> bool:
    return float(torch.rand((), generator=rng)) < probability


def pick(rng: Rng, *choices: int) -> int:
    return choices[int(torch.randint(len(choices), (), generator=rng))]


def _randomize(rng: Rng, layer: SpikingLayer, edges: bool) -> None:
    weight, bias, norm = layer.synapse.weight, layer.synapse.bias, layer.main.norm
    scale = 10.0 ** pick(rng, -9, -3, -1, 0, 2, 6) if edges else 1.0
    fan_in = weight[0].numel()
    weight.normal_(0.2 * scale / fan_in**0.5, 2 * scale / fan_in**0.5, generator=rng)
    if bias is not None:
        bias.normal_(0.0, 0.3 * scale * (10.0 ** pick(rng, -3, 0, 2, 4) if edges else 1.0), generator=rng)
    if norm is not None:
        norm.weight.normal_(1.0, 0.5, generator=rng)
        norm.bias.normal_(0.0, 0.5, generator=rng)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.normal_(0.0, 0.3 * scale, generator=rng)
        norm.running_var.exponential_(1.0 / scale**2, generator=rng)
        if edges and chance(rng, 0.3):
            norm.running_var[0] = 0  # a channel that never fired in training
    if chance(rng, 0.1):
        weight[0] = 0
    if edges and chance(rng, 0.1):
        weight.zero_()
    if edges and chance(rng, 0.1):
        weight.copy_(torch.where(torch.arange(weight.numel()).reshape(weight.shape) == 0, weight, 0))
    if chance(rng, 0.2):
        weight.abs_()
