"""Autoencoders train, are measured by their error, and go on after a cut with the same bits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spikeport.errors import FileError, InputError
from spikeport.train import Epoch, Hooks, Saving, Watch, data_of, fit, load_run, model_of, save_run
from spikeport.train.autoencoders import FSVAE, Autoencoder, FadTraining, Noise
from spikeport.train.data import centred
from spikeport.train.loop.autoencode import Autoencoding
from spikeport.train.loop.batches import Feed
from spikeport.train.loop.distributed import single
from spikeport.train.loop.evaluate import EVALUATED
from spikeport.train.loop.objective import Place
from spikeport.train.loop.objectives import objective_of
from tests.train.loop.small_autoencoders import MODELS, PLAIN, recipe


def trained(model: str, *settings: str) -> tuple[torch.nn.Module, list[Epoch]]:
    how = recipe(model, *settings)
    data = data_of(how)
    made = model_of(how, data)
    return made, fit(made, data, how)


@pytest.mark.parametrize("model", [*MODELS, *PLAIN])
def test_the_error_falls(model: str) -> None:
    made, history = trained(model, "train.epochs=4")
    assert isinstance(made, Autoencoder)
    errors = [epoch.parts["reconstruction"] for epoch in history]
    assert errors[-1] < 0.8 * errors[0]
    assert all(epoch.accuracy is None and epoch.selected is not None and epoch.selected > 0 for epoch in history)
    assert set(history[0].parts) == set(made.parts)


@pytest.mark.parametrize("model", ["esvae", "fsvae"])
def test_the_loss_is_its_parts_as_they_are_weighed(model: str) -> None:
    made, (epoch,) = trained(model, "train.epochs=1", "train.quantize=true")
    weight = made.weight
    assert epoch.loss == pytest.approx(epoch.parts["reconstruction"] + weight * epoch.parts["mmd"], rel=1e-5)


def test_the_least_error_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = iter([0.5, 0.2, 0.4, 0.3])
    monkeypatch.setattr(Autoencoding, "measure", lambda *_: next(errors))
    made, history = trained("ann_vae", "train.epochs=4", "train.quantize=false")
    assert [epoch.selected for epoch in history] == [0.5, 0.2, 0.4, 0.3]
    how = recipe("ann_vae", "train.quantize=false", "train.epochs=2", "train.keep=last", "train.select_on=none")
    data = data_of(how)
    shorter = model_of(how, data)
    fit(shorter, data, how)
    for name, tensor in made.state_dict().items():
        assert torch.equal(tensor, shorter.state_dict()[name]), name


def test_the_error_is_that_of_pixels_between_minus_one_and_one() -> None:
    """Over images in two batches, with the noise of the seed and the batch."""
    how = recipe("esvae", "data.limit_test=300")
    data = data_of(how)
    model = model_of(how, data)
    assert isinstance(model, Autoencoder)
    found = objective_of(model, data, how).measure(Feed(data, data.test), single())
    images = data.test.images[:]
    errors = []
    for number, start in enumerate(range(0, 300, EVALUATED)):
        part = images[start : start + EVALUATED]
        with torch.no_grad():
            noise = Noise.draw(model.eval(), len(part), (0, 0, number))
            again = model(torch.from_numpy(centred(data, part)), noise).image
        errors.append(((again.double().numpy() - (2 * (part / 255) - 1)) ** 2).ravel())
    assert found == pytest.approx(np.concatenate(errors).mean(), rel=1e-12)


def test_each_step_has_noise_of_its_own_and_a_part_has_its_samples() -> None:
    how = recipe("fsvae", "model.steps=4")
    data = data_of(how)
    seen: list[Noise] = []

    class Hears(FSVAE):
        def loss(self, images, noise):  # type: ignore[no-untyped-def]
            seen.append(noise)
            return super().loss(images, noise)

    model = model_of(how, data)
    model.__class__ = Hears
    objective = objective_of(model, data, how)
    assert isinstance(objective, Autoencoding)
    x, y = Feed(data, data.train)(1, np.arange(6))
    for place in (Place(1, 0, 6), Place(1, 1, 6), Place(2, 0, 6), Place(1, 0, 6)):
        objective(x, y, place)
    assert torch.equal(seen[0].picks, seen[3].picks)
    assert len({tuple(noise.picks.flatten().tolist()) for noise in seen}) == 3
    objective(x[2:4], y[2:4], Place(1, 0, 6, 2))
    assert torch.equal(seen[-1].picks, seen[0].picks[:, 2:4])


def test_scheduled_sampling_grows_over_the_epochs() -> None:
    how = recipe("fsvae", "train.epochs=5")
    data = data_of(how)
    model = model_of(how, data)
    assert isinstance(model, FSVAE)
    seen = []

    class Looks(Watch):
        def end(self, epoch: Epoch) -> None:
            seen.append(model.probability)

    fit(model, data, how, hooks=Hooks(watch=Looks()))
    assert seen == pytest.approx([0.1, 0.14, 0.18, 0.22, 0.26])


class Cut(Watch):
    """Breaks a run off after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self, figures: Callable[[], dict[str, float]]) -> None:
        assert figures()["part reconstruction"] > 0
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1


