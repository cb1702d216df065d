"""`spikeport generate` and `spikeport reconstruct`: a bundle at work, in the simulator."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.autoencoder import Bundle
from spikeport.autoencoder_file import load_bundle
from spikeport.commands.answer import Answer
from spikeport.commands.autoencoders.images import Pictures, check_pictures_writable, read_pictures, write_pictures
from spikeport.commands.samples import check_file_writable, read_samples, write_npz
from spikeport.errors import InputError, OptionMisused
from spikeport.sim.generate import Images, decode, shown
from spikeport.sim.generate import generate as generated
from spikeport.sim.generate import reconstruct as reconstructed


def generate(
    path: Path,
    output: Path,
    count: int | None,
    seed: int,
    spikes: Path | None = None,
    decoder_input: Path | None = None,
) -> Answer:
    """New images.

    Args:
        spikes: The decoder's input, which is then not drawn from the prior.
        decoder_input: Where to write it.
    """
    bundle = load_bundle(path)
    _check(bundle, seed, output, decoder_input)
    if spikes is None:
        found = generated(bundle, 64 if count is None else count, seed)
    else:
        if count is not None:
            raise OptionMisused(
                "generate", "--count", relation="does not apply to", limit="--spikes", do="leave it out"
            )
        given = next(iter(read_samples(spikes, bundle.decoder).inputs.values()))
        image = decode(bundle, given)
        found = Images(image, given.astype(np.uint8), given.mean(0))
    pictures = bundle.pixels.to_pictures(found.image)
    write_pictures(output, (pictures,), _arrays(found, pictures))
    title = f"{len(found.image):,} images of {bundle.steps} steps"
    data = {"bundle": str(path), "output": str(output), "images": len(found.image), "seed": seed}
    return _told(title, data, found, output, decoder_input)


def reconstruct(
    path: Path,
    input_path: Path,
    output: Path,
    seed: int,
    encoder_input: Path | None = None,
    decoder_input: Path | None = None,
) -> Answer:
    """Images again, from their latent spikes.

    Args:
        encoder_input, decoder_input: Where to write what each Program gets, for `run` and `energy`.
    """
    bundle = load_bundle(path)
    _check(bundle, seed, output, decoder_input)
    if encoder_input is not None:
        check_file_writable(encoder_input)
    given = read_pictures(input_path)
    images = bundle.pixels.of_pictures(given)
    found = reconstructed(bundle, images, seed)
    pictures = bundle.pixels.to_pictures(found.image)
    write_pictures(output, (given.astype(np.uint8), pictures), _arrays(found, pictures))
    error = error_of(bundle, images, found)
    data = {"bundle": str(path), "output": str(output), "images": len(images), "seed": seed, "mse": error}
    title = f"{len(images):,} images of {bundle.steps} steps: mean squared error {error:.4f}"
    notes = []
    if encoder_input is not None:
        write_npz(encoder_input, {"spikes": shown(bundle, images.astype(np.int16))})
        data["encoder_input"] = str(encoder_input)
        notes.append(f"{encoder_input} written: the encoder's input")
    told = _told(title, data, found, output, decoder_input)
    return Answer(told.data, told.title, notes=[*notes, *told.notes])


def error_of(bundle: Bundle, images: NDArray[np.integer], found: Images) -> float:
    """Mean squared error over images, channels and places, of pixels in [-1, 1].

    Args:
        images: The network's integers `(B, c, h, w)`, of which `found` was made.
    """
    return float(np.square(found.image - images * bundle.pixels.scale).mean())


def _check(bundle: Bundle, seed: int, output: Path, decoder_input: Path | None) -> None:
    if seed < 0:
        raise InputError("seed", "value", got=seed, relation="is below", limit=0)
    check_pictures_writable(output, bundle.image_shape[0])
    if decoder_input is not None:
        check_file_writable(decoder_input)


def _arrays(found: Images, pictures: Pictures) -> dict[str, Any]:
    return {"images": pictures, "values": found.image, "rates": found.rates, "spikes": found.spikes}


def _told(title: str, data: dict[str, Any], found: Images, output: Path, decoder_input: Path | None) -> Answer:
    rate = float(found.spikes.mean())
    data = {**data, "latent_rate": rate}
    notes = [f"latent neurons fire at {rate:.2%} of the steps", f"{output} written"]
    if decoder_input is not None:
        write_npz(decoder_input, {"spikes": found.spikes})
        data["decoder_input"] = str(decoder_input)
        notes.append(f"{decoder_input} written: the decoder's input")
    return Answer(data, title, notes=notes)
