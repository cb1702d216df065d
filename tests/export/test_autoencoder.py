"""What of an autoencoder is not deployed, and why."""

from typing import Any

import pytest
import torch

from spikeport.deploy import compile_graph
from spikeport.errors import ExportError
from spikeport.export.autoencoder import from_autoencoder
from spikeport.program import Program, identical
from spikeport.train import QuantConvTranspose2d
from spikeport.train.autoencoders import build_autoencoder, pixels
from tests.bundles import SMALL, random_model


@pytest.mark.parametrize(
    ("name", "options", "what"),
    [
        ("fsvae", {"candidates": 2}, "FSVAE: posterior and prior .* the host is in the loop at every step; .*decoder"),
        ("esvae", {"pfa": True, "pfa_rank": 2}, "ESVAE: PFA weighs the image anew at every step.*--part decoder"),
    ],
)
def test_what_needs_the_host_at_every_step_is_refused_and_its_decoder_is_not(
    name: str, options: Any, what: str
) -> None:
    model = random_model(name, steps=4, **options)
    with pytest.raises(ExportError, match=what):
        from_autoencoder(model)
    found = from_autoencoder(model, "decoder")
    assert found.encoder is None
    assert (found.bottleneck is None) == (name == "fsvae")


def test_networks_without_spikes_are_refused() -> None:
    model = build_autoencoder("ann_vae", pixels((1, 8, 8)), **{k: v for k, v in SMALL.items()})
    with pytest.raises(ExportError, match="AnnVAE: has no spikes; train esvae, or fsvae"):
        from_autoencoder(model, "decoder")


def test_another_part_is_refused() -> None:
    with pytest.raises(ExportError, match=r"part \(encoder\) is not one of all, decoder"):
        from_autoencoder(random_model("esvae", steps=4), "encoder")


def test_another_last_synapse_than_taids_is_refused() -> None:
    model = random_model("esvae", steps=4, readout="taid")
    model.readout.synapse = QuantConvTranspose2d(4, 1, 3, stride=2, padding=1)
    with pytest.raises(ExportError, match=r"ESVAE \(taid\): last synapse .* does not have stride 1"):
        from_autoencoder(model)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e12])
def test_parameters_that_are_no_whole_numbers_of_the_host_are_refused(value: float) -> None:
    model = random_model("esvae", steps=4)
    with torch.no_grad():
        model.bottleneck.weight[0, 0] = value
    with pytest.raises(ExportError, match=r"ESVAE \(host\): parameter .* is not below 2\^53 steps"):
        from_autoencoder(model)


@pytest.mark.parametrize("part", ["all", "decoder"])
def test_the_graphs_are_a_bundle_once_they_are_compiled(part: str) -> None:
    """The compiler gets each phase's graph, and the steps; the bundle has what it gave."""
    graphs = from_autoencoder(random_model("esvae", steps=4), part)
    asked: list[Any] = []

    def compiler(graph: Any, steps: int) -> Program:
        asked.append((graph, steps))
        return compile_graph(graph, steps=steps)

    bundle = graphs.bundle(compiler)
    assert asked == [(graph, 4) for graph in (graphs.encoder, graphs.decoder) if graph is not None]
    assert identical(bundle.decoder, compile_graph(graphs.decoder, steps=4))
    assert (bundle.encoder is None) == (part == "decoder")
    assert bundle.bottleneck is graphs.bottleneck and bundle.pixels is graphs.pixels
