"""The autoencoder of FAD in training: its network sees 2 p / 255 - 1, and what is lost is the mean squared error."""

import pytest
import torch
from torch.nn import functional as F

from spikeport.errors import InputError
from spikeport.train.autoencoders import FadTraining, Noise, build_autoencoder, pixels


def test_the_loss_is_the_mean_squared_error_of_real_pixels() -> None:
    torch.manual_seed(0)
    model = build_autoencoder("fad_autoencoder", pixels((1, 16, 16)), widths=(4, 8), latent=3).eval()
    assert isinstance(model, FadTraining)
    p = torch.randint(0, 256, (5, 1, 16, 16))
    x = p / 255 * 2 - 1
    losses = model.loss(2 * p - 255, Noise.draw(model, 5, 0))
    image, latent = model.network(x)
    assert losses.total.item() == pytest.approx(F.mse_loss(image, x).item(), rel=1e-5)
    assert losses.parts.keys() == {"reconstruction"} == set(model.parts)
    assert latent.shape == (5, 3)


def test_nothing_is_generated() -> None:
    model = build_autoencoder("fad_autoencoder", pixels((1, 16, 16)), widths=(4,), latent=2)
    with pytest.raises(InputError, match="generate: the autoencoder of FAD has no prior"):
        model.generate(1, Noise.draw(model, 1, 0))