@pytest.mark.parametrize("model", ["esvae", "taid", "ann_vae"])
def test_a_run_that_is_cut_ends_as_the_whole_one(model: str, tmp_path: Path) -> None:
    """Between two checkpoints of an epoch, so that steps are done again."""
    how = recipe(model, "train.epochs=2")
    data = data_of(how)
    whole = model_of(how, data)
    history = fit(whole, data, how)
    for cut in (3, 9):
        with pytest.raises(KeyboardInterrupt):
            saving = Saving(tmp_path, steps=2, resume=cut == 9)
            fit(model_of(how, data), data, how, saving=saving, hooks=Hooks(watch=Cut(cut)))
    resumed = model_of(how, data)
    assert fit(resumed, data, how, saving=Saving(tmp_path, resume=True)) == history
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_run_comes_back_with_its_model(tmp_path: Path) -> None:
    how = recipe("fad_autoencoder")
    data = data_of(how)
    model = model_of(how, data)
    save_run(tmp_path, how, model, [])
    found, again, loaded = load_run(tmp_path)
    assert (found.settings(), again.shape, loaded.training) == (how.settings(), (1, 16, 16), False)
    assert isinstance(loaded, FadTraining)
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in loaded.state_dict().items())


@pytest.mark.parametrize(
    ("model", "setting", "message"),
    [
        ("esvae", "data.symmetric=false", "recipe tiny: images of esvae are not pictures in [-1, 1]; say"),
        ("esvae", "model.candidates=3", "autoencoder esvae: options ("),
        ("esvae", "model.latent=0", "model autoencoder: latent (0) is not a positive integer"),
        ("esvae", "model.widths=[2,2,2,2,2]", "model autoencoder: image size ((16, 16)) cannot be halved; pad"),
        ("esvae", "model.name=evae", "model: name (evae) is not one of alif_net, ann_vae, esvae, "),
        ("fsvae", "model.distance=far", "FSVAE: distance (far) is not one of mmd, kld"),
        ("fsvae", "train.bottleneck_factor=10", "train: bottleneck_factor (10) needs a model with a bottleneck; leave"),
        ("esvae", "train.loss=cross_entropy", "recipe tiny: train.loss (cross_entropy) is not mse; leave it out, "),
        ("esvae", "train.label_smoothing=0.1", "recipe tiny: train.label_smoothing (0.1) is not 0; leave it out, "),
        ("esvae", "train.check=loihi2", "recipe tiny: train.check (loihi2) is not none; leave it out, "),
        ("ann_vae", "model.steps=4", "autoencoder ann_vae: options ("),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_line(model: str, setting: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        trained(model, setting)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_an_autoencoder_of_another_size_is_refused(tmp_path: Path) -> None:
    how = recipe("esvae")
    save_run(tmp_path, how, model_of(how, data_of(how)), [])
    (tmp_path / "recipe.toml").write_text(replace(how, text=how.text.replace("latent = 6", "latent = 7")).text)
    with pytest.raises(FileError, match="is not a checkpoint of this recipe"):
        load_run(tmp_path)
