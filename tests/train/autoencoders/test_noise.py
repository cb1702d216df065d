"""All random numbers of a pass: a function of the seed."""

import torch

from spikeport.train.autoencoders import Noise, NoiseShape


class Model:
    def __init__(self, shape: NoiseShape) -> None:
        self.noise_shape = shape


ALL = Model(NoiseShape(6, 5, uniform=True, normal=True, candidates=3))
FIELDS = ("uniform", "normal", "picks", "coins", "jitter")


def test_the_seed_decides_every_number() -> None:
    first, again, other = (Noise.draw(ALL, 4, seed) for seed in ([7, 1], [7, 1], [7, 2]))
    for name in FIELDS:
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))


def test_shapes_types_and_ranges() -> None:
    noise = Noise.draw(ALL, 400, 0)
    assert noise.batch == 400
    assert noise.uniform.shape == noise.picks.shape == noise.jitter.shape == (6, 400, 5)
    assert noise.normal.shape == (400, 5) and noise.coins.shape == (6, 400)
    assert noise.uniform.dtype == noise.normal.dtype == torch.float64
    assert 0 <= noise.uniform.amin() < 0.01 and 0.99 < noise.uniform.amax() < 1
    assert noise.picks.unique().tolist() == [0, 1, 2]
    assert bool((noise.coins == noise.coins[:, :1]).all()) and len(noise.coins.unique()) == 6
    assert abs(noise.normal.std() - 1) < 0.1 and abs(noise.jitter.std() - 1) < 0.1


def test_what_a_model_does_not_draw_is_empty() -> None:
    noise = Noise.draw(Model(NoiseShape(6, 5, uniform=True)), 4, 0)
    assert noise.batch == 4
    assert [getattr(noise, name).numel() for name in FIELDS] == [120, 0, 0, 0, 0]


def test_a_part_has_the_numbers_of_its_samples() -> None:
    noise = Noise.draw(ALL, 4, 0)
    part = noise.part(slice(1, 3))
    assert part.batch == 2
    assert torch.equal(part.normal, noise.normal[1:3])
    for name in ("uniform", "picks", "coins", "jitter"):
        assert torch.equal(getattr(part, name), getattr(noise, name)[:, 1:3])


def test_numbers_are_moved_together() -> None:
    noise = Noise.draw(ALL, 2, 0).to("meta")
    assert all(getattr(noise, name).device.type == "meta" for name in FIELDS)
