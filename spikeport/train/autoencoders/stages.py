"""Encoder and decoder of the spiking autoencoders: what FSVAE, ESVAE and TAID have in common.

    encoder   Conv3x3 stride 2, once for each width - flat - Linear to the latent neurons
    decoder   Linear - places - ConvTranspose3x3 stride 2, once for each width, the last one keeps its channels
    image     ConvTranspose3x3 stride 1 to the image's channels; no norm, no spikes

All synapses have a bias; behind each but the last stand tdBN (alpha 1) and LIF (FSVAE's and ESVAE's published code,
`fsvae_models/fsvae.py`; ESVAE section IV-B1). An image is the same at each step, so its convolution runs once: the
running variance of that norm takes n / (n - 1) with n = batch * places, where a network that repeats the image has
steps * n.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from spikeport.errors import ModelInvalid, UnknownName
from spikeport.train.dynamics import Dynamics, Surrogate
from spikeport.train.image import Image
from spikeport.train.layer import SpikingLayer
from spikeport.train.models.parts import check_positive, halved
from spikeport.train.models.source import Source
from spikeport.train.neurons import LIF
from spikeport.train.synapses import QuantConv2d, QuantConvTranspose2d, QuantLinear
from spikeport.train.tdbn import TDBatchNorm1d, TDBatchNorm2d

TAU, VTH = 0.25, 0.2
"""Of all LIF neurons (ESVAE section IV-B2)."""
WIDTHS = {32: (32, 64, 128, 256), 64: (32, 64, 128, 256, 512)}
"""Channels of the papers' encoders, by the height of the image."""
DYNAMICS = {
    "code": Dynamics(Surrogate("rectangular", 1.0, "zero"), detach_reset=False),
    "paper": Dynamics(Surrogate("rectangular", 0.5, "threshold"), detach_reset=False),
}
"""The surrogate of the published code, and that of ESVAE section IV-B2."""

Conv = QuantConv2d | QuantConvTranspose2d


@dataclass(frozen=True)
class Plan:
    """Sizes of an autoencoder.

    Args:
        widths: Channels of the encoder's stages, each of which halves the image; those of `WIDTHS` if empty.
        latent: D, number of latent neurons.
        steps: T.
        surrogate: A name in `DYNAMICS`.

    Raises:
        InputError: a size or name is not possible.
    """

    source: Source
    widths: tuple[int, ...] = ()
    latent: int = 128
    steps: int = 16
    surrogate: str = "paper"

    def __post_init__(self) -> None:
        height = self.source.shape[1]
        if not self.widths and height not in WIDTHS:
            limit = ", ".join(map(str, WIDTHS))
            raise ModelInvalid(
                "autoencoder", "image height", got=height, relation="is not", limit=limit, do="say widths"
            )
        object.__setattr__(self, "widths", tuple(self.widths) or WIDTHS[height])
        check_positive("autoencoder", latent=self.latent, steps=self.steps)
        for width in self.widths:
            check_positive("autoencoder", widths=width)
        if self.surrogate not in DYNAMICS:
            limit = ", ".join(DYNAMICS)
            raise UnknownName("autoencoder", "surrogate", got=self.surrogate, relation="is not one of", limit=limit)
        halved("autoencoder", self.source.shape[1:], len(self.widths))

    @property
    def places(self) -> tuple[int, int, int]:
        """Shape of the last stage, `(c, h, w)`."""
        h, w = halved("autoencoder", self.source.shape[1:], len(self.widths))
        return self.widths[-1], h, w

    @property
    def features(self) -> int:
        c, h, w = self.places
        return c * h * w

    def neuron(self) -> LIF:
        return LIF(TAU, VTH, dynamics=DYNAMICS[self.surrogate])


def pixels(shape: tuple[int, int, int]) -> Source:
    """8-bit pictures p as 2 p - 255, in [-255, 255]: the network sees exactly 2 p / 255 - 1."""
    return Source(shape, -255, 255, 1 / 255)


def encoder(plan: Plan, image: Image | None = None) -> nn.Sequential:
    """Images `(B, c, h, w)`, integers, to spikes `(T, B, D)`.

    Args:
        image: How the image enters, where it is not as the source says.
    """
    channels = (plan.source.shape[0], *plan.widths)
    first = plan.source.image(plan.steps) if image is None else image
    stages = [
        conv_layer(plan, QuantConv2d(c_in, c_out, 3, 2, 1), first if not k else None)
        for k, (c_in, c_out) in enumerate(pairwise(channels))
    ]
    return nn.Sequential(*stages, nn.Flatten(2), linear_layer(plan.neuron, plan.features, plan.latent))


def decoder(plan: Plan) -> nn.Sequential:
    """Spikes `(T, B, D)` to `(T, B, widths[0], h, w)`, what the last synapse makes the image of."""
    channels = (*reversed(plan.widths), plan.widths[0])
    stages = [
        conv_layer(plan, QuantConvTranspose2d(c_in, c_out, 3, 2, 1, output_padding=1))
        for c_in, c_out in pairwise(channels)
    ]
    first = linear_layer(plan.neuron, plan.latent, plan.features)
    return nn.Sequential(first, nn.Unflatten(2, plan.places), *stages)


def last_synapse(plan: Plan) -> QuantConvTranspose2d:
    """From the decoder's last spikes to the image's channels."""
    return QuantConvTranspose2d(plan.widths[0], plan.source.shape[0], 3, padding=1)


def conv_layer(plan: Plan, synapse: Conv, image: Image | None = None) -> SpikingLayer:
    """Convolution, tdBN, LIF."""
    return SpikingLayer(synapse, plan.neuron(), TDBatchNorm2d(synapse.out_channels, VTH), image=image)


def linear_layer(neuron: Callable[[], LIF], n_in: int, n_out: int, alpha: float = 1.0) -> SpikingLayer:
    """Linear, tdBN, LIF."""
    return SpikingLayer(QuantLinear(n_in, n_out), neuron(), TDBatchNorm1d(n_out, VTH, alpha))
