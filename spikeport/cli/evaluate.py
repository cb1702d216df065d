"""`spikeport evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import completion
from spikeport.cli.options import Json, show


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of an autoencoder's training run.")],
    fad: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_OR_FILE",
            help="The autoencoder of FAD: a run of fad-autoencoder-*, or a published file (.pth).",
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=2, metavar="N", help="Images generated for FAD, IS and FID.")] = 5120,
    images: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="The first N images of each split only. [default: all]")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="reconstruction, fad, inception, robustness, noise, rates, classification or energy; repeatable, or"
            " with commas. [default: all that can be measured]",
            autocompletion=completion.one_of(completion.MEASURES),
        ),
    ] = None,
    no_quantize: Annotated[
        bool, typer.Option("--no-quantize", help="Measure the float network, not the chip's integers.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Of the classifier on the encoder's rates.")] = 200,
    profile: Annotated[
        str,
        typer.Option(help="What operations cost: a name of spikeport profiles.", autocompletion=completion.profiles),
    ] = "cmos45-fp32",
    seed: Annotated[int, typer.Option(min=0, help="Of all random numbers.")] = 0,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where the data set's files lie.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where to write. [default: RUN]")
    ] = None,
    json: Json = False,
) -> None:
    """Measure a generative model as the papers do; writes evaluation.json and evaluation.html.

    Reconstruction error, FAD, IS and FID, robustness to shuffled and flipped latent spikes, firing rates, what a
    classifier makes of the encoder, operations and energy beside the ANN.
    """
    from spikeport.commands.autoencoders.evaluate import Asked
    from spikeport.commands.autoencoders.evaluate import evaluate as command

    parts = tuple(part for entry in only or () for part in entry.split(",") if part)
    asked = Asked(run, output, data, fad, samples, images, parts, not no_quantize, epochs, profile, seed)
    show(command(asked), json, "evaluate")
