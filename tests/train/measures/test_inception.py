"""IS and FID on known distributions, with a network that is passed in; and what is said where there is none."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from spikeport.errors import FileError, InputError
from spikeport.train.measures import inception, inception_measures, inception_score

SURE = 200.0


def test_one_class_each_scores_the_number_of_classes() -> None:
    logits = SURE * np.eye(7)[np.arange(70) % 7]
    mean, std = inception_score(logits, 10)
    assert mean == pytest.approx(7.0, rel=1e-12) and std == pytest.approx(0.0, abs=1e-12)


def test_alike_samples_score_one() -> None:
    logits = np.tile(np.random.default_rng(0).normal(size=5), (20, 1))
    assert inception_score(logits, 4) == pytest.approx((1.0, 0.0), abs=1e-12)


def test_two_kinds_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    marginal = p.mean(0)
    expected = np.exp((p * np.log(p / marginal)).sum(1).mean())
    assert inception_score(np.log(p), 1)[0] == pytest.approx(expected, rel=1e-12)


def test_splits_are_scored_each_on_its_own() -> None:
    logits = SURE * np.eye(3)[[0, 0, 0, 1, 2, 1]]
    a, b = 1.0, np.exp(-(2 / 3) * np.log(2 / 3) - (1 / 3) * np.log(1 / 3))
    mean, std = inception_score(logits, 2)
    assert mean == pytest.approx((a + b) / 2, rel=1e-12) and std == pytest.approx((b - a) / 2, rel=1e-12)
    with pytest.raises(InputError, match=r"splits \(7\) are not in \[1, 6\]"):
        inception_score(logits, 7)


def stub(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of each channel, and a class by the first pixel."""
    assert pictures.dtype == torch.uint8 and pictures.shape[1:] == (3, 4, 4)
    bright = (pictures[:, 0, 0, 0] > 127).long()
    return pictures.float().mean((2, 3)), SURE * torch.eye(2)[bright]


def test_measures_of_a_network_that_is_passed_in() -> None:
    dark, light = torch.full((60, 1, 4, 4), -1.0), torch.full((60, 1, 4, 4), 1.0)
    half = torch.stack([dark, light], 1).flatten(0, 1)
    found = inception_measures(half, half, stub, splits=4)
    assert found.inception_score == pytest.approx(2.0, rel=1e-9) and found.fid == pytest.approx(0.0, abs=1e-6)
    far = inception_measures(dark, light, stub, splits=4)
    assert far.fid == pytest.approx(3 * 255.0**2, rel=1e-9) and far.inception_score == pytest.approx(1.0)
    assert far.to_json() | {"samples": 60, "real_images": 60, "splits": 4} == far.to_json()


def test_all_levels_of_8_bits_come_back() -> None:
    levels = torch.arange(256, dtype=torch.float64)
    assert torch.equal(
        inception._pictures((2 * levels / 255 - 1).float()[:, None, None, None])[:, 2, 0, 0], levels.byte()
    )


def test_without_torch_fidelity_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"torch-fidelity is not installed; pip install torch-fidelity, and put weights"
    ):
        inception_measures(torch.zeros(4, 3, 4, 4), torch.zeros(4, 3, 4, 4))


def test_without_the_weights_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(inception, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    place = tmp_path / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"
    with pytest.raises(FileError) as caught:
        inception_measures(torch.zeros(4, 3, 4, 4), torch.zeros(4, 3, 4, 4))
    assert caught.value.where == str(place) and "torch_fidelity" not in sys.modules
    place.parent.mkdir()
    place.write_bytes(b"not a file of weights")
    with pytest.raises(FileError, match="is not a checkpoint of tensors"):
        inception_measures(torch.zeros(4, 3, 4, 4), torch.zeros(4, 3, 4, 4))
