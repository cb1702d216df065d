"""`spikeport explain`."""

from typing import Annotated

import typer

from spikeport.cli import completion
from spikeport.cli.options import Json, show


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE|RULE",
            help="An error's code, as SP101, or a design rule. [default: lists all]",
            autocompletion=completion.codes,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say what an error's code or a design rule means, why it is there, and how to mend it."""
    from spikeport.commands.explain import explain as command

    show(command(name), json, "explain")
