"""`spikeport check`, `compile` and `convert`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from spikeport.cli.options import (
    Classes,
    DataFolder,
    Json,
    Part,
    ProfileName,
    Target,
    refuse_for_files,
    refuse_for_folders,
    show,
)
from spikeport.cli.reading import Reading, with_reading


@with_reading
def check(
    net: Annotated[
        Path, typer.Argument(metavar="NET", help="A NIR file, a Program, a bundle, or an autoencoder's RUN.")
    ],
    target: Target = "loihi2",
    *,
    reading: Reading,
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

    options = reading.options
    if net.is_dir():
        from spikeport.commands.autoencoders.compile import Asked, check_folder

        refuse_for_folders(net, {**options, "witness": witness})
        show(check_folder(net, Asked(target, part, data=data), strict_overflow), json, "check-autoencoder")
    refuse_for_files(net, part, {"--data": data})
    show(command(net, target, options, witness, strict_overflow), json, "check")


@with_reading
def compile_(
    net: Annotated[
        Path, typer.Argument(metavar="NET", help="A NIR file of any framework, or RUN, the folder of an autoencoder.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="OUT", help="A Program, or a bundle. [default: net.h5, or bundle]"),
    ] = None,
    target: Target = "loihi2",
    *,
    reading: Reading,
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

    options = {**reading.options, "classes": classes}
    if net.is_dir():
        from spikeport.commands.autoencoders.compile import Asked, compile_run

        fitted: dict[str, Any] = {
            "scales": scales if scales != 1 else None,
            "copies": copies or None,
            "decays": decays or None,
        }
        fitted |= {"calibrate": calibrate, "repair": repair or None}
        refuse_for_folders(net, {**options, **fitted})
        asked = Asked(target, part, profile, data, samples, anyway)
        show(compile_run(net, output or Path("bundle"), asked), json, "compile-autoencoder")
    refuse_for_files(net, part, {"--data": data, "--samples": samples})
    options |= {"profile": profile, "observer": observer, "scales": scales}
    options |= {"decays": decays, "copies": copies, "correct": correct, "repair": repair}
    show(command(net, output or Path("net.h5"), target, options, calibrate, anyway), json, "compile")


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
    show(command(net, output, told, num_layers, skip_layers), json, "convert")
