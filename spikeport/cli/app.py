"""The command line. Every part is imported inside the command that needs it, so `--help` is quick."""

import os
import sys
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from spikeport.cli.autoencoders import generate, reconstruct
from spikeport.cli.bench import bench_app
from spikeport.cli.bundle import bundle
from spikeport.cli.energy import energy, profiles
from spikeport.cli.evaluate import evaluate
from spikeport.cli.explain import explain
from spikeport.cli.mapping import map_
from spikeport.cli.options import (
    Classes,
    ConventionName,
    DataFolder,
    DtS,
    High,
    InputFile,
    Json,
    Kind,
    Low,
    OwnProfile,
    Part,
    ProfileName,
    ProgramFile,
    Scale,
    StateIn,
    Steps,
    Target,
    refuse_for_files,
    refuse_for_folders,
    show,
)
from spikeport.cli.score import score
from spikeport.cli.stream import stream
from spikeport.errors import OptionMisused, PackageMissing, SpikeportError

app = typer.Typer(
    name="spikeport",
    help="Train spiking networks in PyTorch, run the same bits on Intel Loihi.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.add_typer(bench_app, name="bench")


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")] = Path("demo"), json: Json = False
) -> None:
    """The whole way on real handwritten digits; ends in DIR/report.html."""
    from spikeport.commands.demo import demo as command

    show(command(output), json)


@app.command()
def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="A TOML file, or the name of a shipped recipe (spikeport recipes). [with --resume: RUN's]",
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
        show(answer, json)


@app.command()
def recipes(json: Json = False) -> None:
    """List what can be trained by name, with what the papers published."""
    from spikeport.commands.training.recipes import recipes as command

    show(command(), json)


@app.command()
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

    show(command(run, output, samples, data), json)


@app.command()
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

    show(command(net, input, output, Tuning(epochs, batch, learning_rate, seed)), json)


@app.command()
def check(
    net: Annotated[
        Path, typer.Argument(metavar="NET", help="A NIR file, a Program, a bundle, or an autoencoder's RUN.")
    ],
    target: Target = "loihi2",
    dt: DtS = None,
    convention: ConventionName = None,
    steps: Steps = None,
    input_kind: Kind = None,
    low: Low = None,
    high: High = None,
    scale: Scale = None,
    witness: Annotated[
        Path | None,
        typer.Option(metavar="X.NPZ", help="Write an input under which a layer overflows, if one is found."),
    ] = None,
    strict_overflow: Annotated[
        bool, typer.Option("--strict-overflow", help="Exit 1 unless every layer is proven not to overflow.")
    ] = False,
    part: Part = "all",
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """What would stop a network on the chip, what would fit, and which layers can overflow."""
    from spikeport.commands.compiling.compile import check as command

    options = {"dt_s": dt, "convention": convention, "steps": steps, "input": input_kind}
    options |= {"low": low, "high": high, "scale": scale}
    if net.is_dir():
        from spikeport.commands.autoencoders.compile import Asked, check_folder

        refuse_for_folders(net, {**options, "witness": witness})
        show(check_folder(net, Asked(target, part, data=data), strict_overflow), json)
    refuse_for_files(net, part, {"--data": data})
    show(command(net, target, options, witness, strict_overflow), json)


@app.command("compile")
def compile_(
    net: Annotated[
        Path, typer.Argument(metavar="NET", help="A NIR file of any framework, or RUN, the folder of an autoencoder.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="A Program, or a bundle. [default: net.h5, or bundle]"),
    ] = None,
    target: Target = "loihi2",
    dt: DtS = None,
    convention: ConventionName = None,
    steps: Steps = None,
    input_kind: Kind = None,
    low: Low = None,
    high: High = None,
    scale: Scale = None,
    classes: Classes = None,
    profile: ProfileName = "strict",
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="X.NPZ", help="Samples: scales, biases and thresholds are fitted to them, the cost told."),
    ] = None,
    observer: Annotated[
        Literal["max", "percentile", "membrane", "spikes"],
        typer.Option(help="What the scale of a layer's weights follows, with --calibrate."),
    ] = "membrane",
    scales: Annotated[
        int, typer.Option(metavar="N", help="Split a layer into up to N parts by the range of its channels' weights.")
    ] = 1,
    copies: Annotated[
        int, typer.Option(metavar="N", help="Copies of a neuron that sends several spikes a step; 0: as samples show.")
    ] = 0,
    decays: Annotated[
        int,
        typer.Option(metavar="N", help="Put the decays of a layer's neurons together to N; 0: as many as there are."),
    ] = 0,
    correct: Annotated[
        bool, typer.Option("--correct/--no-correct", help="Let biases and thresholds make up for rounding.")
    ] = True,
    repair: Annotated[
        bool, typer.Option("--repair", help="Revive silenced and saturated neurons; merge duplicates, exactly.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Write it even if it does not fit the chip; simulators run it.")
    ] = False,
    part: Part = "all",
    data: DataFolder = None,
    samples: Annotated[
        Path | None, typer.Option(metavar="X.NPZ", help="Of a run: write its test images too, for reconstruct.")
    ] = None,
    json: Json = False,
) -> None:
    """Compile a NIR graph to an integer Program.

    Of an autoencoder's RUN it makes a bundle: a folder with both Programs, encoder and decoder, and what the host does.
    """
    from spikeport.commands.compiling.compile import compile_file as command

    image = {"low": low, "high": high, "scale": scale}
    options: dict[str, Any] = {"dt_s": dt, "steps": steps, "input": input_kind, "classes": classes, **image}
    if net.is_dir():
        from spikeport.commands.autoencoders.compile import Asked, compile_run

        fitted: dict[str, Any] = {
            "scales": scales if scales != 1 else None,
            "copies": copies or None,
            "decays": decays or None,
        }
        fitted |= {"calibrate": calibrate, "repair": repair or None}
        refuse_for_folders(net, {**options, **fitted, "convention": convention})
        asked = Asked(target, part, profile, data, samples, anyway)
        show(compile_run(net, output or Path("bundle"), asked), json)
    refuse_for_files(net, part, {"--data": data, "--samples": samples})
    options |= {"profile": profile, "convention": convention, "observer": observer, "scales": scales}
    options |= {"decays": decays, "copies": copies, "correct": correct, "repair": repair}
    show(command(net, output or Path("net.h5"), target, options, calibrate, anyway), json)


