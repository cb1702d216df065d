"""`spikeport score`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from spikeport.cli import completion
from spikeport.cli.options import Json, ProgramFile, show


def score(
    net: ProgramFile,
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="X",
            help="X.npz; a folder with spikes.npy and labels.npy; a run's folder, or a recipe: its test images.",
            autocompletion=completion.recipes,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Shards, summary.json and answers.npz; all hosts' own."),
    ],
    shard: Annotated[int, typer.Option(metavar="N", help="Samples of each shard.")] = 100,
    processes: Annotated[int, typer.Option(metavar="P", help="On this host.")] = 1,
    nodes: Annotated[int, typer.Option(metavar="N", help="Hosts; torchrun or Slurm starts their processes.")] = 1,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Of each process. [default: the host's cores, shared out]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; do only what is not there whole.")] = False,
    steps: Annotated[
        int | None,
        typer.Option(metavar="T", help="For which an image is shown. [default: the recipe's, or the Program's]"),
    ] = None,
    decide: Annotated[
        Literal["mean", "max", "last"],
        typer.Option(help="What a class's spikes or v over time come to; the class with the largest wins."),
    ] = "mean",
    profile: Annotated[
        Literal["strict", "lava", "loihi1"] | None,
        typer.Option(help="What becomes of a value that leaves its word. [default: the Program's profile]"),
    ] = None,
    spikes: Annotated[bool, typer.Option("--spikes", help="Keep what the outputs gave at each step, too.")] = False,
    data_folder: Annotated[
        Path | None, typer.Option("--data-folder", metavar="DIR", help="Where a recipe's data set lies.")
    ] = None,
    plan: Annotated[
        int | None,
        typer.Option("--plan", metavar="IMAGES", help="Say what so many would take, from what was measured."),
    ] = None,
    cores: Annotated[int | None, typer.Option(metavar="C", help="With --plan: on so many cores.")] = None,
    json: Json = False,
) -> None:
    """Evaluate a data set on a Program: accuracy, confusion, exact operations; over processes and hosts.

    Shards are files; what was done is kept after any kill. The results are the same, bit for bit, whatever the number
    of processes. Of many hosts: torchrun ... -m spikeport score ..., or srun with --processes and --nodes.
    """
    from spikeport.commands.scoring.score import Asked
    from spikeport.commands.scoring.score import score as command

    asked = Asked(
        net, data, output, shard, steps, decide, profile, spikes, resume, processes, nodes, threads, data_folder, plan,
        cores,
    )  # fmt: skip
    answer = command(asked)
    if answer is not None:  # the first process speaks for all
        show(answer, json, "score")
