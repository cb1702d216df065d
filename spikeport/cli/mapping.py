"""`spikeport map`."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli.options import Json, ProgramFile, show


def map_(
    net: ProgramFile,
    target: Annotated[str | None, typer.Option(help="loihi1 or loihi2. [default: the Program's]")] = None,
    input: Annotated[
        Path | None,
        typer.Option("--input", metavar="X.NPZ", help="Samples, integers 'spikes' (T, B, *shape): what cores do."),
    ] = None,
    activity: Annotated[
        Path | None,
        typer.Option(metavar="Y", help="A run from 'spikeport run --record all', .npz or .h5, of any back end."),
    ] = None,
    cores: Annotated[bool, typer.Option("--cores", help="List and draw every core.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="CORES.CSV", help="Write every core as CSV.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="PAGE.HTML", help="Write a page with the mesh too.")] = None,
    json: Json = False,
) -> None:
    """Show which neurons are on which core, how full cores are, what they do, and what crosses between chips.

    A run whose inputs send spikes holds those of the groups alone: --activity then needs --input too.
    """
    from spikeport.commands.mapping.map import Asked
    from spikeport.commands.mapping.map import map_ as command

    show(command(Asked(net, target, input, activity, cores, html, csv)), json)
