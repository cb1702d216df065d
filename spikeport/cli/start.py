"""`spikeport` alone: where to begin, by where one comes from."""

from typing import Annotated

import typer

START = """\
spikeport takes a spiking network from PyTorch to Intel Loihi, bit for bit.

Where do you come from?

  I have a PyTorch idea
      spikeport train digits -o run          trains a recipe; 'spikeport recipes' lists all
  I have a snnTorch, Norse, SpikingJelly or sinabs model
      spikeport check net.nir                NIR file; docs/howto/import_network.md says how to get it
  I have a lava-dl .net file
      spikeport convert net.net -o net.h5    then: spikeport check net.h5
  I need an energy figure for a paper
      spikeport energy dalif-cifar100        a network by its shapes; a Program takes --input too
  I own a Loihi
      spikeport doctor                       what the board still needs; then: spikeport run --backend loihi

New here?         spikeport demo             the whole way on handwritten digits
An error's code?  spikeport explain SP101
All commands:     spikeport --help
"""


def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """The start page where no command is named."""
    if version:
        from spikeport import __version__

        typer.echo(f"spikeport {__version__}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        typer.echo(START, nl=False)
