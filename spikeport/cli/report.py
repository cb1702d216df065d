"""`spikeport report`."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli.options import DataFolder, Json, show


def report(
    subject: Annotated[
        Path,
        typer.Argument(
            metavar="SUBJECT", help="A Program, NET.H5; BUNDLE, an autoencoder's folder; or RUN, a training run's."
        ),
    ],
    input: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="X.NPZ",
            help="Of a Program: integers 'spikes' (T, B, *shape), 'labels' (B,). Of a bundle: 8-bit 'images' "
            "(B, c, h, w), or latent 'spikes' (T, B, D).",
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="Y", help="A recorded run of these samples, .npz or .h5: held against the simulator."),
    ] = None,
    nir: Annotated[
        Path | None, typer.Option(metavar="NET.NIR", help="What the Program was compiled from: adds the gap waterfall.")
    ] = None,
    data: DataFolder = None,
    samples: Annotated[int, typer.Option(metavar="N", help="Take the first N samples; 0: all.")] = 100,
    verify: Annotated[bool, typer.Option("--verify", help="Run Lava on up to 20 samples too.")] = False,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PAGE.HTML")] = Path("report.html"),
    json: Json = False,
) -> None:
    """Write all that is known of a Program, an autoencoder or a training run as one HTML file that needs nothing else.

    Sections for which nothing was given say what to give. Exit 1 if a value that was compared differs.
    """
    from spikeport.commands.report.of_program import Asked
    from spikeport.commands.report.report import report as command

    show(command(Asked(subject, output, input, run, nir, data, samples, verify)), json, "report")
