"""Small networks, an autoencoder's bundle, their samples, and reports of them, for tests."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.autoencoder_file import save_bundle
from spikeport.commands.autoencoders.compile import Part, deployed
from spikeport.commands.mapping.design import mapped
from spikeport.commands.report.known import Compared, Known
from spikeport.commands.report.of_program import known_of, observe_first
from spikeport.commands.report.page import render_page
from spikeport.commands.report.sections import sections
from spikeport.commands.samples import Samples
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from tests.bundles import random_model

SECTIONS = ["overview", "pipeline", "accuracy", "layers", "rasters", "traces", "confusion", "energy", "mapping",
            "conformance", "reproduce"]  # fmt: skip
PICTURED = ["pictures" if name == "confusion" else name for name in SECTIONS]
"""Of an autoencoder."""
HOSTILE = 'a "net" & <script>alert(1)</script>'


def program(kind: str = "bias") -> Program:
    """conv1, `(2, 6, 6)`, on the host or of spikes, then out, 4 classes."""
    rng = np.random.default_rng(0)
    groups = (
        LIF("conv1", (2, 6, 6), 4095, 400, 5, np.zeros((2, 6, 6), np.int64), reset_interval=8, reset_offset=1),
        LIF("out", (4,), 4095, 400, 20, np.zeros(4, np.int64), reset_interval=8, reset_offset=2),
    )
    conv = Conv("x", "conv1", rng.integers(-2, 6, (2, 1, 3, 3)) * 10, padding=(1, 1))
    dense = Dense("conv1", "out", rng.integers(-2, 4, (4, 72)) * 2, weight_exp=1)
    outputs = (Output("o", "out", 4),)
    if kind == "spike":
        bare = tuple(replace(g, reset_interval=0) for g in groups)
        return Program(bare, (conv, dense), (Input("x", (1, 6, 6), "spike"),), outputs, latency=2)
    encoder = Encoder(conv, np.zeros((2, 6, 6), np.int64))
    entry = Input("x", (1, 6, 6), "bias", 0, 9)
    return Program(groups, (dense,), (entry,), outputs, (encoder,), 1, nir_sha256="5" * 64)


def long_names() -> tuple[Program, dict[str, NDArray[np.int64]]]:
    """Two layers with names that no window has room for, and samples."""
    rng = np.random.default_rng(2)
    names = [f"a_layer_whose_name_{'goes_on_and_' * 6}on_{k}" for k in range(2)]
    groups = tuple(LIF(name, (8,), 4095, 400, 5, np.zeros(8, np.int64)) for name in names)
    wires = (Dense("x", names[0], 2 * rng.integers(-2, 9, (8, 5))), Dense(*names, 2 * rng.integers(-2, 9, (8, 8))))
    net = Program(groups, wires, (Input("x", (5,), "spike"),), (Output("o", names[1], 8),), latency=2)
    return net, {"x": rng.integers(0, 2, (30, 2, 5))}


def bundle(folder: Path, part: Part = "all", name: str = "esvae", images: int = 5, **options: Any) -> Path:
    """An autoencoder's bundle in `folder`, and pictures for it, x.npz; nobody trained it."""
    made = deployed(random_model(name, steps=4, **options), part=part)
    save_bundle(made, folder / "bundle")
    size = (images, *made.image_shape)
    np.savez(folder / "x.npz", images=np.random.default_rng(4).integers(0, 256, size))
    return folder / "bundle"


def arrays(batch: int = 3, steps: int = 6) -> dict[str, NDArray[np.int64]]:
    """As an input file holds them."""
    x = np.random.default_rng(1).integers(0, 2, (1, batch, 1, 6, 6)).repeat(steps, axis=0)
    return {"spikes": x, "labels": np.arange(batch) % 4}


def known(net: Program, inputs: Mapping[str, NDArray[np.integer]], labels: NDArray[np.integer] | None = None) -> Known:
    """What a report shows of a Program and samples."""
    found = mapped(net, net.chip)
    batch = next(iter(inputs.values())).shape[1]
    return known_of(found, observe_first(found, Samples(Path("x.npz"), inputs, labels), batch), "net.h5", "net.h5")


def of_kind(kind: str) -> Known:
    given = arrays()
    return known(program(kind), {"x": given["spikes"]}, given["labels"])


def hostile() -> Known:
    """With markup in everything that is text."""
    compared = [Compared(HOSTILE, HOSTILE, 5, 1, first=HOSTILE), Compared(HOSTILE, "", missing=HOSTILE)]
    return replace(of_kind("bias"), title=HOSTILE, lede=HOSTILE, compared=compared, warnings=[HOSTILE], command=HOSTILE)


def rendered(of: Known) -> str:
    return render_page(of.title, of.lede, sections(of))
