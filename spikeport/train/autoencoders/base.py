"""What all autoencoders are to a training loop, to measurements and to a compiler."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikeport import host
from spikeport.errors import ArraysDiffer
from spikeport.train.autoencoders.losses import mse
from spikeport.train.autoencoders.noise import Noise, NoiseShape
from spikeport.train.autoencoders.pfa import Pfa
from spikeport.train.autoencoders.stages import Plan, decoder, encoder
from spikeport.train.layer import SpikingLayer
from spikeport.train.models.source import Source


@dataclass(frozen=True, eq=False)
class Latent:
    """What stands between encoder and decoder."""

    spikes: Tensor
    """z `(T, B, D)`, what the decoder gets."""
    rates: Tensor
    """`(B, D)`, of the encoder's spikes, mean over time."""
    prior: Tensor
    """ESVAE: rates `(B, D)` that the bottleneck gives; FSVAE: mean over the candidates of the prior, `(T, B, D)`."""
    posterior: Tensor | None = None
    """FSVAE: mean over the candidates of the posterior, `(T, B, D)`."""


@dataclass(frozen=True, eq=False)
class GaussianLatent:
    """What stands between an ANN's encoder and decoder, `(B, D)` each."""

    z: Tensor
    mean: Tensor
    logvar: Tensor


@dataclass(frozen=True, eq=False)
class Reconstruction:
    image: Tensor
    """`(B, c, h, w)` in [-1, 1]."""
    latent: Latent | GaussianLatent


@dataclass(frozen=True, eq=False)
class Losses:
    """Scalars: what is minimised, and its parts before they are weighed."""

    total: Tensor
    parts: Mapping[str, Tensor]


class Autoencoder(nn.Module, ABC):
    """What all four models are: images to a loss and reconstructions, and random numbers to new images.

    Images are integers `(B, c, h, w)`, of which `source.scale` makes [-1, 1].
    """

    source: Source
    latent: int
    progress: float = 0.0
    """The share of training that is done, in [0, 1]: FSVAE's scheduled sampling grows with it."""
    gather: Callable[[Tensor], Tensor] = staticmethod(lambda rows: rows)
    """What this process has of a batch, `(b, ...)`, to all of it, `(B, ...)`: a loop with several processes sets it."""

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of `loss`."""

    @property
    @abstractmethod
    def noise_shape(self) -> NoiseShape:
        """What a pass draws."""

    @abstractmethod
    def forward(self, images: Tensor, noise: Noise) -> Reconstruction:
        """Integer images `(B, c, h, w)`, encoded and decoded."""

    @abstractmethod
    def generate(self, n: int, noise: Noise) -> Tensor:
        """Images `(n, c, h, w)` in [-1, 1], from the prior."""

    @abstractmethod
    def loss(self, images: Tensor, noise: Noise) -> Losses:
        """What is minimised for `images`, `(B, c, h, w)`, in the parts that `parts` names."""

    def real(self, images: Tensor, dtype: torch.dtype) -> Tensor:
        """The images as the network sees them."""
        return images.to(dtype) * self.source.scale


class SpikingAutoencoder(Autoencoder):
    """Encoder and decoder of spiking layers, and between them what a model adds.

    Args:
        readout: Spikes `(T, B, c', h, w)` to `(B, c, h, w)`, before tanh.
        pfa: What is done to the image at each step before it is encoded.
    """

    def __init__(self, plan: Plan, readout: nn.Module, pfa: Pfa | None = None) -> None:
        super().__init__()
        self.plan, self.source, self.latent, self.steps = plan, plan.source, plan.latent, plan.steps
        self.encoder = encoder(plan, None if pfa is None else pfa.image)
        self.decoder = decoder(plan)
        self.readout = readout
        self.pfa = pfa

    def encode(self, images: Tensor) -> Tensor:
        """Images to spikes `(T, B, D)`."""
        if self.pfa is not None:
            first = self.encoder[0]
            assert isinstance(first, SpikingLayer)
            images = self.pfa(images, whole=first.quantize)
        spikes: Tensor = self.encoder(images)
        return spikes

    def decode(self, z: Tensor) -> Tensor:
        """Spikes `(T, B, D)` to images in [-1, 1]; in eval mode with the host's tanh, the same bits everywhere."""
        y: Tensor = self.readout(self.decoder(z))
        return torch.tanh(y) if self.training else host.tanh(y.double()).to(y.dtype)

    @abstractmethod
    def sample(self, spikes: Tensor, noise: Noise) -> Tensor:
        """Spikes of the encoder to z, both `(T, B, D)`."""

    @abstractmethod
    def embed(self, spikes: Tensor, noise: Noise) -> Latent:
        """Spikes of the encoder to all that the loss needs."""

    @abstractmethod
    def dream(self, noise: Noise) -> Tensor:
        """z `(T, B, D)` of the prior."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """Name of the distance that keeps posterior and prior together."""

    @abstractmethod
    def distance(self, latent: Latent) -> tuple[Tensor, float]:
        """Its value and weight."""

    @property
    def parts(self) -> tuple[str, ...]:
        return "reconstruction", self.kind

    def forward(self, images: Tensor, noise: Noise) -> Reconstruction:
        latent = self.embed(self.encode(images), noise)
        return Reconstruction(self.decode(latent.spikes), latent)

    def generate(self, n: int, noise: Noise) -> Tensor:
        check_batch(n, noise)
        return self.decode(self.dream(noise))

    def loss(self, images: Tensor, noise: Noise) -> Losses:
        found = self(images, noise)
        error = mse(found.image, self.real(images, found.image.dtype))
        distance, weight = self.distance(found.latent)
        return Losses(error + weight * distance, {"reconstruction": error, self.kind: distance})


def check_batch(n: int, noise: Noise) -> None:
    """Raises InputError unless the noise is that of n samples."""
    if noise.batch != n:
        raise ArraysDiffer("generate", "samples of the noise", got=noise.batch, relation="are not", limit=n)
