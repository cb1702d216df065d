"""PFA's map by hand, and its images as the first layer takes them."""

import math
from typing import Any

import pytest
import torch

from spikeport.train import Image
from spikeport.train.autoencoders import Noise, Pfa, build_autoencoder, pixels

SOURCE = pixels((2, 1, 1))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def made() -> Any:
    """Rank 2, two steps; of the kernel only the middle tap meets the one place."""
    pfa = Pfa(SOURCE, 2, rank=2).double()
    parts = {
        "over_channels.weight": [[3.0, 1.0], [0.0, -2.0]],
        "over_channels.bias": [-0.5, 0.0],
        "over_steps.weight": [[1.0, -1.0], [2.0, 2.0]],
        "over_steps.bias": [0.0, 0.3],
        "space.bias": [0.1, 0.2],
    }
    state = {name: torch.tensor(values, dtype=torch.float64) for name, values in parts.items()}
    kernel = torch.full((2, 2, 3, 3), 9.0, dtype=torch.float64)
    kernel[:, :, 1, 1] = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])
    pfa.load_state_dict({"space.weight": kernel, **state})
    return pfa


def test_the_map_is_a_sum_of_rank_one_tensors() -> None:
    x = torch.tensor([[0.2, 0.6], [0.4, -0.8]], dtype=torch.float64)  # x[t, c] of one place
    means = 0.4, -0.2  # over channels, at each step
    places = sigmoid(means[0] + 2 * means[1] + 0.1), sigmoid(-means[0] + 0.5 * means[1] + 0.2)

    def step(r: int, t: int) -> float:
        weights, bias = (((3, 1), -0.5), ((0, -2), 0.0))[r]
        return sigmoid(weights[0] * float(x[t, 0]) + weights[1] * float(x[t, 1]) + bias)

    def channel(r: int, c: int) -> float:
        weights, bias = (((1, -1), 0.0), ((2, 2), 0.3))[r]
        return sigmoid(weights[0] * float(x[0, c]) + weights[1] * float(x[1, c]) + bias)

    found = made().attention(x[None, :, :, None, None])
    want = [[sum(places[r] * step(r, t) * channel(r, c) for r in (0, 1)) for c in (0, 1)] for t in (0, 1)]
    assert found.shape == (1, 2, 2, 1, 1)
    assert found.flatten().tolist() == pytest.approx([value for row in want for value in row], abs=1e-14)


def test_what_comes_out_is_the_image_times_the_map_where_it_is_positive() -> None:
    pfa, images = made(), torch.tensor([[[[51]], [[-102]]]])
    x = (images.double() / 255).expand(2, 1, 2, 1, 1)
    found = pfa(images, whole=False)
    assert found.shape == (2, 1, 2, 1, 1)
    bright = pfa.attention(x.transpose(0, 1)).transpose(0, 1)[:, :, 0] * 51
    assert torch.allclose(found[:, :, 0], bright, atol=1e-12)
    assert found[:, :, 1].tolist() == [[[[0.0]]], [[[0.0]]]]
    assert torch.equal(pfa(images), found.round())


def test_a_network_takes_what_comes_out_as_integers() -> None:
    """In [0, rank * 255], the range of the first layer; eval mode refuses anything else."""
    torch.manual_seed(0)
    options = {"widths": (4,), "latent": 3, "steps": 4, "pfa": True, "pfa_rank": 8}
    model: Any = build_autoencoder("esvae", pixels((1, 8, 8)), **options)
    assert model.pfa.image == model.encoder[0].image == Image(4, 0, 8 * 255, 1 / 255)
    images = torch.full((2, 1, 8, 8), 255)
    model.loss(images, Noise.draw(model, 2, 0)).total.backward()
    assert all(bool(p.grad.any()) for p in model.pfa.parameters())
    assert model.eval()(images, Noise.draw(model, 2, 0)).image.shape == (2, 1, 8, 8)
    assert model.pfa(images).amax() > 255
