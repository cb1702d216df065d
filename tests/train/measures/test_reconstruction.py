"""The reconstruction error against pixels added up one by one."""

import pytest
import torch

from spikeport.errors import InputError
from spikeport.train.autoencoders import Noise
from spikeport.train.measures import generated, reconstruction_error
from spikeport.train.measures.passes import passes
from tests.train.measures.nets import net, pictures


@pytest.mark.parametrize("name", ["esvae", "fsvae", "ann_vae"])
def test_it_is_the_mean_over_all_pixels_also_where_batches_differ(name: str) -> None:
    model, images = net(name), pictures(7)
    total, errors = 0.0, []
    with torch.no_grad():
        for k, part in enumerate((images[:4], images[4:])):
            image = model(part, Noise.draw(model, len(part), (3, 0, k))).image.double()
            for ours, theirs in zip(image, part.double() / 255, strict=True):
                errors.append(float(((ours - theirs) ** 2).mean()))
                total += float(((ours - theirs) ** 2).sum())
    found = reconstruction_error(model, images, seed=3, batch=4)
    assert found.images == 7
    assert found.mse == pytest.approx(total / (7 * 16 * 16), rel=1e-12)
    assert found.std == pytest.approx(float(torch.tensor(errors, dtype=torch.float64).std(correction=0)), rel=1e-9)
    assert found.to_json() == {"mse": found.mse, "std": found.std, "images": 7}


def test_a_model_that_trains_is_measured_in_eval_mode_and_trains_on() -> None:
    model, images = net("esvae"), pictures(6)
    expected = reconstruction_error(model, images)
    before = {name: x.clone() for name, x in model.state_dict().items()}
    assert reconstruction_error(model.train(), images) == expected
    assert model.training and model.encoder.training
    assert all(torch.equal(x, before[name]) for name, x in model.state_dict().items())


def test_generated_images_are_as_many_as_asked_for_and_of_the_seed() -> None:
    model = net("esvae")
    found = generated(model, 5, seed=1, batch=2)
    assert found.shape == (5, 1, 16, 16) and found.abs().max() <= 1
    assert torch.equal(found, generated(model, 5, seed=1, batch=2))
    assert not torch.equal(found, generated(model, 5, seed=2, batch=2))
    with pytest.raises(InputError, match=r"samples \(0\) are below 1"):
        generated(model, 0, seed=1)


@pytest.mark.parametrize("shape", [(0, 1, 16, 16), (2, 3, 16, 16), (1, 16, 16)])
def test_images_must_be_those_of_the_model(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"images .* are not \(N, 1, 16, 16\)"):
        next(passes(net("ann_vae"), torch.zeros(shape, dtype=torch.int16), 0))
