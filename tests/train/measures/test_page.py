"""The page of an evaluation stands alone, and says what was and was not measured."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from spikeport.train.autoencoders import SpikingAutoencoder
from spikeport.train.measures import Fad, firing_rates, noise_curve, raster, reconstruction_error, robustness
from spikeport.train.measures.evaluation import Evaluation
from spikeport.train.measures.gallery import Sheet, gallery
from spikeport.train.measures.page import EnergyTable, EvaluationPage, render_evaluation
from spikeport.train.recipe import load_recipe
from spikeport.train.settings import Paper
from tests.html_page import Page, assert_stands_alone
from tests.train.measures.nets import net, pictures

PAPER = Paper("ESVAE", "I", "Fashion-MNIST", mse=0.019, fad=11.13)
FAD = Fad(12.5, 0.75, 5120, 10_000, 64, 0.0086)


@pytest.fixture(scope="module")
def page() -> EvaluationPage:
    model, images = net("esvae"), pictures(6)
    assert isinstance(model, SpikingAutoencoder)
    evaluation = Evaluation(
        "<run>",
        "esvae",
        True,
        0,
        PAPER,
        reconstruction_error(model, images),
        FAD,
        "fashion_64.pth",
        robustness=robustness(model, images),
        noise=noise_curve(model, images, (0.0, 0.5)),
        rates=firing_rates(model, images),
        skipped=("inception: not there",),
    )
    energy = EnergyTable(("task", "SNN"), [("generation", "1 nJ")], ["prices"])
    return EvaluationPage(
        evaluation, gallery(model, images, shown=4), raster(model, images[:2]), energy, "spikeport evaluate"
    )


def test_a_page_stands_alone_and_has_every_part(page: EvaluationPage) -> None:
    html = render_evaluation(page)
    assert_stands_alone(html)
    text = " ".join(Page(html).text.split())
    for words in (
        "Evaluation of <run>",
        "12.50",
        "11.13",
        "0.019",
        "inception: not there",
        "1 nJ",
        "Latent spikes shuffled",
    ):
        assert words in text
    assert Page(html).tags.count("svg") == 3 and Page(html).tags.count("img") == 6
    assert render_evaluation(page) == html


def test_a_page_of_an_ann_has_no_latent_spikes() -> None:
    model, images = net("ann_vae"), pictures(6)
    evaluation = Evaluation("ann", "ann_vae", False, 0, reconstruction=reconstruction_error(model, images))
    html = render_evaluation(EvaluationPage(evaluation, gallery(model, images, shown=4)))
    assert_stands_alone(html)
    assert Page(html).tags.count("svg") == 0 and Page(html).tags.count("img") == 3


def test_the_published_distance_does_not_stand_beside_one_by_another_network(page: EvaluationPage) -> None:
    shown = {row[0]: row for row in page.evaluation.rows()}
    assert shown["FAD, by batch statistics"][1:3] == ("12.50", "11.13")
    assert shown["FAD, by running statistics"][1:3] == ("0.75", "")
    own = {row[0]: row for row in replace(page.evaluation, own_network=True).rows()}
    assert own["FAD, by batch statistics"][2] == ""
    assert "not with papers" in own["FAD, by running statistics"][3]


def test_what_was_published_of_a_latent_space_stands_beside_it(page: EvaluationPage) -> None:
    paper = Paper("ESVAE", shuffled_mse=0.0169, shuffled_vanilla_mse=0.003, classified=88.59)
    rows = list(replace(page.evaluation, paper=paper).rows())
    at = [row[0] for row in rows].index("Latent spikes shuffled in time")
    assert [row[2] for row in rows[at : at + 4]] == ["0.0169", "0.003", "", ""]
    assert load_recipe("esvae-fashion").paper == Paper(
        "ESVAE", "I", "Fashion-MNIST", None, 0.019, 6.227, 125.3, 11.13, 0.0169, 0.003, 88.59
    )


def test_a_record_for_programs_holds_what_was_measured(page: EvaluationPage) -> None:
    found = page.evaluation.to_json()
    assert found["fad"] == FAD.to_json() and found["fad_network_is_own"] is False
    assert found["published"] == {"source": "ESVAE, I, Fashion-MNIST", "MSE": 0.019, "FAD": 11.13}
    assert found["not_measured"] == ["inception: not there"] and "inception" not in found


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_is_a_png_of_its_pictures(channels: int) -> None:
    made = np.random.default_rng(0).integers(0, 256, (18, channels, 5, 4), np.uint8)
    head, data = Sheet("x", made).png().split(",")
    assert head == "data:image/png;base64"
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).reshape(2 * 5 + 2, 16 * 4 + 15 * 2, channels)
    np.testing.assert_array_equal(found[:5, 6:10], made[1].transpose(1, 2, 0))
    np.testing.assert_array_equal(found[7:, :4], made[16].transpose(1, 2, 0))
    assert (found[5:7] == 255).all() and (found[7:, 12:] == 255).all()


def test_a_gallery_begins_with_the_very_pictures() -> None:
    model, images = net("esvae"), pictures(5)
    sheets = gallery(model, images, shown=3)
    np.testing.assert_array_equal(2 * sheets[0].pictures.astype(int) - 255, images[:3].numpy())
    assert [sheet.pictures.shape for sheet in sheets] == [(3, 1, 16, 16)] * 6
