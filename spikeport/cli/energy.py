"""`spikeport energy` and `spikeport profiles`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from spikeport.cli import completion
from spikeport.cli.options import Json, show


def energy(
    net: Annotated[
        Path,
        typer.Argument(
            metavar="NET",
            help="A Program, NET.h5, or a network by its shapes: NET.toml, or a shipped one, as dalif-cifar100.",
            autocompletion=completion.networks,
        ),
    ],
    input: Annotated[
        Path | None,
        typer.Option("--input", metavar="X.NPZ", help="A Program's samples: integers 'spikes' (T, B, *shape)."),
    ] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROFILE",
            help="What operations cost: a name of 'spikeport profiles', or a .toml file; repeatable."
            " [default: cmos45-fp32]",
            autocompletion=completion.profiles,
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None, typer.Option(metavar="NET.H5", help="Another Program on the same input; repeatable.")
    ] = None,
    activity: Annotated[
        Path | None,
        typer.Option(
            metavar="Y",
            help="A run of NET on X, from 'spikeport run --record all', of any back end, .npz or .h5; or a board's.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="M.JSON", help="NET's, from 'spikeport map -o'. [default: the compiler's own]"),
    ] = None,
    convention: Annotated[
        str,
        typer.Option(
            help="exact, or a paper's, at prices of arithmetic: paper-spikformer, paper-esvae, paper-syops.",
            autocompletion=completion.one_of(completion.COUNTING),
        ),
    ] = "exact",
    ann: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE",
            help="Prices the ANN. [default: PROFILE, or cmos45-int8 for a chip]",
            autocompletion=completion.profiles,
        ),
    ] = None,
    memory: Annotated[
        Literal["lemaire"] | None, typer.Option(help="Add a model of memory traffic to prices of arithmetic.")
    ] = None,
    cores: Annotated[bool, typer.Option("--cores/--no-cores", help="Map to cores: messages, hops, times.")] = True,
    csv: Annotated[Path | None, typer.Option(metavar="E.CSV", help="Write layers and terms as CSV.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="REPORT.HTML", help="Write a report too.")] = None,
    json: Json = False,
) -> None:
    """Count operations exactly and price them, layer by layer, beside the ANN; and the time that they take.

    NET is a Program, or a network by its shapes alone (.toml), which needs no input. 'spikeport profiles' lists prices.
    """
    from spikeport.commands.energy.energy import Asked
    from spikeport.commands.energy.energy import energy as command

    asked = Asked(
        net=net,
        input=input,
        profiles=tuple(profile or ["cmos45-fp32"]),
        compare=tuple(compare or ()),
        activity=activity,
        mapping=mapping,
        convention=convention,
        ann=ann,
        memory=memory is not None,
        cores=cores,
        csv=csv,
        html=html,
    )
    show(command(asked), json, "energy")


def profiles(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show each constant of this one.", autocompletion=completion.profiles),
    ] = None,
    json: Json = False,
) -> None:
    """List what operations cost on different hardware, each price with its source and bounds."""
    from spikeport.commands.energy.profiles import profiles as command

    show(command(name), json, "profiles")
