"""Reports of autoencoders: a bundle's folder, and training runs of every kind of model."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikeport.autoencoder_file import load_bundle
from spikeport.commands.autoencoders.generate import generate, reconstruct
from spikeport.commands.report import beside, of_autoencoder
from spikeport.commands.report.blocks import Facts, Grid, Part, Section, Tiles
from spikeport.commands.report.known import Known
from spikeport.commands.report.of_autoencoder import InTorch, beside_torch
from spikeport.commands.report.of_bundle import Passed, of_bundle
from spikeport.commands.report.of_program import Asked
from spikeport.commands.report.page import render_page
from spikeport.commands.report.report import report
from spikeport.commands.report.sections import sections
from spikeport.errors import InputError, LavaMissing, OverflowDetected, SpikeportError
from spikeport.sim import simulate
from spikeport.sim.generate import Images, shown
from spikeport.train import load_data, model_of, save_run
from spikeport.train.loop.history import Epoch, LayerFigures, neurons
from spikeport.train.recipe import parse_recipe
from tests.html_page import Page, assert_stands_alone
from tests.reports import PICTURED, bundle

RECIPE = """
[data]
name = "digits"
symmetric = true
[model]
name = "{model}"
latent = 7
widths = [4, 6]
{more}
[train]
epochs = 1
batch = 50
learning_rate = 1e-3
seed = 0
"""
SPIKING = "steps = 4"
TRAINED = [*PICTURED[:3], "training", "recipe", *PICTURED[3:]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bundle and x.npz."""
    here = tmp_path_factory.mktemp("bundle")
    bundle(here)
    return here


@pytest.fixture(scope="module")
def known(folder: Path) -> Known:
    return of_bundle(Asked(folder / "bundle", folder / "r.html", folder / "x.npz"))


@pytest.fixture(scope="module")
def shown_(known: Known) -> dict[str, Section]:
    """The sections of `known` by name."""
    return {one.name: one for one in sections(known)}


def save(folder: Path, model: str = "esvae", more: str = SPIKING) -> Path:
    """The run of a network that nobody trained."""
    recipe = parse_recipe("small", RECIPE.format(model=model, more=more))
    data = load_data(recipe.data, None, **recipe.data_options)
    net = model_of(recipe, data)
    with torch.no_grad():
        for one in net.modules():
            if isinstance(getattr(one, "running_var", None), torch.Tensor):
                one.running_var.fill_(0.02)  # so that there are spikes
    layers = tuple(LayerFigures(name, 0.1, *found) for name, found in neurons(net).items())
    save_run(folder / "run", recipe, net, [Epoch(1, 0.5, parts={"reconstruction": 0.5}, layers=layers)])
    return folder / "run"


def rendered(of: Known) -> str:
    html = render_page(of.title, of.lede, sections(of))
    assert_stands_alone(html)
    return html


def of_phase(section: Section, phase: str) -> list[Any]:
    return next(list(one.blocks) for one in section.blocks if isinstance(one, Part) and one.title == phase)


def test_a_bundle_has_every_section_and_both_programs(folder: Path, tmp_path: Path) -> None:
    answer = report(Asked(folder / "bundle", tmp_path / "r.html", folder / "x.npz"))
    assert (answer.exit_code, answer.data["sections"], answer.data["compared"]) == (0, PICTURED, [])
    html = (tmp_path / "r.html").read_text()
    assert_stands_alone(html)
    page = Page(html)
    for said in ("What each layer is, encoder", "What each layer is, decoder", "5, 4 steps each", "bundle.json"):
        assert said in page.text
    first = (tmp_path / "r.html").read_bytes()
    report(Asked(folder / "bundle", tmp_path / "r.html", folder / "x.npz"))
    assert (tmp_path / "r.html").read_bytes() == first


def test_its_pictures_and_error_are_those_of_the_commands(
    known: Known, shown_: dict[str, Section], folder: Path, tmp_path: Path
) -> None:
    told = reconstruct(folder / "bundle", folder / "x.npz", tmp_path / "again.npz", 0)
    generate(folder / "bundle", tmp_path / "new.npz", 32, 0)
    painted = known.painted
    assert painted is not None and painted.error == told.data["mse"]
    for name, drawn in (("again", painted.again), ("new", painted.generated)):
        with np.load(tmp_path / f"{name}.npz") as file:
            assert np.array_equal(file["images"], drawn)
    with np.load(folder / "x.npz") as file:
        assert np.array_equal(file["images"], painted.given)
    again, new = shown_["pictures"].blocks
    assert isinstance(again, Tiles) and again.described.startswith("The first 5 of 5 pictures")
    assert isinstance(new, Tiles) and new.described.startswith("32 pictures of the prior")


