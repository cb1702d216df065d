"""A training of a second, and what the commands make of it."""

from pathlib import Path

from tests.cli.command import done

RECIPE = """
[data]
name = "digits"
[model]
name = "small_conv"
steps = 3
neuron = "alif"
channels = [2, 3]
votes = 2
tau = 0.5
threshold = 0.5
[train]
epochs = 1
batch = 100
learning_rate = 1e-2
seed = 0
"""


def make_all(folder: Path) -> None:
    """tiny.toml, run, net.nir, x.npz and net.h5."""
    (folder / "tiny.toml").write_text(RECIPE)
    done("train", folder / "tiny.toml", "-o", folder / "run", "--json")
    done("export", folder / "run", "-o", folder / "net.nir", "--samples", folder / "x.npz", "--json")
    done("compile", folder / "net.nir", "-o", folder / "net.h5", "--json")
