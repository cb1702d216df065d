"""A deployed autoencoder at work: two simulated chip phases, and the host between and behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spikeport import host
from spikeport.autoencoder import Attention, Bundle
from spikeport.errors import InputError, PartMissing, WrongShape
from spikeport.progress import working
from spikeport.sim.simulate import simulate

CHUNK = 32
"""Samples of one simulation: what their groups send, and what TAID computes, is in memory at once."""

Floats = NDArray[np.float64]
Spikes = NDArray[np.uint8]
Seed = int | Sequence[int]


@dataclass(frozen=True, eq=False)
class Noise:
    """Random numbers of B samples."""

    uniform: Floats
    """u `(T, B, D)` in [0, 1): z[t, b, i] = [u < rate]."""
    normal: Floats
    """z_n `(B, D)`."""

    @classmethod
    def draw(cls, bundle: Bundle, batch: int, seed: Seed) -> Self:
        """The numbers of this seed; those of `spikeport.train.autoencoders.Noise` for an ESVAE."""
        rng = np.random.default_rng(seed)
        uniform = rng.random((bundle.steps, batch, bundle.latent))
        return cls(uniform, rng.standard_normal((batch, bundle.latent)))


@dataclass(frozen=True, eq=False)
class Images:
    """What came out, and from what."""

    image: Floats
    """`(B, c, h, w)` in [-1, 1]."""
    spikes: Spikes
    """z `(T, B, D)`, the decoder's input."""
    rates: Floats
    """`(B, D)`, of which they were drawn."""


def reconstruct(bundle: Bundle, images: NDArray[np.integer], noise: Noise | Seed) -> Images:
    """Images through encoder, sampling and decoder.

    Args:
        images: Integers `(B, c, h, w)` in the range of `bundle.pixels`.
        noise: Its `uniform` is used; or a seed, for `Noise.draw`.

    Raises:
        InputError: a decoder alone, or images or noise that do not fit. OverflowDetected: as `simulate`.
    """
    counts = encode(bundle, images)
    noise = _noise(bundle, len(counts), noise)
    return _drawn(bundle, counts / bundle.steps, noise)


def generate(bundle: Bundle, n: int, noise: Noise | Seed) -> Images:
    """n images from the prior.

    Raises:
        InputError: a bundle without a bottleneck, or noise that does not fit. OverflowDetected: as `simulate`.
    """
    if bundle.bottleneck is None:
        do = "give the latent spikes"
        raise PartMissing("generate", "bundle", relation="has no", limit="bottleneck", do=do)
    if n < 1:
        raise InputError("generate", "images", got=n, relation="are not above", limit=0)
    noise = _noise(bundle, n, noise)
    weight, bias = (x.astype(np.float64) for x in (bundle.bottleneck.weight, bundle.bottleneck.bias))
    return _drawn(bundle, host.prior_rates(noise.normal, weight, bias), noise)


def encode(bundle: Bundle, images: NDArray[np.integer]) -> NDArray[np.int64]:
    """Spikes of each latent neuron over T steps, `(B, D)`, of images `(B, c, h, w)`."""
    if bundle.encoder is None:
        do = "compile the whole run, without --part decoder"
        raise PartMissing("reconstruct", "bundle", relation="has no", limit="encoder", do=do)
    if images.ndim != 4 or images.shape[1:] != bundle.image_shape or not len(images):
        limit = f"(B, {', '.join(map(str, bundle.image_shape))}), B above 0"
        raise WrongShape("images", "shape", got=images.shape, relation="is not", limit=limit)
    found = []
    with working("encoding", len(images), "images") as task:
        for part in _chunks(len(images)):
            found.append(simulate(bundle.encoder, shown(bundle, images[part])).counts().astype(np.int64))
            task.advance(len(found[-1]))
    return np.concatenate(found)


def decode(bundle: Bundle, spikes: NDArray[np.integer]) -> Floats:
    """Latent spikes `(T, B, D)` to images `(B, c, h, w)` in [-1, 1]."""
    if spikes.ndim != 3 or spikes.shape[::2] != (bundle.steps, bundle.latent) or not spikes.size:
        limit = f"({bundle.steps}, B, {bundle.latent}), B above 0"
        raise WrongShape("latent spikes", "shape", got=spikes.shape, relation="is not", limit=limit)
    found = []
    with working("decoding", spikes.shape[1], "images") as task:
        for part in _chunks(spikes.shape[1]):
            found.append(_decoded(bundle, spikes[:, part]))
            task.advance(len(found[-1]))
    return np.concatenate(found)


def shown(bundle: Bundle, images: NDArray[np.integer]) -> NDArray[np.integer]:
    """The encoder's input, `(T, B, c, h, w)`: each image at every step."""
    return np.broadcast_to(images, (bundle.steps, *images.shape))


def _drawn(bundle: Bundle, rates: Floats, noise: Noise) -> Images:
    spikes = (noise.uniform < rates).astype(np.uint8)
    return Images(decode(bundle, spikes), spikes, rates)


def _decoded(bundle: Bundle, spikes: NDArray[np.integer]) -> Floats:
    result = simulate(bundle.decoder, spikes)
    output = bundle.decoder.outputs[0]
    if bundle.attention is None:
        v = result.outputs[output.name][-1].astype(np.float64)
        return host.tanh(v * bundle.decoder.group(output.source).v_unit)
    return host.tanh(attended(bundle.attention, result.spikes))


def attended(taid: Attention, spikes: NDArray[np.integer]) -> Floats:
    """The last synapse and TAID, of spikes `(T, B, c', h, w)`, before tanh: `(B, c, h, w)`."""
    c, h, w = taid.image_of(spikes.shape[2:])
    (up, left), (c_in, _, *kernel) = taid.padding, taid.weight.shape
    places = spikes.shape[3:]
    taps = taid.weight.reshape(c_in, -1).astype(np.float64)  # sums of whole numbers: exact
    brought = np.tensordot(spikes.astype(np.float64), taps, (2, 0)).reshape(*spikes.shape[:2], *places, c, *kernel)
    full = np.zeros((*spikes.shape[:2], c, places[0] + kernel[0] - 1, places[1] + kernel[1] - 1))
    for y in range(kernel[0]):
        for x in range(kernel[1]):
            full[..., y : y + places[0], x : x + places[1]] += np.moveaxis(brought[..., y, x], -1, 2)
    arriving = full[..., up : up + h, left : left + w] + taid.bias[:, None, None]
    return host.attend(arriving, taid.steps.tolist(), taid.form)


def _noise(bundle: Bundle, batch: int, noise: Noise | Seed) -> Noise:
    if not isinstance(noise, Noise):
        return Noise.draw(bundle, batch, noise)
    shapes: tuple[Any, ...] = ((bundle.steps, batch, bundle.latent), (batch, bundle.latent))
    for name, x, shape in zip(("uniform", "normal"), (noise.uniform, noise.normal), shapes, strict=True):
        if x.shape != shape or x.dtype != np.float64:
            raise WrongShape("noise", name, got=f"{x.dtype} {x.shape}", relation="is not", limit=f"float64 {shape}")
    return noise


def _chunks(batch: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, batch, CHUNK))