def test_rates_of_both_programs_are_what_the_simulator_sent(
    shown_: dict[str, Section], folder: Path, tmp_path: Path
) -> None:
    of = load_bundle(folder / "bundle")
    reconstruct(folder / "bundle", folder / "x.npz", tmp_path / "again.npz", 0)
    with np.load(tmp_path / "again.npz") as again, np.load(folder / "x.npz") as given:
        images = of.pixels.of_pictures(given["images"])
        inputs = {"encoder": shown(of, images), "decoder": again["spikes"]}
    for phase, x in inputs.items():
        sent = simulate(of.programs[phase], x).sent
        (did,) = (b for b in of_phase(shown_["layers"], phase.capitalize())
                  if isinstance(b, Grid) and b.caption.startswith("What each layer did"))  # fmt: skip
        for name, rate, *_ in did.rows:
            first = max(of.programs[phase].group(name).reset_offset - 1, 0)
            assert (
                rate == f"{(sent[name][first : first + 4] != 0).mean():.2%}" or name in of.programs[phase].integrators
            )


def test_the_energy_of_an_image_is_that_of_both_programs(known: Known, shown_: dict[str, Section]) -> None:
    sums = shown_["energy"].blocks[0]
    assert isinstance(sums, Facts) and [name for name, *_ in sums.rows] == [
        "By cmos45-fp32", "By cmos45-int8", "By loihi2-estimate"]  # fmt: skip
    snn = [phase.energies[0].snn.nominal for phase in known.phases.values()]
    ann = [phase.energies[0].ann.nominal for phase in known.phases.values()]
    assert float(sums.rows[0][2].split()[0]) == pytest.approx(sum(snn) / sum(ann), rel=0.01)


def test_markers_of_both_programs_are_drawn(known: Known, shown_: dict[str, Section]) -> None:
    """What a drawing refers to is renamed with it."""
    html = render_page("", "", list(shown_.values()))
    for phase in known.phases:
        assert f'href="#{phase}-traces0-' in html and f' id="{phase}-traces0-' in html


def test_without_pictures_the_prior_alone_is_shown(folder: Path, tmp_path: Path) -> None:
    of = of_bundle(Asked(folder / "bundle", tmp_path / "r.html"))
    text = Page(rendered(of)).text
    assert "For reconstructions give pictures: --input X.NPZ" in text
    assert "32 pictures of the prior" in text
    assert of.phases["encoder"].ran is None and of.phases["decoder"].ran is not None
    assert "For rates, SOPs and saturation give samples" in text


def test_a_decoder_alone_takes_latent_spikes(tmp_path: Path) -> None:
    where = bundle(tmp_path, "decoder", "fsvae", candidates=3)
    html = rendered(of_bundle(Asked(where, tmp_path / "r.html")))
    text = Page(html).text
    assert not re.search(r"</h3>\s*(</section>|<h)|</h2>\s*</section>", html)
    assert "has no encoder, so there are no reconstructions" in text
    np.savez(tmp_path / "z.npz", spikes=np.random.default_rng(0).integers(0, 2, (4, 3, 7)))
    of = of_bundle(Asked(where, tmp_path / "r.html", tmp_path / "z.npz", samples=2))
    assert of.painted is not None and len(of.painted.again) == 2 and of.painted.error is None
    html = rendered(of)
    assert "Of the first 2 of 2 samples of latent spikes, decoded by the Programs" in Page(html).text
    assert not re.search(r"</h3>\s*</section>", html)


def test_a_bundle_with_attention_on_the_host_has_a_page(tmp_path: Path) -> None:
    where = bundle(tmp_path, readout="taid", channels=3)
    of = of_bundle(Asked(where, tmp_path / "r.html", tmp_path / "x.npz"))
    assert of.painted is not None and of.painted.again.shape == (5, 3, 8, 8)
    rendered(of)


def test_lava_is_asked_about_each_program(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*given: object) -> None:
        raise LavaMissing("lava", "is not here")

    monkeypatch.setattr(beside, "compare_with_lava", gone)
    of = of_bundle(Asked(folder / "bundle", tmp_path / "r.html", folder / "x.npz", verify=True))
    assert [one.against for one in of.compared] == ["Lava, encoder", "Lava, decoder"]


