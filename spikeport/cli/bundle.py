"""`spikeport bundle`."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli.options import InputFile, Json, ProgramFile, show


def bundle(
    net: ProgramFile,
    input: InputFile,
    nir: Annotated[
        Path | None, typer.Option("--nir", metavar="NET.NIR", help="What the Program was compiled from.")
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", help="How many samples of the batch.")] = 4,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.ZIP")] = Path("bundle.zip"),
    json: Json = False,
) -> None:
    """One zip that proves itself: Program, input, what every neuron must do, and how to check it.

    'spikeport verify OUT.ZIP' checks it; so does 'python replay.py' inside it, with numpy alone. The same files give
    the same bytes.
    """
    from spikeport.commands.proof.bundling import bundle as command

    show(command(net, input, nir, samples, output), json, "bundle")
