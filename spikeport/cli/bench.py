"""`spikeport bench`: how fast things are, and how near to what was measured."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from spikeport.cli import completion
from spikeport.cli.grouped import Grouped
from spikeport.cli.options import Json, Wheel, show
from spikeport.cli.usage import Command
from spikeport.progress import working

bench_app = typer.Typer(cls=Grouped, rich_markup_mode=None)

Quick = Annotated[bool, typer.Option("--quick", help="Tiny sizes: shows that all of it runs.")]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="Write the full numbers there as JSON, the table as Markdown."),
]


@bench_app.callback(invoke_without_command=True)
def bench(context: typer.Context) -> None:
    """Measure how fast things are."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@bench_app.command("sim", cls=Command)
def bench_sim(
    case: Annotated[
        list[str] | None,
        typer.Option(
            help="mlp, mnist or pilotnet; repeatable. [default: all]",
            autocompletion=completion.one_of(completion.SIM_CASES),
        ),
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(
            help="A competitor, or none; repeatable. [default: all]",
            autocompletion=completion.one_of(completion.SIM_PEERS),
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="compare, activity, roofline, cost or startup; repeatable. [default: all]",
            autocompletion=completion.one_of(completion.SIM_PARTS),
        ),
    ] = None,
    net: Annotated[
        list[str] | None,
        typer.Option(metavar="CASE=NET.H5[,X.NPZ]", help="Run a case on this Program, with this input."),
    ] = None,
    quick: Quick = False,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Against other simulators, the machine's own rate, and the work; in one run, side by side."""
    from spikeport.commands.bench.sim import bench_sim as command

    _show(lambda: command(case, peer, part, net or [], quick, output), json, "bench-sim")


@bench_app.command("deploy", cls=Command)
def bench_deploy(
    quick: Quick = False,
    output: Folder = None,
    json: Json = False,
) -> None:
    """What compile and check cost on a ResNet-19 of growing width: time, memory, and how they grow."""
    from spikeport.commands.bench.deploy import bench_deploy as command

    _show(lambda: command(quick, output), json, "bench-deploy")


@bench_app.command("train", cls=Command)
def bench_train(
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="alif_fashion, dalif_resnet20 or small; repeatable. [default: the first two]",
            autocompletion=completion.one_of(completion.TRAIN_PARTS),
        ),
    ] = None,
    peer: Annotated[list[str] | None, typer.Option(help="A competitor, or none; repeatable. [default: all]")] = None,
    threads: Annotated[list[int] | None, typer.Option(help="Repeatable. [default: 1, and all cores]")] = None,
    rounds: Annotated[int, typer.Option(help="Times that all contenders run in turn.")] = 3,
    repeats: Annotated[int, typer.Option(help="Training steps of a contender in a round.")] = 3,
    batch: Annotated[int | None, typer.Option(help="Samples of a step. [default: the net's own]")] = None,
    compiled: Annotated[bool, typer.Option(help="Try what torch.compile makes of the frameworks, too.")] = True,
    device: Annotated[str, typer.Option(help="Of torch, such as cuda.")] = "cpu",
    output: Folder = None,
    json: Json = False,
) -> None:
    """Training steps against other frameworks, and against the same net without neurons: time and peak memory."""
    from spikeport.bench.train import Sizes
    from spikeport.commands.bench.train import bench_train as command

    _show(
        lambda: command(part, peer, threads, device, Sizes(rounds, repeats, batch, compiled=compiled), output),
        json,
        "bench-train",
    )


@bench_app.command("autoencoders", cls=Command)
def bench_autoencoders(
    quick: Annotated[bool, typer.Option("--quick", help="A tiny net: shows that all of it runs.")] = False,
    rounds: Annotated[int, typer.Option(help="Steps of each that are timed.")] = 7,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Training steps of ESVAE against the same network with time as the last axis: images per second and memory."""
    from spikeport.commands.bench.autoencoders import bench_autoencoders as command

    _show(lambda: command(quick, rounds, output), json, "bench-autoencoders")


@bench_app.command("directions", cls=Command)
def bench_directions(
    question: Annotated[
        list[str] | None,
        typer.Option(
            help="alif-digits, alif-fashion or dalif-fashion; repeatable. [default: all]",
            autocompletion=completion.one_of(completion.QUESTIONS),
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Runs of each variant.")] = 3,
    jobs: Annotated[int, typer.Option(help="Runs at once.")] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Over every recipe; repeatable.")
    ] = None,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Train small variants of the papers' networks: which of the papers' findings come out."""
    from spikeport.commands.bench.directions import bench_directions as command

    _show(lambda: command(question, seeds, settings or [], output, jobs), json, "bench-directions")


@bench_app.command("score", cls=Command)
def bench_score(
    quick: Quick = False,
    output: Folder = None,
    json: Json = False,
) -> None:
    """What a second process brings to `spikeport score`: rate, CPU time, memory; the results must be equal."""
    from spikeport.commands.bench.score import bench_score as command

    _show(lambda: command(quick, output), json, "bench-score")


@bench_app.command("energy", cls=Command)
def bench_energy(
    quick: Quick = False,
    wheel: Wheel = None,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Estimates beside what was measured on a Loihi 2, and what counting adds to a simulation."""
    from spikeport.commands.bench.energy import bench_energy as command

    _show(lambda: command(quick, wheel, output), json, "bench-energy")


@bench_app.command("stream", cls=Command)
def bench_stream(
    peer: Annotated[
        list[str] | None, typer.Option(help="A competitor, or none; repeatable. [default: torch, nengo_loihi]")
    ] = None,
    quick: Quick = False,
    output: Folder = None,
    json: Json = False,
) -> None:
    """What a step costs that is pushed into a session, beside the run in one and beside other simulators."""
    from spikeport.commands.bench.stream import bench_stream as command

    _show(lambda: command(peer, quick, output), json, "bench-stream")


@bench_app.command("mapping", cls=Command)
def bench_mapping(
    net: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A recipe's network, or lava-dl/NAME; repeatable. [default: all]",
            autocompletion=completion.mapped,
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Two small networks: shows that all of it runs.")] = False,
    wheel: Wheel = None,
    output: Folder = None,
    json: Json = False,
) -> None:
    """Mappings to cores beside the naive one, layer by layer: cores, the busiest core's time, memory, hops."""
    from spikeport.commands.bench.mapping import bench_mapping as command

    _show(lambda: command(net or [], quick, wheel, output), json, "bench-mapping")


@bench_app.command("start", cls=Command)
def bench_start(
    rounds: Annotated[int, typer.Option(help="Times that each is started, in turn.")] = 10,
    output: Folder = None,
    json: Json = False,
) -> None:
    """What a start costs: bare Python, numpy's import, spikeport's, and spikeport --help, side by side."""
    from spikeport.commands.bench.start import bench_start as command

    _show(lambda: command(rounds, output), json, "bench-start")


def _show(measure: Callable[[], Any], as_json: bool, kind: str) -> None:
    """A benchmark says in lines what it is at; nobody knows how many there will be."""
    with working("measuring"):
        answer = measure()
    show(answer, as_json, kind)
