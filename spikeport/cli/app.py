"""The command line: every command in its group, in the order in which a user meets them.

Every part is imported inside the command that needs it, so `--help` is quick.
"""

import os
import sys
from collections.abc import Callable, Mapping
from json import dumps
from typing import NoReturn

import typer

from spikeport.cli.autoencoders import generate, reconstruct
from spikeport.cli.bench import bench_app
from spikeport.cli.bundle import bundle
from spikeport.cli.compiling import check, compile_, convert
from spikeport.cli.energy import energy, profiles
from spikeport.cli.evaluate import evaluate
from spikeport.cli.explain import explain
from spikeport.cli.grouped import Grouped
from spikeport.cli.installed import conformance, demo, doctor
from spikeport.cli.mapping import map_
from spikeport.cli.report import report
from spikeport.cli.running import bisect, run, verify
from spikeport.cli.score import score
from spikeport.cli.stream import stream
from spikeport.cli.training import export, finetune, recipes, train
from spikeport.errors import PackageMissing, SpikeportError

GROUPS: Mapping[str, tuple[Callable[..., None], ...]] = {
    "First steps": (doctor, demo, explain),
    "Train": (recipes, train, finetune, export),
    "Compile": (check, compile_, convert, map_),
    "Run": (run, stream, score, report),
    "Prove": (verify, bisect, bundle, conformance),
    "Estimate energy": (energy, profiles),
    "Autoencoders": (generate, reconstruct, evaluate),
}

app = typer.Typer(
    name="spikeport",
    cls=Grouped,
    help="Train spiking networks in PyTorch, run the same bits on Intel Loihi.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group, commands in GROUPS.items():
    for command in commands:
        app.command(command.__name__.rstrip("_"), rich_help_panel=group)(command)
app.add_typer(bench_app, name="bench", rich_help_panel="Measure")


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
