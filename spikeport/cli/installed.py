"""`spikeport doctor`, `demo` and `conformance`: what is here, and whether it works."""

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import completion
from spikeport.cli.options import Json, Wheel, show


def doctor(json: Json = False) -> None:
    """What is installed, what is missing, and how to get it."""
    from spikeport.commands.doctor import doctor as command

    show(command(), json, "doctor")


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR")] = Path("demo"), json: Json = False
) -> None:
    """The whole way on real handwritten digits; ends in DIR/report.html."""
    from spikeport.commands.demo import demo as command

    show(command(output), json, "demo")


def conformance(
    wheel: Wheel = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="published, lava, runtime or engines; repeatable. [default: all]",
            autocompletion=completion.one_of(completion.CONFORMANCE),
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer steps of long recordings, and fewer random Programs.")
    ] = False,
    json: Json = False,
) -> None:
    """Against published recordings, Lava and each other: every value, no tolerance."""
    from spikeport.commands.conformance.conformance import conformance as command
    from spikeport.commands.conformance.row import Setup

    show(command(Setup(wheel, quick, tuple(part or ()))), json, "conformance")
