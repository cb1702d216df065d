"""FAD by batch statistics and by running ones, and the file that its network comes from."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import FileError, InputError
from spikeport.train.autoencoders import fad_autoencoder, pixels
from spikeport.train.measures import fad, fad_of, frechet_distance, gaussian_of, generated, read_fad_autoencoder
from spikeport.train.measures.fad import fad_statistics
from tests.train.measures.nets import feature_net, net, pictures


def real(n: int, seed: int = 0) -> Tensor:
    return pictures(n, seed).float() / 255


def test_batches_have_their_own_statistics_in_train_mode() -> None:
    network, images = feature_net(), real(7)
    with torch.no_grad():
        features = []
        for part in (images[:4], images[4:]):
            x = part
            for stage in network.encoder:
                conv, norm, relu = stage
                y = conv(x)
                mean, var = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), correction=0, keepdim=True)
                x = relu((y - mean) / (var + norm.eps).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None])
            features.append(network.latent_layer(x.flatten(1)))
    x = torch.cat(features).double().numpy()
    found = fad_statistics(network, images, "train", 4)
    np.testing.assert_allclose(found.mean, x.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.covariance, np.cov(x, rowvar=False), rtol=1e-3, atol=1e-6)


def test_in_eval_mode_they_are_the_running_ones_whatever_the_batch() -> None:
    network, images = feature_net(), real(7)
    with torch.no_grad():
        expected = gaussian_of([network.encode(images).numpy()])
    for batch in (2, 7):
        found = fad_statistics(network, images, "eval", batch)
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-4, atol=1e-7)


def test_measuring_leaves_the_network_as_it_is() -> None:
    network = feature_net()
    before = {name: x.clone() for name, x in network.state_dict().items()}
    fad_of(network, real(5), real(5, 1))
    assert not network.training
    assert all(torch.equal(x, before[name]) for name, x in network.state_dict().items())


def test_a_set_is_at_no_distance_from_itself_and_blanks_are_far() -> None:
    network, images = feature_net(), real(60)
    same = fad_of(network, images, images)
    assert same.train < 1e-9 and same.eval < 1e-9
    near, far = (
        fad_of(network, images, real(60, 1)),
        fad_of(network, images, torch.linspace(-1, 1, 60)[:, None, None, None].expand(60, 1, 16, 16)),
    )
    assert near.eval < far.eval and near.train < far.train


def test_that_of_a_model_is_of_what_it_generates() -> None:
    model, network, images = net("esvae"), feature_net(), pictures(20)
    found = fad(model, network, images, samples=30, seed=4)
    made = generated(model, 30, 4, 128)
    of_real, of_made = (fad_statistics(network, x, "eval", 256) for x in (real(20), made))
    assert found.eval == pytest.approx(frechet_distance(of_real, of_made), rel=1e-4)
    assert (found.samples, found.real_images, found.features) == (30, 20, 3)
    with torch.no_grad():
        assert found.network_mse == pytest.approx(float((network(real(20))[0] - real(20)).square().mean()), rel=1e-5)
    assert found.to_json()["train"] == found.train


def test_images_of_another_size_and_unknown_modes_are_refused() -> None:
    with pytest.raises(InputError, match=r"FAD: images \(\(1, 32, 32\)\) are not \(1, 16, 16\)"):
        fad_of(feature_net(), torch.zeros(4, 1, 32, 32), torch.zeros(4, 1, 32, 32))
    with pytest.raises(InputError, match=r"mode \(both\) is not one of train, eval"):
        fad_statistics(feature_net(), real(4), "both", 2)


@pytest.mark.parametrize(("shape", "latent"), [((1, 32, 32), 64), ((3, 32, 32), 128), ((3, 64, 64), 128)])
def test_a_network_of_the_published_layout_comes_back(shape: tuple[int, int, int], latent: int, tmp_path: Path) -> None:
    network = fad_autoencoder(pixels(shape), latent)
    torch.save(network.state_dict(), tmp_path / "fashion_64.pth")
    found = read_fad_autoencoder(tmp_path / "fashion_64.pth")
    assert not found.training
    state = network.state_dict()
    assert found.state_dict().keys() == state.keys()
    assert all(torch.equal(x, state[name]) for name, x in found.state_dict().items())
    if shape == (1, 32, 32):
        assert (len(state), sum(x.numel() for x in state.values())) == (62, 919_785)


def test_a_runs_folder_has_the_same_state_inside_a_model(tmp_path: Path) -> None:
    network = feature_net()
    torch.save(nn.ModuleDict({"network": network}).state_dict(), tmp_path / "weights.pt")
    found = read_fad_autoencoder(tmp_path)
    assert torch.equal(found.latent_layer.weight, network.latent_layer.weight)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("executed"),)


def test_nothing_of_a_file_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"latent_layer.weight": Evil()}, tmp_path / "evil.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Evil()))
    for name in ("evil.pth", "plain.pth"):
        with pytest.raises(FileError, match="is not a checkpoint of tensors .*nothing in it was executed"):
            read_fad_autoencoder(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def without(name: str) -> dict[str, Tensor]:
    return {key: x for key, x in feature_net().state_dict().items() if key != name}


@pytest.mark.parametrize(
    "state",
    [
        {},
        [torch.zeros(2)],
        {"latent_layer.weight": torch.zeros(3, 4)},
        without("encoder.1.0.weight"),
        without("decoder_input.bias"),
        feature_net().state_dict() | {"latent_layer.bias": torch.zeros(4)},
        feature_net().state_dict() | {"latent_layer.bias": torch.full((3,), torch.nan)},
        feature_net().state_dict() | {"decoder_input.weight": torch.zeros(1, 3)},
    ],
    ids=["empty", "list", "little", "a stage", "a bias", "a size", "nan", "no places"],
)
def test_another_state_is_refused(state: object, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(FileError, match="is not a state of the autoencoder of FAD|holds NaN"):
        read_fad_autoencoder(tmp_path / "x.pth")


def test_a_file_that_is_not_there_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file; train one with a recipe fad-autoencoder"):
        read_fad_autoencoder(tmp_path / "fashion_64.pth")
