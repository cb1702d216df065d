"""The command line. Every part is imported inside the command that needs it, so `--help` is quick."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spikeport.errors import InputError, SpikeportError

app = typer.Typer(
    name="spikeport",
    help="Train spiking networks in PyTorch, run the same bits on Intel Loihi.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

bench_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Measure how fast things are.")
app.add_typer(bench_app, name="bench")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
ProgramFile = Annotated[Path, typer.Argument(metavar="NET.H5", help="A compiled Program.")]
InputFile = Annotated[
    Path, typer.Option("--input", metavar="X.NPZ", help="Integers 'spikes' (T, B, *shape), 'labels' (B,).")
]
Target = Annotated[str, typer.Option("--target", help="loihi1 or loihi2.")]
DtS = Annotated[
    float | None, typer.Option("--dt", metavar="S", help="Length of a step in seconds. [default: the convention's]")
]
ConventionName = Annotated[
    str | None,
    typer.Option(
        "--convention",
        metavar="NAME",
        help="How its writer steps it: nir, norse, snntorch, spikingjelly, sinabs, rockpool, spyx or lava-dl."
        " [default: guessed]",
    ),
]
Steps = Annotated[int | None, typer.Option(help="Steps per sample; state is cleared between samples.")]
Kind = Annotated[str | None, typer.Option("--input-kind", help="spike, or bias for a constant image.")]
Low = Annotated[int | None, typer.Option(help="Least integer of an image. [default: 0]")]
High = Annotated[int | None, typer.Option(help="Largest integer of an image. [default: 255]")]
Scale = Annotated[float | None, typer.Option(help="What 1 is worth to the float graph. [default: 1/255]")]
ProfileName = Annotated[
    Literal["strict", "lava", "loihi1"],
    typer.Option(
        "--profile", help="What becomes of a value that leaves its word: an error, or what Lava or Loihi 1 does."
    ),
]
Classes = Annotated[int | None, typer.Option(help="Classes among which the output neurons vote.")]


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")] = Path("demo"), json: Json = False
) -> None:
    """The whole way on real handwritten digits; ends in DIR/report.html."""
    from spikeport.commands.demo import demo as command

    _show(command(output), json)


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
    from spikeport.commands.training import Options
    from spikeport.commands.training import train as command

    told = [*(settings or ())]
    told += ["train.quantize=false"] if no_quantize else []
    named = {"precision": precision and f'"{precision}"', "seed": seed, "check": check_each_epoch}
    told += [f"train.{key}={value}" for key, value in named.items() if value is not None]
    options = Options(
        output, data, told, resume, accelerator, devices, nodes, checkpoint_minutes, checkpoint_steps, tensorboard
    )
    answer = command(recipe, options)
    if answer is not None:  # the first process speaks for all
        _show(answer, json)


@app.command()
def recipes(json: Json = False) -> None:
    """List what can be trained by name, with what the papers published."""
    from spikeport.commands.recipes import recipes as command

    _show(command(), json)


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
    from spikeport.commands.exporting import export as command

    _show(command(run, output, samples, data), json)


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
    from spikeport.commands.tuning import finetune as command
    from spikeport.train import Tuning

    _show(command(net, input, output, Tuning(epochs, batch, learning_rate, seed)), json)


@app.command()
def check(
    net: Annotated[Path | None, typer.Argument(metavar="NET", help="A NIR file, or a Program.")] = None,
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
    explain: Annotated[
        str | None, typer.Option(metavar="RULE", help="Say what a design rule measures, and its limits; needs no NET.")
    ] = None,
    json: Json = False,
) -> None:
    """What would stop a network on the chip, what would fit, and which layers can overflow."""
    from spikeport.commands.compiling import check as command

    if explain is not None:
        from spikeport.commands.fitting import explain as explained

        return _show(explained(explain), json)
    if net is None:
        raise InputError("check", "no network", do="name a NIR file or a Program, or a rule with --explain")
    options = {"dt_s": dt, "convention": convention, "steps": steps, "input": input_kind}
    options |= {"low": low, "high": high, "scale": scale}
    _show(command(net, target, options, witness, strict_overflow), json)


@app.command("compile")
def compile_(
    net: Annotated[Path, typer.Argument(metavar="NET.NIR", help="A NIR file of any framework.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="NET.H5")] = Path("net.h5"),
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
    json: Json = False,
) -> None:
    """Compile a NIR graph to an integer Program."""
    from spikeport.commands.compiling import compile_file as command

    image = {"low": low, "high": high, "scale": scale}
    options: dict[str, Any] = {"dt_s": dt, "steps": steps, "input": input_kind, "classes": classes, **image}
    options |= {"profile": profile, "convention": convention, "observer": observer, "scales": scales}
    options |= {"decays": decays, "copies": copies, "correct": correct, "repair": repair}
    _show(command(net, output, target, options, calibrate, anyway), json)


@app.command()
def run(
    net: ProgramFile,
    input: InputFile,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="Y.NPZ", help="Y.h5 is written step by step, as are 256 MiB or more."),
    ] = Path("y.npz"),
    backend: Annotated[str, typer.Option(help="sim or lava.")] = "sim",
    record: Annotated[
        str, typer.Option(metavar="GROUPS", help="Groups whose u, v, s are kept: names with commas, or all.")
    ] = "",
    accuracy: Annotated[bool, typer.Option("--accuracy", help="Insist on labels and print the accuracy.")] = False,
    profile: Annotated[
        Literal["strict", "lava", "loihi1"] | None,
        typer.Option(help="What becomes of a value that leaves its word. [default: the Program's profile]"),
    ] = None,
    state_in: Annotated[
        Path | None, typer.Option("--state-in", metavar="S.NPZ", help="Go on from where a part ended.")
    ] = None,
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
    json: Json = False,
) -> None:
    """Run a Program on an input file.

    Y.NPZ holds 'spikes' (T, B, *shape), aligned with the input, and further outputs by name; an output that reads the
    membrane is NAME/v, integers, with NAME/v_unit, what 1 is worth in the float model. Recorded groups are GROUP/u and
    so on, in hardware time.
    """
    from spikeport.commands.running import run as command

    groups = [name for name in record.split(",") if name]
    _show(command(net, input, output, backend, groups, accuracy, profile, state_in, state_out, decide), json)


@app.command()
def verify(
    net: ProgramFile,
    input: InputFile,
    samples: Annotated[int, typer.Option(help="How many samples of the batch.")] = 20,
    mode: Annotated[
        Literal["models", "runtime"],
        typer.Option(help="models: Lava's model classes in one process; runtime: its whole runtime."),
    ] = "models",
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds after which the worker is killed.")] = 300.0,
    json: Json = False,
) -> None:
    """Simulator against Lava: every neuron, every step."""
    from spikeport.commands.running import verify as command

    _show(command(net, input, samples, mode, timeout), json)


@app.command()
def bisect(
    a: Annotated[Path | None, typer.Argument(metavar="A.NPZ", help="A run of 'spikeport run --record all'.")] = None,
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
    from spikeport.commands.bisect import bisect_runs as command

    _show(command(a, b, program, input, profiles), json)


@app.command()
def energy(
    net: ProgramFile,
    input: InputFile,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PROFILE",
            help="What operations cost: a name of --list, or a .toml file; repeatable. [default: cmos45-fp32]",
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None, typer.Option(metavar="NET.H5", help="Another Program on the same input; repeatable.")
    ] = None,
    activity: Annotated[
        Path | None,
        typer.Option(metavar="Y.NPZ", help="A run of NET on X, from 'spikeport run --record all', of any back end."),
    ] = None,
    convention: Annotated[
        str, typer.Option(help="exact, or a papers' way to count: paper-spikformer, paper-esvae, paper-syops.")
    ] = "exact",
    ann: Annotated[
        str | None,
        typer.Option(metavar="PROFILE", help="Prices the ANN. [default: PROFILE, or cmos45-int8 for a chip]"),
    ] = None,
    memory: Annotated[Literal["lemaire"] | None, typer.Option(help="Add a model of memory traffic.")] = None,
    cores: Annotated[bool, typer.Option("--cores/--no-cores", help="Map to cores: messages, hops, times.")] = True,
    csv: Annotated[Path | None, typer.Option(metavar="E.CSV", help="Write layers and terms as CSV.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="REPORT.HTML", help="Write a report too.")] = None,
    json: Json = False,
) -> None:
    """Count operations exactly and price them, layer by layer, beside the ANN; and the time that they take.

    NET is a Program, or a network by its shapes alone (.toml), which needs no input. 'spikeport profiles' lists prices.
    """
    from spikeport.commands.energy import Asked
    from spikeport.commands.energy import energy as command

    asked = Asked(
        net=net,
        input=input,
        profiles=tuple(profile or ["cmos45-fp32"]),
        compare=tuple(compare or ()),
        activity=activity,
        convention=convention,
        ann=ann,
        memory=memory is not None,
        cores=cores,
        csv=csv,
        html=html,
    )
    _show(command(asked), json)


@app.command()
def profiles(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show each constant of this one.")] = None,
    json: Json = False,
) -> None:
    """List what operations cost on different hardware, each price with its source and bounds."""
    from spikeport.commands.profiles import profiles as command

    _show(command(name), json)


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
    from spikeport.commands.convert import convert as command
    from spikeport.deploy.netx import NetxArguments

    told = NetxArguments(reset_interval, reset_offset, input_bits, spike_exp, input_message_bits)
    _show(command(net, output, told, num_layers, skip_layers), json)


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
    from spikeport.commands.conformance import conformance as command
    from spikeport.commands.conformance_row import Setup

    _show(command(Setup(wheel, quick, tuple(part or ()))), json)


@app.command()
def doctor(json: Json = False) -> None:
    """What is installed, what is missing, and how to get it."""
    from spikeport.commands.doctor import doctor as command

    _show(command(), json)


@bench_app.command("sim")
def bench_sim(
    case: Annotated[list[str] | None, typer.Option(help="mlp, mnist or pilotnet; repeatable. [default: all]")] = None,
    peer: Annotated[list[str] | None, typer.Option(help="A competitor, or none; repeatable. [default: all]")] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="compare, activity, roofline, cost or startup; repeatable. [default: all]")
    ] = None,
    net: Annotated[
        list[str] | None,
        typer.Option(metavar="CASE=NET.H5[,X.NPZ]", help="Run a case on this Program, with this input."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes: shows that all of it runs.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write sim.json, sim.md.")
    ] = None,
    json: Json = False,
) -> None:
    """Against other simulators, the machine's own rate, and the work; in one run, side by side."""
    from spikeport.commands.bench import bench_sim as command

    _show(command(case, peer, part, net or [], quick, output), json)


