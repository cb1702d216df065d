"""One tiny run of every command with --json: what its documents look like, of each shape that there is."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.deploy.lava_env import find_lava
from spikeport.errors import LavaMissing
from spikeport.program_file import load_program, save_program
from tests.cli.command import done, spikeport
from tests.cli.test_autoencoders import RECIPE as AUTOENCODER
from tests.cli.tiny import RECIPE
from tests.deploy.netx.netfile import dense, spikes, write_net
from tests.test_faults import program


def has_lava() -> bool:
    try:
        find_lava(download=False)
    except LavaMissing:
        return False
    return True


SHAPES = """
[network]
name = "one layer"
steps = 4
[[layer]]
name = "fc"
kind = "linear"
in_features = 8
out_features = 2
fed = "spikes"
rate = 0.25
"""


def documents(folder: Path) -> Iterator[tuple[str, Any]]:
    """Kind and document, one for each command and each of its forms."""
    for words in chain(_classifier(folder), _tools(folder), _autoencoder(folder)):
        ran = spikeport(*words, "--json")
        assert ran.code in (0, 1) and ran.out, (words, ran.err)
        yield ran.json["schema"].removeprefix("spikeport-").split("/")[0], ran.json


def _classifier(folder: Path) -> Iterator[tuple[object, ...]]:
    nir, net, x, samples = (folder / name for name in ("net.nir", "net.h5", "x.npz", "ten.npz"))
    backwards = folder / "backwards.npz"
    (folder / "tiny.toml").write_text(RECIPE)
    yield "train", folder / "tiny.toml", "-o", folder / "run"
    yield "export", folder / "run", "-o", nir, "--samples", x
    with np.load(x) as file:
        np.savez(samples, spikes=file["spikes"][:, :10], labels=file["labels"][:10])
        np.savez(backwards, spikes=file["spikes"][:, 9::-1])
    yield "compile", nir, "-o", folder / "calibrated.h5", "--calibrate", samples
    yield "compile", nir, "-o", net
    yield "finetune", net, "--input", samples, "--epochs", 1, "-o", folder / "tuned.nir"
    yield "check", net
    yield "check", net, "--target", "loihi1"
    yield "check", _odd(net, folder)
    yield "map", net
    yield "map", net, "--input", samples, "--cores", "-o", folder / "m.json"
    yield "map", _small(folder), "--search"
    yield "run", net, "--input", samples, "-o", folder / "y.npz", "--record", "all"
    yield "run", net, "--input", samples, "-o", folder / "part.npz", "--state-out", folder / "s.npz"
    yield "score", net, "--data", samples, "-o", folder / "score", "--shard", 5
    yield "bisect", folder / "y.npz", folder / "y.npz"
    yield "run", net, "--input", backwards, "-o", folder / "other.npz", "--record", "all"
    yield "bisect", folder / "y.npz", folder / "other.npz", "--program", net, "--input", samples
    yield "bisect", "--program", net, "--input", samples, "--profiles", "strict,lava"
    yield "energy", net, "--input", samples
    yield "energy", net, "--input", samples, "--profile", "loihi2-estimate", "--compare", folder / "calibrated.h5"
    yield "report", net, "--input", samples, "--run", folder / "y.npz", "-o", folder / "page.html"
    yield "bundle", net, "--input", samples, "--nir", nir, "-o", folder / "b.zip"
    yield "verify", folder / "b.zip"
    if has_lava():
        yield "verify", net, "--input", samples, "--samples", 1
        yield "run", net, "--input", samples, "--backend", "loihi", "--dry-run", "--record", "all", "--power"


def _odd(net: Path, folder: Path) -> Path:
    """Breaks a rule of the chip: resets every third step."""
    found = load_program(net)
    groups = tuple(replace(group, reset_interval=3) for group in found.groups)
    save_program(replace(found, groups=groups), folder / "odd.h5")
    return folder / "odd.h5"


def _small(folder: Path) -> Path:
    """Two layers of 12 neurons: a search on it takes no time."""
    save_program(program(), folder / "small.h5")
    return folder / "small.h5"


def _tools(folder: Path) -> Iterator[tuple[object, ...]]:
    rng = np.random.default_rng(0)
    weight = rng.integers(-60, 60, (4, 3))
    write_net(folder / "model.net", spikes(3), dense(weight))
    yield "convert", folder / "model.net", "-o", folder / "converted.h5"
    yield "convert", folder / "converted.h5", "-o", folder / "again.net"
    yield ("doctor",)
    yield ("recipes",)
    yield ("profiles",)
    yield "profiles", "loihi2-estimate"
    yield ("explain",)
    yield "explain", "SP101"
    yield "explain", "reset_intervals_are_powers_of_two"
    yield "energy", "dalif-cifar100"
    (folder / "shapes.toml").write_text(SHAPES)
    yield "energy", folder / "shapes.toml"
    yield "conformance", "--part", "engines", "--quick"
    yield "bench", "start", "--rounds", 1


def _autoencoder(folder: Path) -> Iterator[tuple[object, ...]]:
    (folder / "vae.toml").write_text(AUTOENCODER.format(name="esvae", options=""))
    run, bundle = folder / "vae", folder / "vae-bundle"
    done("train", folder / "vae.toml", "-o", run)
    yield "check", run
    yield "compile", run, "-o", bundle, "--samples", folder / "images.npz"
    yield "generate", bundle, "--count", 2, "-o", folder / "g.npz"
    yield "reconstruct", bundle, "--input", folder / "images.npz", "-o", folder / "r.npz"
    yield "evaluate", run, "--samples", 8, "--images", 8, "--epochs", 1
