"""Pictures of a model for people: what it reconstructs, what it makes of disturbed latent spikes, what it generates."""

import base64
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from spikeport.train.autoencoders.base import Autoencoder, SpikingAutoencoder
from spikeport.train.measures.noise import flipped
from spikeport.train.measures.passes import evaluating, generated, latents, passes, real
from spikeport.train.measures.robustness import DISTURBED, Disturb, length_shuffled, time_shuffled

SHOWN = 32
FLIPS = 0.1
COLUMNS = 16
WAYS: dict[str, Disturb] = {
    "Latent spikes shuffled in time": time_shuffled,
    f"Latent spikes flipped with probability {FLIPS:g}": lambda z, rng: flipped(z, FLIPS, rng),
    "Latent neurons shuffled": length_shuffled,
}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Pictures of one kind."""

    title: str
    pictures: NDArray[np.uint8]
    """`(n, c, h, w)`"""

    def png(self) -> str:
        """All of them side by side, as a data URI."""
        return f"data:image/png;base64,{base64.b64encode(_png(_tiled(self.pictures))).decode()}"


def gallery(model: Autoencoder, images: Tensor, *, seed: int = 0, shown: int = SHOWN) -> tuple[Sheet, ...]:
    """The first images, their reconstructions, and as many generated ones; in eval mode."""
    images = images[:shown]
    found = {"Test images": real(model, images)}
    with evaluating(model):
        (x, noise), *_ = passes(model, images, seed, shown)
        if isinstance(model, SpikingAutoencoder):
            z = latents(model, x, noise)
            found["Reconstructions"] = model.decode(z)
            for title, way in WAYS.items():
                found[title] = model.decode(way(z, np.random.default_rng((seed, DISTURBED, 0))))
        else:
            found["Reconstructions"] = model(x, noise).image
    found["Generated from the prior"] = generated(model, shown, seed)
    return tuple(Sheet(title, _bits(pictures)) for title, pictures in found.items())


def _bits(images: Tensor) -> NDArray[np.uint8]:
    """[-1, 1] to 8 bits."""
    return ((images.double() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()


def _tiled(pictures: NDArray[np.uint8], gap: int = 2) -> NDArray[np.uint8]:
    """`(n, c, h, w)` to one picture `(H, W, c)` of up to `COLUMNS` in a row, white between them."""
    n, c, h, w = pictures.shape
    columns = min(n, COLUMNS)
    rows = -(-n // columns)
    sheet = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, c), 255, np.uint8)
    for k, picture in enumerate(pictures):
        top, left = k // columns * (h + gap), k % columns * (w + gap)
        sheet[top : top + h, left : left + w] = picture.transpose(1, 2, 0)
    return sheet


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "png")
    return buffer.getvalue()
