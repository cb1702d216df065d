"""What the networks are built from."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from spikeport.errors import ModelInvalid, UnknownName
from spikeport.train.branch import Branch, Shortcut
from spikeport.train.dynamics import ALIF_DYNAMICS, DALIF_DYNAMICS, PLIF_DYNAMICS, Dynamics, Surrogate
from spikeport.train.image import Image
from spikeport.train.layer import SpikingLayer
from spikeport.train.neurons import ALIF, DALIF, LIF, PLIF, AbstractNeuron
from spikeport.train.synapses import AnyBatchNorm, QuantConv2d, QuantLinear
from spikeport.train.tdbn import TDBatchNorm1d, TDBatchNorm2d

MakeNeuron = Callable[[], AbstractNeuron]
NEURONS: dict[str, tuple[Callable[..., AbstractNeuron], Dynamics]] = {
    "lif": (LIF, ALIF_DYNAMICS),
    "plif": (PLIF, PLIF_DYNAMICS),
    "alif": (ALIF, ALIF_DYNAMICS),
    "dalif": (DALIF, DALIF_DYNAMICS),
}


def neuron_maker(name: str, **options: Any) -> MakeNeuron:
    """A neuron by name, one for each layer.

    Args:
        options: The neuron's own, and those of `Surrogate` and `Dynamics`: surrogate (its shape), surrogate_width,
            surrogate_centre, reset, detach_reset.
    """
    if name not in NEURONS:
        raise UnknownName("model", "neuron", got=name, relation="is not one of", limit=", ".join(NEURONS))
    make, usual = NEURONS[name]
    names = {"shape": "surrogate", "width": "surrogate_width", "centre": "surrogate_centre"}
    shape = {field: options.pop(name, getattr(usual.surrogate, field)) for field, name in names.items()}
    moves = {key: options.pop(key, getattr(usual, key)) for key in ("reset", "detach_reset")}
    dynamics = Dynamics(Surrogate(**shape), **moves)
    make(dynamics=dynamics, **options)  # refuses options before any layer is built
    return lambda: make(dynamics=dynamics, **options)


@dataclass(frozen=True)
class Convolutions:
    """Convolution, norm and neuron, as a network has them throughout.

    Args:
        norm: "bn", or "tdbn" with the threshold of the neurons behind it.
        bias: Of the convolutions.
    """

    neuron: MakeNeuron
    norm: str = "bn"
    bias: bool = False

    def __post_init__(self) -> None:
        if self.norm not in ("bn", "tdbn"):
            raise UnknownName("model", "norm", got=self.norm, relation="is not one of", limit="bn, tdbn")

    def layer(
        self,
        c_in: int,
        c_out: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        image: Image | None = None,
        pool: nn.AvgPool2d | None = None,
        shortcut: Branch | Shortcut | None = None,
    ) -> SpikingLayer:
        neuron = self.neuron()
        conv = QuantConv2d(c_in, c_out, kernel, stride, kernel // 2, bias=self.bias)
        return SpikingLayer(conv, neuron, self._norm(c_out, neuron), image=image, pool=pool, shortcut=shortcut)

    def linear(self, n_in: int, n_out: int, normed: bool, pool: nn.AvgPool2d | None = None) -> SpikingLayer:
        neuron = self.neuron()
        norm: AnyBatchNorm | None = None
        if normed and self.norm == "bn":
            norm = nn.BatchNorm1d(n_out)
        elif normed:
            norm = TDBatchNorm1d(n_out, vth=float(neuron.threshold().detach()))
        return SpikingLayer(QuantLinear(n_in, n_out, bias=False), neuron, norm, pool=pool)

    def branch(self, c_in: int, c_out: int, stride: int = 1, pool: nn.AvgPool2d | None = None) -> Branch:
        """A way past a block: a convolution of one place."""
        conv = QuantConv2d(c_in, c_out, 1, stride, bias=self.bias)
        return Branch(conv, self._norm(c_out, self.neuron()), pool)

    def _norm(self, channels: int, neuron: AbstractNeuron) -> AnyBatchNorm:
        if self.norm == "bn":
            return nn.BatchNorm2d(channels)
        return TDBatchNorm2d(channels, vth=float(neuron.threshold().detach()))


def initialised(net: nn.Sequential) -> nn.Sequential:
    """The weights that MPBN starts from: convolutions N(0, 2 / (k k c_out)), the last layer N(0, 1 / n_in^2)."""
    for module in net.modules():
        if isinstance(module, QuantConv2d):
            places = module.kernel_size[0] * module.kernel_size[1]
            nn.init.normal_(module.weight, 0, math.sqrt(2 / (places * module.out_channels)))
        elif isinstance(module, QuantLinear):
            nn.init.normal_(module.weight, 0, 1 / module.in_features)
        if isinstance(module, QuantConv2d | QuantLinear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return net


def check_positive(model: str, **values: int) -> None:
    """Raises InputError for a size that is no positive integer."""
    for name, value in values.items():
        if type(value) is not int or value < 1:
            raise ModelInvalid(f"model {model}", name, got=value, relation="is not", limit="a positive integer")


def halved(model: str, size: tuple[int, int], times: int) -> tuple[int, int]:
    """The size after so many means over 2 x 2 places; InputError where one would be left over."""
    h, w = size
    for _ in range(times):
        if h % 2 or w % 2:
            do = f"pad or scale the images to a multiple of {2**times}"
            raise ModelInvalid(f"model {model}", "image size", got=size, relation="cannot be halved", do=do)
        h, w = h // 2, w // 2
    return h, w
