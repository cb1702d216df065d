"""`spikeport run`, `verify` and `bisect`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from spikeport.cli import completion
from spikeport.cli.options import InputFile, Json, OwnProfile, ProgramFile, StateIn, show
from spikeport.errors import OptionMisused


def run(
    net: ProgramFile,
    input: InputFile,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="Y.NPZ", help="Y.h5 is written step by step, as are 256 MiB or more."),
    ] = Path("y.npz"),
    backend: Annotated[
        str,
        typer.Option(
            help="sim, lava, or loihi: a board, see docs/howto/loihi.md.",
            autocompletion=completion.one_of(completion.BACKENDS),
        ),
    ] = "sim",
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
    wait: Annotated[
        float, typer.Option(metavar="S", help="On a board: seconds to wait for it while others have it.")
    ] = 600.0,
    json: Json = False,
) -> None:
    """Run a Program on an input file.

    Y.NPZ holds 'spikes' (T, B, *shape), aligned with the input, and further outputs by name; an output that reads the
    membrane is NAME/v, integers, with NAME/v_unit, what 1 is worth in the float model. Recorded groups are GROUP/u and
    so on, in hardware time. A board writes Y.h5, with what was recorded and measured (docs/howto/loihi.md).
    """
    from spikeport.commands.running.on_chip import OnChip
    from spikeport.commands.running.run import run as command

    groups = [name for name in record.split(",") if name]
    told = OnChip(dry_run, power, timeout, wait)
    show(
        command(net, input, output, backend, groups, accuracy, profile, state_in, state_out, decide, told), json, "run"
    )


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
        show(verify_bundle(net, OnLava(samples, mode, timeout) if lava else None), json, "verify-bundle")
    assert input is not None
    if run is not None:
        from spikeport.commands.running.board_runs import verify_run

        show(verify_run(net, input, run), json, "verify-run")
    show(command(net, input, samples, mode, timeout), json, "verify")


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

    show(command(a, b, program, input, profiles), json, "bisect")
