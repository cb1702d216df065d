"""Operations of a reconstruction and of a generated image: spikes followed one by one, and the papers' sizes."""

from itertools import product

import pytest
import torch
from torch import Tensor, nn

from spikeport.errors import InputError
from spikeport.train.autoencoders import AnnVAE, Autoencoder, Noise, SpikingAutoencoder, build_autoencoder, pixels
from spikeport.train.measures import ann_operations, generation_operations, reconstruction_operations
from spikeport.train.measures.passes import passes
from tests.train.measures.nets import net, pictures


def by_name(operations: object) -> dict[str, object]:
    return {layer.name: layer for layer in operations.layers}  # type: ignore[attr-defined]


def reached(x: Tensor, layer: nn.Module) -> int:
    """Synapses behind the spikes `(T, B, c, h, w)` of a 3 x 3 kernel, one by one."""
    stride, up = layer.stride[0], isinstance(layer, nn.ConvTranspose2d)
    size = x.shape[-1]
    outputs = size * stride if up else size // stride
    total = 0
    for *_, row, column in x.nonzero().tolist():
        for tap_row, tap_column in product(range(3), repeat=2):
            places = []
            for place, tap in ((row, tap_row), (column, tap_column)):
                at = place * stride - 1 + tap if up else (place + 1 - tap) / stride
                places.append(at == int(at) and 0 <= at < outputs)
            total += all(places)
    return total * layer.out_channels


@pytest.mark.parametrize("name", ["esvae", "fsvae"])
def test_spikes_are_followed_to_each_synapse(name: str) -> None:
    model, images = net(name), pictures(3)
    assert isinstance(model, SpikingAutoencoder)
    inputs: dict[str, Tensor] = {}
    watched = {"encoder.1": model.encoder[1], "decoder.0": model.decoder[0], "decoder.2": model.decoder[2]}
    watched |= {"decoder.3": model.decoder[3], "readout": model.readout}
    for key, layer in watched.items():
        layer.register_forward_hook(lambda _, x, y, key=key: inputs.update({key: x[0]}))
    (x, noise), *_ = passes(model, images, 6)
    with torch.no_grad():
        z = model.sample(model.encode(x), noise)
        model.decode(z)
    seen = dict(inputs)
    layers = by_name(reconstruction_operations(model, images, seed=6))
    for key, layer in watched.items():
        assert layers[key].events == int(seen[key].sum()) > 0
        if key != "decoder.0":
            assert layers[key].sops == reached(seen[key], layer.synapse)
    assert layers["decoder.0"].sops == int(z.sum()) * 6 * 4 * 4
    assert layers["decoder.0"].slots == 10 and layers["decoder.0"].passes == 5
    assert layers["encoder.0"].fed == "analog" and layers["encoder.0"].passes == 1 and layers["encoder.0"].sops == 0


def test_the_posterior_of_fsvae_hears_the_encoder_and_its_own_past() -> None:
    model, images = net("fsvae"), pictures(3)
    assert isinstance(model, SpikingAutoencoder)
    (x, noise), *_ = passes(model, images, 0)
    with torch.no_grad():
        spikes = model.encode(x)
        z = model.sample(spikes, noise)
    layers = by_name(reconstruction_operations(model, images))
    assert layers["posterior.blocks.0"].events == int(spikes.sum() + z[:-1].sum())
    assert layers["posterior.blocks.0"].sops == int(spikes.sum() + z[:-1].sum()) * 20
    assert not any(name.startswith("prior") for name in layers)
    with torch.no_grad():
        dreamt = model.dream(Noise.draw(model, 4, (0, 1, 0)))
    layers = by_name(generation_operations(model, 4))
    assert layers["prior.blocks.0"].events == int(dreamt[:-1].sum())
    assert layers["decoder.0"].events == int(dreamt.sum())
    assert not any(name.startswith(("posterior", "encoder")) for name in layers)


@pytest.mark.parametrize("name", ["esvae", "fsvae"])
def test_batches_add_up(name: str) -> None:
    model = net(name)
    for task, seed in product((reconstruction_operations, generation_operations), (0, 1)):
        whole = pictures(3) if task is reconstruction_operations else 3
        found = task(model, whole, seed=seed, batch=2)
        assert found.samples == 3
        assert found.sops == sum(layer.sops for layer in found.layers) / 3
        assert [layer.macs_dense for layer in found.layers] == [
            layer.macs_dense for layer in task(model, whole, seed=seed, batch=3).layers
        ]


PER_STEP = {"encoder": 3_744_000, "decoder": 6_324_000, "posterior": 1_507_000, "prior": 1_475_000}
"""Dense MACs of the papers' size, 32 x 32 x 1 and D = 128, in thousands: computed from the published code."""


def macs(model: Autoencoder, part: str) -> int:
    task = reconstruction_operations if part in ("encoder", "posterior") else generation_operations
    given = torch.zeros(1, 1, 32, 32, dtype=torch.int16) if task is reconstruction_operations else 1
    layers = task(model, given).layers  # type: ignore[arg-type]
    names = (part, "readout") if part == "decoder" else (part,)
    return sum(layer.macs_dense for layer in layers if layer.name.startswith(names))


@pytest.mark.parametrize("part", PER_STEP)
def test_the_papers_networks_have_their_known_size(part: str) -> None:
    model = build_autoencoder("fsvae", pixels((1, 32, 32)), steps=1)
    assert round(macs(model, part), -3) == PER_STEP[part]


def test_an_image_of_esvae_takes_its_known_number_of_operations() -> None:
    model = build_autoencoder("esvae", pixels((1, 32, 32)), steps=16)
    found = generation_operations(model, 1)
    whole = sum(layer.passes * layer.macs_dense for layer in found.layers)
    assert round(whole / 1e6, 2) == 101.20


def test_the_ann_has_the_same_convolutions_and_computes_them_once() -> None:
    model = net("esvae")
    assert isinstance(model, SpikingAutoencoder)
    for ann, snn in zip(
        ann_operations(model.plan),
        (reconstruction_operations(model, pictures(1)), generation_operations(model, 1)),
        strict=True,
    ):
        convs = [[layer.macs_dense for layer in of.layers if layer.kind == "conv"] for of in (ann, snn)]
        assert convs[0] == convs[1]
        assert ann.sops == 0 and ann.macs == sum(layer.macs_dense for layer in ann.layers)
    assert isinstance(net("ann_vae"), AnnVAE)
    assert generation_operations(net("ann_vae"), 2).macs == ann_operations(model.plan)[1].macs


def test_attentions_are_counted_on_the_host() -> None:
    model = net("esvae", readout="taid", pfa=True, pfa_rank=3)
    found = reconstruction_operations(model, pictures(2))
    layers = by_name(found)
    t, c, h, w, r = 5, 1, 16, 16, 3
    maps = t * r * 9 * h * w + t * c * r + c * t * r
    assert layers["pfa"].macs_dense == maps + r * c * t + r * t * c * h * w + t * c * h * w
    assert layers["readout.attention"].macs_dense == t * t * c + t * c * h * w
    assert layers["encoder.0"].passes == 5 and layers["readout"].events > 0
    host = layers["pfa"].macs_dense + layers["readout.attention"].macs_dense
    assert found.macs == host + 5 * layers["encoder.0"].macs_dense


def test_a_model_that_generates_nothing_is_refused() -> None:
    model = build_autoencoder("fad_autoencoder", pixels((1, 16, 16)), widths=(2, 3), latent=4)
    with pytest.raises(InputError, match=r"operations: model \(FadTraining\) is not known"):
        generation_operations(model, 1)
