"""`spikeport map`."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import completion
from spikeport.cli.options import Json, ProgramFile, show


def map_(
    net: ProgramFile,
    target: Annotated[
        str | None,
        typer.Option(
            help="loihi1 or loihi2. [default: the Program's]", autocompletion=completion.one_of(completion.CHIPS)
        ),
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option("--input", metavar="X.NPZ", help="Samples, integers 'spikes' (T, B, *shape): what cores do."),
    ] = None,
    activity: Annotated[
        Path | None,
        typer.Option(
            metavar="Y", help="A run from 'spikeport run --record all', of any back end, .npz or .h5; or a board's."
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="M.JSON", help="Show a mapping that -o wrote. [default: the compiler's own]"),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Look for a less busy one: by the run, or all neurons alike.")
    ] = False,
    cores_at_most: Annotated[
        int | None, typer.Option(metavar="N", help="That the search may take. [default: as many as it begins with]")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Whose times say which core is busiest. [default: loihi2-estimate; of a Loihi 1, loihi1-sanafe]",
            autocompletion=completion.profiles,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="M.JSON", help="Write each block's core and loads.")
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

    asked = Asked(
        net=net,
        target=target,
        input=input,
        activity=activity,
        cores=cores,
        html=html,
        csv=csv,
        mapping=mapping,
        search=search,
        cores_at_most=cores_at_most,
        profile=profile,
        output=output,
    )
    show(command(asked), json, "map")