@app.command()
def run(
    net: ProgramFile,
    input: InputFile,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="Y.NPZ", help="Y.h5 is written step by step, as are 256 MiB or more."),
    ] = Path("y.npz"),
    backend: Annotated[str, typer.Option(help="sim, lava, or loihi: a board, see docs/howto/loihi.md.")] = "sim",
    record: Annotated[
        str, typer.Option(metavar="GROUPS", help="Groups whose u, v, s are kept: names with commas, or all.")
    ] = "",
    accuracy: Annotated[bool, typer.Option("--accuracy", help="Insist on labels and print the accuracy.")] = False,
    profile: OwnProfile = None,
    state_in: StateIn = None,
    state_out: Annotated[
        Path | None,
        typer.Option(
            "--state-out", metavar="S.NPZ", help="Cut here: spikes still on their way come out of the next part."
        ),
    ] = None,
    decide: Annotated[
        Literal["mean", "max", "last"],
        typer.Option(help="What a class's spikes or v over time come to; the class with the largest wins."),
    ] = "mean",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="For a board: build what it would be given, with Lava; run nothing.")
    ] = False,
    power: Annotated[bool, typer.Option("--power", help="On a board: measure power, times and activity.")] = False,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="On a board: seconds after which it is given up.")
    ] = 3600.0,
    json: Json = False,
) -> None:
    """Run a Program on an input file.

    Y.NPZ holds 'spikes' (T, B, *shape), aligned with the input, and further outputs by name; an output that reads the
    membrane is NAME/v, integers, with NAME/v_unit, what 1 is worth in the float model. Recorded groups are GROUP/u and
    so on, in hardware time. A board writes Y.h5, with what was recorded and measured (docs/howto/loihi.md).
    """
    from spikeport.commands.running.run import OnChip
    from spikeport.commands.running.run import run as command

    groups = [name for name in record.split(",") if name]
    told = OnChip(dry_run, power, timeout)
    show(command(net, input, output, backend, groups, accuracy, profile, state_in, state_out, decide, told), json)


@app.command()
def verify(
    net: Annotated[Path, typer.Argument(metavar="NET.H5", help="A compiled Program, or a bundle OUT.ZIP.")],
    input: Annotated[
        Path | None,
        typer.Option("--input", metavar="X.NPZ", help="Of a Program: integers 'spikes' (T, B, *shape)."),
    ] = None,
    lava: Annotated[bool, typer.Option("--lava", help="Of a bundle: run Lava too.")] = False,
    samples: Annotated[int, typer.Option(help="How many samples of the batch go to Lava.")] = 20,
    mode: Annotated[
        Literal["models", "runtime"],
        typer.Option(help="models: Lava's model classes in one process; runtime: its whole runtime."),
    ] = "models",
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds after which the worker is killed.")] = 300.0,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="Y.H5", help="Against a board's run, in what it recorded, instead of Lava."),
    ] = None,
    json: Json = False,
) -> None:
    """Simulator against Lava, or against a board's run: every neuron, every step. Of a bundle: every byte and layer.

    A bundle is what 'spikeport bundle' writes. Exit 1 if a value differs, 2 if a file is damaged.
    """
    from spikeport.commands.running.run import verify as command

    if input is None:
        from spikeport.commands.proof.verifying import OnLava, verify_bundle

        if run is not None:
            raise OptionMisused(str(net), "--run", relation="needs", limit="--input, what the board was given")
        show(verify_bundle(net, OnLava(samples, mode, timeout) if lava else None), json)
    assert input is not None
    if run is not None:
        from spikeport.commands.running.board_runs import verify_run

        show(verify_run(net, input, run), json)
    show(command(net, input, samples, mode, timeout), json)


