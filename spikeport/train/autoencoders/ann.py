"""Autoencoders without spikes: FSVAE's ANN baseline, and the network whose features FAD compares.

Both have the spiking networks' channels, with BatchNorm and LeakyReLU for tdBN and LIF, a linear layer from the latent
vector without either, and tanh (`ann_models/ann_vae.py` and `ann_ae.py` of the published code of FSVAE).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from spikeport.train.autoencoders.base import Autoencoder, GaussianLatent, Losses, Reconstruction, check_batch
from spikeport.train.autoencoders.losses import kl_gaussian, mse
from spikeport.train.autoencoders.noise import Noise, NoiseShape
from spikeport.train.autoencoders.stages import Plan
from spikeport.train.models.source import Source


class AnnCoder(nn.Module):
    """Real images `(B, c, h, w)` in [-1, 1] to features, and latent vectors to images."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        first, channels = plan.widths[0], (plan.source.shape[0], *plan.widths)
        self.places = plan.places
        self.encoder = nn.Sequential(*(_down(*pair) for pair in pairwise(channels)))
        self.decoder_input = nn.Linear(plan.latent, plan.features)
        self.decoder = nn.Sequential(*(nn.Sequential(*_up(*pair)) for pair in pairwise(reversed(plan.widths))))
        last = nn.ConvTranspose2d(first, channels[0], 3, padding=1)
        self.final_layer = nn.Sequential(*_up(first, first), last, nn.Tanh())

    def features(self, x: Tensor) -> Tensor:
        """`(B, c, h, w)` to `(B, features)`."""
        found: Tensor = self.encoder(x)
        return found.flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """`(B, D)` to `(B, c, h, w)` in [-1, 1]."""
        image: Tensor = self.final_layer(self.decoder(self.decoder_input(z).unflatten(1, self.places)))
        return image


class FadAutoencoder(AnnCoder):
    """The autoencoder of FAD, on real images in [-1, 1]; latent 64 for MNIST and Fashion-MNIST, 128 for the others.

    Its state dict has the published layout, names and shapes: `encoder.{0-3}.{0,1}`, `decoder_input`,
    `decoder.{0-2}.{0,1}`, `final_layer.{0,1,3}`, `latent_layer`; 62 tensors of 919,785 elements for one channel and 64.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.latent_layer = nn.Linear(plan.features, plan.latent)

    def encode(self, x: Tensor) -> Tensor:
        """`(B, c, h, w)` to `(B, D)`."""
        latent: Tensor = self.latent_layer(self.features(x))
        return latent

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The image again, and its latent vector."""
        latent = self.encode(x)
        return self.decode(latent), latent


class AnnVAE(Autoencoder):
    """z = mean + epsilon exp(logvar / 2);  loss = MSE(x^, x) + weight KL(N(mean, exp(logvar)) || N(0, 1)).

    Args:
        weight: 1 / batches of an epoch in the published code: 240 of MNIST in batches of 250.
    """

    def __init__(self, plan: Plan, *, weight: float = 1 / 240) -> None:
        super().__init__()
        self.plan, self.source, self.latent, self.weight = plan, plan.source, plan.latent, weight
        self.coder = AnnCoder(plan)
        self.mean_layer = nn.Linear(plan.features, plan.latent)
        self.logvar_layer = nn.Linear(plan.features, plan.latent)

    @property
    def noise_shape(self) -> NoiseShape:
        return NoiseShape(0, self.latent, normal=True)

    @property
    def parts(self) -> tuple[str, ...]:
        return "reconstruction", "kl"

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images to mean and logvar, `(B, D)` each."""
        features = self.coder.features(self.real(images, self._dtype))
        return self.mean_layer(features), self.logvar_layer(features)

    def sample(self, mean: Tensor, logvar: Tensor, noise: Noise) -> Tensor:
        """z `(B, D)`."""
        return mean + noise.normal.to(mean.dtype) * torch.exp(0.5 * logvar)

    def decode(self, z: Tensor) -> Tensor:
        """`(B, D)` to images in [-1, 1]."""
        return self.coder.decode(z)

    def forward(self, images: Tensor, noise: Noise) -> Reconstruction:
        mean, logvar = self.encode(images)
        z = self.sample(mean, logvar, noise)
        return Reconstruction(self.decode(z), GaussianLatent(z, mean, logvar))

    def generate(self, n: int, noise: Noise) -> Tensor:
        check_batch(n, noise)
        return self.decode(noise.normal.to(self._dtype))

    def loss(self, images: Tensor, noise: Noise) -> Losses:
        found = self(images, noise)
        error = mse(found.image, self.real(images, found.image.dtype))
        kl = kl_gaussian(found.latent.mean, found.latent.logvar)
        return Losses(error + self.weight * kl, {"reconstruction": error, "kl": kl})

    @property
    def _dtype(self) -> torch.dtype:
        return self.mean_layer.weight.dtype


def fad_autoencoder(source: Source, latent: int = 64) -> FadAutoencoder:
    """That of the published statistics, in the size of the source's images."""
    return FadAutoencoder(Plan(source, latent=latent))


def _down(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, 2, 1), nn.BatchNorm2d(c_out), nn.LeakyReLU())


def _up(c_in: int, c_out: int) -> tuple[nn.Module, ...]:
    conv = nn.ConvTranspose2d(c_in, c_out, 3, 2, 1, output_padding=1)
    return conv, nn.BatchNorm2d(c_out), nn.LeakyReLU()