@pytest.mark.parametrize("option", ["run", "nir", "data"])
def test_what_is_not_for_a_bundle_is_refused(folder: Path, tmp_path: Path, option: str) -> None:
    asked = replace(Asked(folder / "bundle", tmp_path / "r.html"), **{option: folder / "x.npz"})
    with pytest.raises(InputError, match=f"--{option}.* do not apply to an autoencoder's bundle"):
        report(asked)
    assert list(tmp_path.iterdir()) == []


MISFITS: dict[str, dict[str, Any]] = {
    "pictures of another size": {"images": np.zeros((2, 1, 9, 9), np.int64)},
    "pictures of more than 8 bits": {"images": np.full((2, 1, 8, 8), 300)},
    "a picture without a shape": {"images": np.array(3)},
    "fewer latent neurons": {"spikes": np.zeros((4, 2, 3), np.int64)},
    "latent spikes without samples": {"spikes": np.zeros(4, np.int64)},
    "neither": {"other": np.zeros(3, np.int64)},
}


@pytest.mark.parametrize("arrays", MISFITS.values(), ids=MISFITS)
def test_pictures_that_do_not_fit_are_refused(folder: Path, tmp_path: Path, arrays: dict[str, Any]) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(SpikeportError) as raised:
        report(Asked(folder / "bundle", tmp_path / "r.html", tmp_path / "bad.npz"))
    assert raised.value.exit_code == 2 and not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("model, more", [("esvae", SPIKING), ("esvae", f"{SPIKING}\npfa = true\npfa_rank = 2"),
                                         ("fsvae", f"{SPIKING}\ncandidates = 3")])  # fmt: skip
def test_a_spiking_run_becomes_its_programs(model: str, more: str, tmp_path: Path) -> None:
    answer = report(Asked(save(tmp_path, model, more), tmp_path / "r.html", samples=20))
    assert answer.exit_code == 0 and answer.data["sections"] == TRAINED
    (torch_,) = answer.data["compared"]
    assert torch_["against"] == "torch" and torch_["differing"] == 0
    whole = more == SPIKING
    assert torch_["values"] == (20 + 32 * (model == "esvae")) * 64
    html = (tmp_path / "r.html").read_text()
    assert_stands_alone(html)
    text = Page(html).text
    assert ("The decoder alone is deployed" not in text) == whole == ("encoder.h5" in text)
    assert "Quantized mean squared error" in text and "paper-esvae" in text
    part = "" if whole else " --part decoder"
    assert f"spikeport compile {tmp_path / 'run'}{part} -o bundle" in text


def test_one_pixel_that_differs_is_noticed() -> None:
    again = np.random.default_rng(0).random((2, 1, 2, 2))
    other = again.copy()
    other[1, 0, 1, 0] = np.nextafter(other[1, 0, 1, 0], 2)
    found = InTorch(torch.zeros(2, 1, 2, 2), other, 0.0, None, other[:0])
    passed = Passed(Path("x"), None, Images(again, np.zeros((0, 2, 0), np.uint8), np.zeros((2, 0))), None)
    one = beside_torch(found, passed)
    assert (one.values, one.differing) == (8, 1)


def test_an_ann_has_pictures_and_energy_but_no_program(tmp_path: Path) -> None:
    answer = report(Asked(save(tmp_path, "ann_vae", ""), tmp_path / "r.html", samples=20))
    assert answer.data["sections"] == TRAINED and answer.data["compared"] == []
    text = Page((tmp_path / "r.html").read_text()).text
    assert "The model has no spikes, so no Program is made of it." in text
    assert "The first 20 of 20 pictures" in text and "torch in eval mode" in text and "Float mean squared error" in text
    assert "Operations and energy of one image" in text and "give samples" not in text


def test_an_autoencoder_whose_integers_overflow_still_has_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(*given: object) -> None:
        raise OverflowDetected("layer", "v", got=1, relation="leaves", limit=0)

    save(tmp_path)
    monkeypatch.setattr(of_autoencoder, "observed", overflow)
    report(Asked(tmp_path / "run", tmp_path / "r.html", samples=5))
    text = Page((tmp_path / "r.html").read_text()).text
    assert "The network has no Programs that run: layer: v (1) leaves 0" in text
    assert "torch in eval mode" in text
