"""`spikeport recipes`, `train`, `finetune` and `export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from spikeport.cli import completion
from spikeport.cli.options import InputFile, Json, ProgramFile, show


def recipes(json: Json = False) -> None:
    """List what can be trained by name, with what the papers published."""
    from spikeport.commands.training.recipes import recipes as command

    show(command(), json, "recipes")


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="A TOML file, or the name of a shipped recipe (spikeport recipes). [with --resume: RUN's]",
            autocompletion=completion.recipes,
        ),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="RUN")] = Path("run"),
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where the data set's files lie.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Over the recipe's: train.epochs=3; repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in RUN where it stopped.")] = False,
    devices: Annotated[int, typer.Option(metavar="N", help="Processes on this host, one GPU each.")] = 1,
    nodes: Annotated[int, typer.Option(metavar="N", help="Hosts; torchrun or Slurm starts their processes.")] = 1,
    accelerator: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where it runs.")] = "auto",
    precision: Annotated[
        Literal["64", "32", "bf16", "16"] | None, typer.Option(help="Bits of floats. [default: the recipe's]")
    ] = None,
    no_quantize: Annotated[bool, typer.Option("--no-quantize", help="Do not round weights while training.")] = False,
    seed: Annotated[int | None, typer.Option(help="Of weights, order and dropout. [default: the recipe's]")] = None,
    check_each_epoch: Annotated[
        Literal["loihi1", "loihi2"] | None,
        typer.Option("--check-each-epoch", help="Hold the network against this chip after each epoch."),
    ] = None,
    checkpoint_minutes: Annotated[float, typer.Option(metavar="M", help="Save inside epochs every M minutes.")] = 10.0,
    checkpoint_steps: Annotated[int, typer.Option(metavar="N", help="Save every N steps too; 0: never.")] = 0,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write RUN/tensorboard too.")] = False,
    json: Json = False,
) -> None:
    """Train a recipe; writes the folder RUN.

    RUN holds recipe.toml, weights.pt, history.json, log.csv, report.html, and checkpoint.pt, from which --resume goes
    on as if nothing had happened. Several processes: --devices, or torchrun.
    """
    from spikeport.commands.training.train import Options
    from spikeport.commands.training.train import train as command

    told = [*(settings or ())]
    told += ["train.quantize=false"] if no_quantize else []
    named = {"precision": precision and f'"{precision}"', "seed": seed, "check": check_each_epoch}
    told += [f"train.{key}={value}" for key, value in named.items() if value is not None]
    options = Options(
        output, data, told, resume, accelerator, devices, nodes, checkpoint_minutes, checkpoint_steps, tensorboard
    )
    answer = command(recipe, options)
    if answer is not None:  # the first process speaks for all
        show(answer, json, "train")


def finetune(
    net: ProgramFile,
    input: InputFile,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="NET.NIR")] = Path("net.nir"),
    epochs: Annotated[int, typer.Option(help="Passes over the samples.")] = 3,
    batch: Annotated[int, typer.Option(help="Samples per step.")] = 50,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="Of Adam; falls to 0 as a cosine.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Of the samples' order.")] = 0,
    json: Json = False,
) -> None:
    """Train a Program further on labelled samples, and export it to NIR again."""
    from spikeport.commands.training.finetune import finetune as command
    from spikeport.train import Tuning

    show(command(net, input, output, Tuning(epochs, batch, learning_rate, seed)), json, "finetune")


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training run.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="NET.NIR")] = Path("net.nir"),
    samples: Annotated[
        Path | None, typer.Option(metavar="X.NPZ", help="Write the test images as an input file too.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where the data set's files lie.")] = None,
    json: Json = False,
) -> None:
    """Export a run to NIR."""
    from spikeport.commands.training.export import export as command

    show(command(run, output, samples, data), json, "export")
