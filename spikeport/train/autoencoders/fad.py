"""The autoencoder of FAD as a model that is trained: images are integers, and the loss is the mean squared error."""

import torch
from torch import Tensor

from spikeport.errors import PartMissing
from spikeport.train.autoencoders.ann import FadAutoencoder
from spikeport.train.autoencoders.base import Autoencoder, GaussianLatent, Losses, Reconstruction
from spikeport.train.autoencoders.losses import mse
from spikeport.train.autoencoders.noise import Noise, NoiseShape
from spikeport.train.autoencoders.stages import Plan


class FadTraining(Autoencoder):
    """`network` is what FAD takes; there is no prior, so nothing is generated."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan, self.source, self.latent = plan, plan.source, plan.latent
        self.network = FadAutoencoder(plan)

    @property
    def noise_shape(self) -> NoiseShape:
        return NoiseShape(0, self.latent)

    @property
    def parts(self) -> tuple[str, ...]:
        return ("reconstruction",)

    def forward(self, images: Tensor, noise: Noise) -> Reconstruction:
        image, latent = self.network(self.real(images, self.network.latent_layer.weight.dtype))
        return Reconstruction(image, GaussianLatent(latent, latent, torch.full_like(latent, -torch.inf)))

    def generate(self, n: int, noise: Noise) -> Tensor:
        raise PartMissing("generate", "the autoencoder of FAD", relation="has", limit="no prior")

    def loss(self, images: Tensor, noise: Noise) -> Losses:
        found = self(images, noise)
        error = mse(found.image, self.real(images, found.image.dtype))
        return Losses(error, {"reconstruction": error})