@bench_app.command("deploy")
def bench_deploy(
    quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes: shows that all of it runs.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write deploy.json, deploy.md.")
    ] = None,
    json: Json = False,
) -> None:
    """What compile and check cost on a ResNet-19 of growing width: time, memory, and how they grow."""
    from spikeport.commands.bench_deploy import bench_deploy as command

    _show(command(quick, output), json)


@bench_app.command("train")
def bench_train(
    part: Annotated[
        list[str] | None,
        typer.Option(help="alif_fashion, dalif_resnet20 or small; repeatable. [default: the first two]"),
    ] = None,
    peer: Annotated[list[str] | None, typer.Option(help="A competitor, or none; repeatable. [default: all]")] = None,
    threads: Annotated[list[int] | None, typer.Option(help="Repeatable. [default: 1, and all cores]")] = None,
    rounds: Annotated[int, typer.Option(help="Times that all contenders run in turn.")] = 3,
    repeats: Annotated[int, typer.Option(help="Training steps of a contender in a round.")] = 3,
    batch: Annotated[int | None, typer.Option(help="Samples of a step. [default: the net's own]")] = None,
    compiled: Annotated[bool, typer.Option(help="Try what torch.compile makes of the frameworks, too.")] = True,
    device: Annotated[str, typer.Option(help="Of torch, such as cuda.")] = "cpu",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write train.json, train.md.")
    ] = None,
    json: Json = False,
) -> None:
    """Training steps against other frameworks, and against the same net without neurons: time and peak memory."""
    from spikeport.bench.train import Sizes
    from spikeport.commands.bench_train import bench_train as command

    _show(command(part, peer, threads, device, Sizes(rounds, repeats, batch, compiled=compiled), output), json)


@bench_app.command("directions")
def bench_directions(
    question: Annotated[
        list[str] | None,
        typer.Option(help="alif-digits, alif-fashion or dalif-fashion; repeatable. [default: all]"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each variant.")] = 3,
    jobs: Annotated[int, typer.Option(help="Runs at once.")] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Over every recipe; repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write directions.json, directions.md.")
    ] = None,
    json: Json = False,
) -> None:
    """Train small variants of the papers' networks: which of the papers' findings come out."""
    from spikeport.commands.bench_directions import bench_directions as command

    _show(command(question, seeds, settings or [], output, jobs), json)


def _show(answer: Any, as_json: bool) -> None:
    from spikeport.commands.answer import show

    show(answer, as_json)
    raise typer.Exit(answer.exit_code)


def main() -> None:
    """Runs a command; an error on purpose is one line on standard error and its exit code."""
    # threads that spin while they wait slow small networks down many times; read when torch loads OpenMP
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    try:
        app()
    except SpikeportError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "sklearn", "PIL", "lightning_fabric", "tomli_w"):
            raise
        sys.stderr.write(f"error: {error.name}: is not installed; pip install 'spikeport[train]'\n")
        sys.exit(2)
