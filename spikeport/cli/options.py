"""What several commands are told, and how they answer."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spikeport.cli import completion
from spikeport.errors import OptionMisused

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
ProgramFile = Annotated[Path, typer.Argument(metavar="NET.H5", help="A compiled Program.")]
InputFile = Annotated[
    Path, typer.Option("--input", metavar="X.NPZ", help="Integers 'spikes' (T, B, *shape), 'labels' (B,).")
]
Target = Annotated[
    str, typer.Option("--target", help="loihi1 or loihi2.", autocompletion=completion.one_of(completion.CHIPS))
]
ProfileName = Annotated[
    Literal["strict", "lava", "loihi1"],
    typer.Option(
        "--profile", help="What becomes of a value that leaves its word: an error, or what Lava or Loihi 1 does."
    ),
]
OwnProfile = Annotated[
    Literal["strict", "lava", "loihi1"] | None,
    typer.Option("--profile", help="What becomes of a value that leaves its word. [default: the Program's profile]"),
]
StateIn = Annotated[Path | None, typer.Option("--state-in", metavar="S.NPZ", help="Go on from where a part ended.")]
Part = Annotated[
    Literal["all", "decoder"], typer.Option("--part", help="Of an autoencoder: both Programs, or the decoder alone.")
]
DataFolder = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Of a run: where the data set's files lie.")
]
Wheel = Annotated[
    Path | None, typer.Option(metavar="PATH", help="A copy of lava-dl 0.6.0's wheel. [default: fetched by pip]")
]
Classes = Annotated[int | None, typer.Option(help="Classes among which the output neurons vote.")]


def show(answer: Any, as_json: bool, kind: str) -> None:
    """Prints a command's answer and ends; `kind` names the JSON document, whose keys docs/reference/json.md has."""
    from spikeport.commands.answer import show as shown

    shown(answer, as_json, kind)
    raise typer.Exit(answer.exit_code)


def refuse_for_folders(folder: Path, options: dict[str, Any]) -> None:
    """InputError for what says how a graph is read: an autoencoder's own layers say it."""
    if unused := ", ".join(name.removesuffix("_s") for name, value in options.items() if value is not None):
        do = "leave it out"
        raise OptionMisused(str(folder), "options", got=unused, relation="do not apply to", limit="a folder", do=do)


def refuse_for_files(net: Path, part: str, options: dict[str, Any]) -> None:
    """InputError for what says how a run is compiled, where there is none."""
    given = [name for name, value in options.items() if value is not None] + ["--part"] * (part != "all")
    if given:
        do = "leave it out, or name the folder of a run"
        raise OptionMisused(
            str(net), "options", got=", ".join(given), relation="do not apply to", limit="a file", do=do
        )
