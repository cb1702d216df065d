"""From an autoencoder's run to its images and its energy, and bad input: exit 2, one line, nothing left behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spikeport.autoencoder_file import load_bundle
from spikeport.train import load_run
from spikeport.train.autoencoders import Noise
from tests.arrays import arrays_of
from tests.cli.command import done, listing, spikeport

RECIPE = """
[data]
name = "digits"
symmetric = true
[model]
name = "{name}"
steps = 4
latent = 6
widths = [4, 6]
{options}
[train]
epochs = 1
batch = 200
optimizer = "adamw"
learning_rate = 3e-3
seed = 0
"""


def trained(folder: Path, name: str, options: str = "") -> Path:
    recipe = folder / f"{name}.toml"
    recipe.write_text(RECIPE.format(name=name, options=options))
    done("train", recipe, "-o", folder / name)
    return folder / name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """esvae, a run; bundle; x.npz, its test images."""
    folder = tmp_path_factory.mktemp("made")
    run = trained(folder, "esvae")
    done("compile", run, "-o", folder / "bundle", "--samples", folder / "x.npz")
    return folder


@pytest.fixture(scope="module")
def model(made: Path) -> Any:
    return load_run(made / "esvae")[2]


def test_compile_says_what_it_wrote(made: Path, tmp_path: Path) -> None:
    told = done("compile", made / "esvae", "-o", tmp_path / "b", "--json").json
    assert (told["steps"], told["latent"], told["image"]) == (4, 6, [1, 8, 8])
    assert told["generates"] and told["reconstructs"] and told["readout"] == "membrane"
    assert list(told["programs"]) == ["encoder", "decoder"]
    assert Path(told["programs"]["decoder"]["file"]).is_file()
    text = done("compile", made / "esvae", "-o", tmp_path / "b").out
    assert "membrane" in text and "6 latent neurons, 4 steps" in text


def test_generated_images_are_those_of_the_trained_model(made: Path, model: Any, tmp_path: Path) -> None:
    out, z = tmp_path / "g.npz", tmp_path / "z.npz"
    command = ("generate", made / "bundle", "--count", 9, "--seed", 5, "-o", out, "--decoder-input", z, "--json")
    told = done(*command).json
    with torch.no_grad():
        want = model.generate(9, Noise.draw(model, 9, 5)).numpy()
    arrays = arrays_of(out)
    assert np.array_equal(arrays["values"], want)
    assert np.array_equal(arrays["images"], np.rint((want + 1) / 2 * 255))
    assert told["images"] == 9 and told["latent_rate"] == arrays["spikes"].mean()
    assert np.array_equal(arrays_of(z)["spikes"], arrays["spikes"])
    done("generate", made / "bundle", "--spikes", z, "-o", tmp_path / "again.npz")
    assert np.array_equal(arrays_of(tmp_path / "again.npz")["values"], want)


def test_reconstructions_are_those_of_the_trained_model(made: Path, model: Any, tmp_path: Path) -> None:
    out, x, z = (tmp_path / name for name in ("r.npz", "x.npz", "z.npz"))
    pictures = arrays_of(made / "x.npz")["images"][:11]
    np.savez(tmp_path / "some.npz", images=pictures)
    command = ("reconstruct", made / "bundle", "--input", tmp_path / "some.npz", "--seed", 3, "-o", out)
    told = done(*command, "--encoder-input", x, "--decoder-input", z, "--json").json
    images = torch.from_numpy(2 * pictures.astype(np.int64) - 255)
    with torch.no_grad():
        want = model(images, Noise.draw(model, 11, 3))
    assert np.array_equal(arrays_of(out)["values"], want.image.numpy())
    assert told["mse"] == pytest.approx(float((want.image - images.double() / 255).square().mean()), rel=1e-12)
    assert np.array_equal(arrays_of(x)["spikes"], np.broadcast_to(images.numpy(), (4, 11, 1, 8, 8)))
    ran = done("run", made / "bundle" / "encoder.h5", "--input", x, "-o", tmp_path / "y.npz", "--json").json
    assert ran["spikes"] == int(want.latent.rates.sum() * 4)
    for part, given in (("encoder", x), ("decoder", z)):
        energy = done("energy", made / "bundle" / f"{part}.h5", "--input", given, "--json").json
        assert energy["schema"].startswith("spikeport-energy/")


def test_a_sheet_has_each_image_above_its_reconstruction(made: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "some.npz", images=arrays_of(made / "x.npz")["images"][:2])
    done("reconstruct", made / "bundle", "--input", tmp_path / "some.npz", "-o", tmp_path / "r.png")
    with Image.open(tmp_path / "r.png") as image:
        assert image.size == (18, 18) and image.mode == "L"
        assert np.array_equal(np.asarray(image)[:8, :8], arrays_of(tmp_path / "some.npz")["images"][0, 0])
    done("generate", made / "bundle", "-o", tmp_path / "g.png")
    with Image.open(tmp_path / "g.png") as image:
        assert image.size == (78, 78)  # 8 of 8 + 2 pixels each way


@pytest.mark.parametrize("what", ["esvae", "bundle"])
def test_check_looks_at_both_programs(what: str, made: Path) -> None:
    told = done("check", made / what, "--json").json
    assert told["fits"] and list(told["programs"]) == ["encoder", "decoder"]
    assert [layer["layer"] for layer in told["programs"]["decoder"]["cores"]][-1] == "membrane"
    assert "decoder: membrane: cannot overflow" in done("check", made / what, "--strict-overflow").out
    assert list(done("check", made / what, "--part", "decoder", "--json").json["programs"]) == ["decoder"]


def test_an_fsvae_is_refused_with_the_reason_and_its_decoder_is_not(tmp_path: Path) -> None:
    run = trained(tmp_path, "fsvae", "candidates = 2")
    before = listing(tmp_path)
    for command in (("compile", run, "-o", tmp_path / "b"), ("check", run)):
        ran = spikeport(*command)
        assert ran.code == 2 and ran.err.count("\n") == 1
        assert "the host is in the loop at every step" in ran.err and "--part decoder" in ran.err
    assert listing(tmp_path) == before
    done("compile", run, "-o", tmp_path / "b", "--part", "decoder")
    assert load_bundle(tmp_path / "b").encoder is None
    ran = spikeport("generate", tmp_path / "b", "-o", tmp_path / "g.png")
    assert ran.code == 2 and "has no bottleneck" in ran.err
    z = (np.random.default_rng(0).random((4, 3, 6)) < 0.5).astype(np.uint8)
    np.savez(tmp_path / "z.npz", spikes=z)
    done("generate", tmp_path / "b", "--spikes", tmp_path / "z.npz", "-o", tmp_path / "g.npz")
    model: Any = load_run(run)[2]
    with torch.no_grad():
        assert np.array_equal(
            arrays_of(tmp_path / "g.npz")["values"], model.decode(torch.from_numpy(z).float()).numpy()
        )


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("generate {made}/missing -o {out}/g.png", "no such folder"),
        ("generate {made}/esvae -o {out}/g.png", "lacks bundle.json"),
        ("generate {made}/bundle -o {out}/g.jpg", "ending (.jpg)"),
        ("generate {made}/bundle -o {out}/no/g.png", "cannot be written"),
        ("generate {made}/bundle -o {out}/g.png --count 0", "generate: images (0)"),
        ("generate {made}/bundle -o {out}/g.png --seed -1", "seed: value (-1)"),
        ("generate {made}/bundle -o {out}/g.png --spikes {made}/x.npz", "holds no array"),
        ("generate {made}/bundle -o {out}/g.png --spikes {made}/x.npz --count 3", "--count"),
        ("reconstruct {made}/bundle -o {out}/g.png --input {made}/esvae.toml", "not a readable npz"),
        ("compile {made}/esvae -o {out}/b --steps 4", "options (steps) do not apply to a folder"),
        ("compile {made}/esvae -o {out}/b --scales 2", "options (scales) do not apply to a folder"),
        ("compile {made}/bundle -o {out}/b", "lacks recipe.toml"),
        ("compile {made}/esvae -o {made}", "would be lost with the folder"),
        ("compile {made}/esvae -o {out}/b --target loihi9", "loihi9"),
        ("compile {made}/x.npz -o {out}/n.h5 --part decoder", "options (--part) do not apply to a file"),
        ("check {made}/bundle --witness {out}/w.npz", "options (witness) do not apply to a folder"),
        ("check {made}/bundle/decoder.h5 --data {out}", "options (--data) do not apply to a file"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(command: str, what: str, made: Path, tmp_path: Path) -> None:
    before = listing(made)
    ran = spikeport(*command.format(made=made, out=tmp_path).split())
    assert ran.code == 2 and what in ran.err and ran.err.count("\n") == 1, ran.err
    assert listing(tmp_path) == {} and listing(made) == before


def test_a_classifiers_run_is_no_bundle(tmp_path: Path) -> None:
    recipe = '[data]\nname = "digits"\n[model]\nname = "small_conv"\nsteps = 3\nneuron = "alif"\nchannels = [2, 3]\n'
    recipe += (
        "votes = 2\ntau = 0.5\nthreshold = 0.5\n[train]\nepochs = 1\nbatch = 200\nlearning_rate = 1e-2\nseed = 0\n"
    )
    (tmp_path / "r.toml").write_text(recipe)
    done("train", tmp_path / "r.toml", "-o", tmp_path / "run")
    ran = spikeport("compile", tmp_path / "run", "-o", tmp_path / "b")
    assert ran.code == 2 and "is not an autoencoder; for any other run: spikeport export" in ran.err
