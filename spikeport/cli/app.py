"""The command line: every command in its group, in the order in which a user meets them.

Every part is imported inside the command that needs it, so `--help` is quick.
"""

import atexit
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from io import TextIOWrapper

import typer

from spikeport.cli.autoencoders import generate, reconstruct
from spikeport.cli.bench import bench_app
from spikeport.cli.bundle import bundle
from spikeport.cli.compiling import check, compile_, convert
from spikeport.cli.ending import end
from spikeport.cli.energy import energy, profiles
from spikeport.cli.evaluate import evaluate
from spikeport.cli.explain import explain
from spikeport.cli.grouped import Grouped
from spikeport.cli.installed import conformance, demo, doctor
from spikeport.cli.mapping import map_
from spikeport.cli.report import report
from spikeport.cli.running import bisect, run, verify
from spikeport.cli.score import score
from spikeport.cli.start import start
from spikeport.cli.stream import stream
from spikeport.cli.training import export, finetune, recipes, train
from spikeport.cli.usage import Command
from spikeport.errors import PackageMissing, SpikeportError
from spikeport.extras import install
from spikeport.progress import Task, listen

RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")
"""Of a process among several, as launchers tell it; the first one speaks for all."""

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
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback(invoke_without_command=True)(start)
for group, commands in GROUPS.items():
    for command in commands:
        app.command(command.__name__.rstrip("_"), cls=Command, rich_help_panel=group)(command)
app.add_typer(bench_app, name="bench", rich_help_panel="Measure")


def main() -> None:
    """Runs a command; an error on purpose is one line on standard error and its exit code."""
    # threads that spin while they wait slow small networks down many times; read when torch loads OpenMP
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    _make_writable()
    if all(os.environ.get(name, "0") == "0" for name in RANKS):
        listen(_drawn)
    try:
        app(prog_name="spikeport")
    except SpikeportError as error:
        end(error)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "sklearn", "PIL", "lightning_fabric", "tomli_w"):
            raise
        end(PackageMissing(error.name, "is not installed", do=install("train")))
    finally:
        # the work is done: Ctrl-C in what libraries do at the interpreter's end would only crash them
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def _make_writable() -> None:
    """What is closed leads nowhere, and what an encoding lacks is spelt out, as \\xb5 for the micro sign."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - to the end of the process
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, TextIOWrapper):
            out.reconfigure(errors="backslashreplace")


def _drawn(what: str, total: float | None, unit: str) -> AbstractContextManager[Task]:
    from spikeport.commands.bars import drawn

    return drawn(what, total, unit)