@app.command()
def bisect(
    a: Annotated[
        Path | None, typer.Argument(metavar="A.NPZ", help="A run of 'spikeport run --record all', or a board's, A.h5.")
    ] = None,
    b: Annotated[Path | None, typer.Argument(metavar="B.NPZ", help="Another one.")] = None,
    program: Annotated[
        Path | None, typer.Option("--program", metavar="NET.H5", help="What both ran; with --input, shows operands.")
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option("--input", metavar="X.NPZ", help="Its input; the simulator stands in for a missing run."),
    ] = None,
    profiles: Annotated[
        str,
        typer.Option(
            metavar="A,B", help="The simulator's: one or two of strict, lava, loihi1. [default: the Program's]"
        ),
    ] = "",
    json: Json = False,
) -> None:
    """Where two runs part: layer, neuron, step, operands. Exit 1 if they differ."""
    from spikeport.commands.running.bisect import bisect_runs as command

    show(command(a, b, program, input, profiles), json)


app.command()(stream)
app.command()(bundle)
app.command()(generate)
app.command()(reconstruct)
app.command()(energy)
app.command()(profiles)
app.command()(evaluate)
app.command()(score)
app.command("map")(map_)
app.command()(explain)


@app.command()
def convert(
    net: Annotated[Path, typer.Argument(metavar="NET", help="lava-dl's NET.net, or a Program NET.h5.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The other of the two.")],
    reset_interval: Annotated[int, typer.Option(metavar="N", help="Clear the state every N steps; 0: never.")] = 0,
    reset_offset: Annotated[int, typer.Option(metavar="K", help="As in lava-dl: layer k clears at K + 1 + k.")] = 0,
    input_bits: Annotated[
        int, typer.Option(metavar="BITS", help="An image of the input layer comes in steps of 2^-BITS.")
    ] = 8,
    num_layers: Annotated[int | None, typer.Option(metavar="N", help="Read only the first N layers.")] = None,
    skip_layers: Annotated[
        int, typer.Option(metavar="N", help="Leave out the first N; their spikes are the input.")
    ] = 0,
    spike_exp: Annotated[int, typer.Option(metavar="EXP", help="Payloads of SDNN neurons are in 2^-EXP.")] = 6,
    input_message_bits: Annotated[int, typer.Option(metavar="BITS", help="Of the input's payloads; 0: none.")] = 0,
    json: Json = False,
) -> None:
    """lava-dl's network files in, and out; resets are no part of such a file."""
    from spikeport.commands.compiling.convert import convert as command
    from spikeport.deploy.netx import NetxArguments

    told = NetxArguments(reset_interval, reset_offset, input_bits, spike_exp, input_message_bits)
    show(command(net, output, told, num_layers, skip_layers), json)


@app.command()
def conformance(
    wheel: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A copy of lava-dl 0.6.0's wheel. [default: fetched by pip]")
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="published, lava, runtime or engines; repeatable. [default: all]")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer steps of long recordings, and fewer random Programs.")
    ] = False,
    json: Json = False,
) -> None:
    """Against published recordings, Lava and each other: every value, no tolerance."""
    from spikeport.commands.conformance.conformance import conformance as command
    from spikeport.commands.conformance.row import Setup

    show(command(Setup(wheel, quick, tuple(part or ()))), json)


@app.command()
def doctor(json: Json = False) -> None:
    """What is installed, what is missing, and how to get it."""
    from spikeport.commands.doctor import doctor as command

    show(command(), json)


def main() -> None:
    """Runs a command; an error on purpose is one line on standard error and its exit code."""
    # threads that spin while they wait slow small networks down many times; read when torch loads OpenMP
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    try:
        app()
    except SpikeportError as error:
        _end(error)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "sklearn", "PIL", "lightning_fabric", "tomli_w"):
            raise
        _end(PackageMissing(error.name, "is not installed", do="pip install 'spikeport[train]'"))


def _end(error: SpikeportError) -> NoReturn:
    """One line on standard error; with --json the error's pieces too, as one line of JSON on standard output."""
    sys.stderr.write(f"{error.line()}\n")
    if "--json" in sys.argv:
        sys.stdout.write(dumps({"error": error.data()}) + "\n")
    sys.exit(error.exit_code)
