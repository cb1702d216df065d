"""`spikeport generate` and `spikeport reconstruct`."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli.options import Json, show

BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A compiled autoencoder, of spikeport compile.")]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="IMAGES", help="A sheet of the images, .png, or arrays, .npz.")
]
Seed = Annotated[int, typer.Option(help="Of all random numbers.")]
DecoderInput = Annotated[
    Path | None,
    typer.Option("--decoder-input", metavar="Z.NPZ", help="Write the decoder's input too, for run and energy."),
]


def generate(
    bundle: BundleFolder,
    output: Output = Path("images.png"),
    count: Annotated[int | None, typer.Option(metavar="N", help="How many images. [default: 64]")] = None,
    seed: Seed = 0,
    spikes: Annotated[
        Path | None,
        typer.Option(metavar="Z.NPZ", help="Latent spikes (T, B, D) instead of the prior's: for a decoder alone."),
    ] = None,
    decoder_input: DecoderInput = None,
    json: Json = False,
) -> None:
    """Draw new images with a compiled autoencoder, in the simulator.

    IMAGES.npz holds 'images', 8-bit pictures (B, c, h, w); 'values', what they are rounded from, in [-1, 1]; 'spikes',
    the decoder's input (T, B, D); and 'rates' (B, D), of which they were drawn.
    """
    from spikeport.commands.autoencoders.generate import generate as command

    show(command(bundle, output, count, seed, spikes, decoder_input), json, "generate")


def reconstruct(
    bundle: BundleFolder,
    input: Annotated[
        Path, typer.Option("--input", metavar="X.NPZ", help="'images', 8-bit pictures (B, c, h, w), 0 to 255.")
    ],
    output: Output = Path("images.png"),
    seed: Seed = 0,
    encoder_input: Annotated[
        Path | None,
        typer.Option("--encoder-input", metavar="X.NPZ", help="Write the encoder's input too, for run and energy."),
    ] = None,
    decoder_input: DecoderInput = None,
    json: Json = False,
) -> None:
    """Encode images and decode them again with a compiled autoencoder, in the simulator.

    The sheet has each image above its reconstruction; IMAGES.npz has the arrays of 'spikeport generate'.
    """
    from spikeport.commands.autoencoders.generate import reconstruct as command

    show(command(bundle, input, output, seed, encoder_input, decoder_input), json, "reconstruct")
