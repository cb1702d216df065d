"""Random networks with residual blocks and readouts for tests, as `tests.nets` makes them without."""

import torch
from torch import Tensor, nn

from spikeport.train import (
    DALIF,
    LIF,
    AbstractNeuron,
    Branch,
    Dynamics,
    Image,
    MaxPool2d,
    QuantConv2d,
    QuantLinear,
    Readout,
    Residual,
    Shortcut,
    SpikingLayer,
)
from tests.nets import Rng, Shape, chance, pick, random_neuron


def random_residual_net(seed: int, soft: bool | None = None) -> tuple[nn.Sequential, Tensor]:
    """A layer of an image or of spikes, one to three blocks with pools between them, and perhaps a readout.

    Args:
        soft: Whether spikes take the threshold off; drawn if None.
    """
    rng = Rng().manual_seed(seed)
    torch.manual_seed(seed)
    reset = "subtract" if (chance(rng, 0.3) if soft is None else soft) else "zero"
    steps, batch = pick(rng, 4, 7), 2
    shape: Shape = (pick(rng, 1, 2, 3), pick(rng, 6, 8), pick(rng, 6, 10))
    image = chance(rng, 0.5)
    size = (batch, *shape) if image else (steps, batch, *shape)
    x = torch.randint(0, 256, size, generator=rng) if image else (torch.rand(size, generator=rng) < 0.4).long()
    channels = pick(rng, 2, 3)
    modules: list[nn.Module] = []
    if image or chance(rng, 0.6):
        modules.append(_layer(rng, shape[0], channels, reset, image=Image(steps) if image else None))
        shape = (channels, *shape[1:])
    for _ in range(pick(rng, 1, 2, 3)):
        if chance(rng, 0.2) and min(shape[1:]) >= 4 and modules:
            modules.append(MaxPool2d(2))
            shape = (shape[0], shape[1] // 2, shape[2] // 2)
        block, shape = random_block(rng, shape, reset)
        modules.append(block)
    if chance(rng, 0.7):
        if flat := chance(rng, 0.3):
            modules.append(nn.Flatten(2))
        n = shape[0] * shape[1] * shape[2] if flat else shape[0]
        modules.append(Readout(QuantLinear(n, 4, bias=chance(rng, 0.7))))
    return nn.Sequential(*modules).eval(), x


def random_block(rng: Rng, shape: Shape, reset: str) -> tuple[Residual, Shape]:
    """A body of one to three layers; the way past it is spikes, means, a convolution, or one of means."""
    c, h, w = shape
    stride = pick(rng, 1, 1, 2) if min(h, w) >= 4 and h % 2 == w % 2 == 0 else 1
    depth = pick(rng, 1, 1, 2, 3)
    out = c if stride == 1 and chance(rng, 0.5) else pick(rng, 2, 4)
    body = [
        _layer(rng, out if k else c, out, reset, stride=1 if k else stride, pool=_means(rng, k)) for k in range(depth)
    ]
    past: Branch | Shortcut
    if stride == 1 and c == out and chance(rng, 0.7):
        past = Shortcut(nn.AvgPool2d(3, 1, 1) if chance(rng, 0.3) else None)
    elif c == out and chance(rng, 0.5):
        past = Shortcut(nn.AvgPool2d(stride))
    else:
        mean = nn.AvgPool2d(stride) if stride > 1 and chance(rng, 0.5) else None
        conv = QuantConv2d(c, out, 1, 1 if mean else stride, bias=chance(rng, 0.5))
        nn.init.normal_(conv.weight, 0.3, float(pick(rng, 1, 4, 16)) / 4)
        past = Branch(conv, _norm(rng, out), mean)
    join = _layer(rng, out, out, reset, shortcut=past)
    return Residual(nn.Sequential(*body), join), (out, h // stride, w // stride)


def _layer(
    rng: Rng,
    c_in: int,
    c_out: int,
    reset: str,
    *,
    stride: int = 1,
    image: Image | None = None,
    pool: nn.AvgPool2d | None = None,
    shortcut: Branch | Shortcut | None = None,
) -> SpikingLayer:
    conv = QuantConv2d(c_in, c_out, 3, stride, 1, bias=chance(rng, 0.5))
    fan_in = conv.weight[0].numel()
    nn.init.normal_(conv.weight, 0.5 / fan_in**0.5, 2 / fan_in**0.5)
    neuron = _neuron(rng)
    neuron.dynamics = Dynamics(neuron.dynamics.surrogate, "subtract" if reset == "subtract" else "zero")
    return SpikingLayer(conv, neuron, _norm(rng, c_out), image=image, pool=pool, shortcut=shortcut)


def _neuron(rng: Rng) -> AbstractNeuron:
    kind = pick(rng, 0, 1, 2, 3)
    if kind == 0:
        return LIF(float(pick(rng, 0, 1, 3)) / 4, 0.4)
    return DALIF(0.6) if kind == 1 else random_neuron(rng, False)


def _means(rng: Rng, number: int) -> nn.AvgPool2d | None:
    return nn.AvgPool2d(3, 1, 1) if number == 0 and chance(rng, 0.3) else None


def _norm(rng: Rng, channels: int) -> nn.BatchNorm2d | None:
    if chance(rng, 0.3):
        return None
    norm = nn.BatchNorm2d(channels)
    nn.init.normal_(norm.weight, 1.0, 0.5)
    nn.init.normal_(norm.bias, 0.2, 0.4)
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.normal_(0.1, 0.3)
    norm.running_var.uniform_(0.1, 1.5)
    return norm
