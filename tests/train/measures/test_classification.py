"""The classifier on rates: seeded, of the paper's sizes, and right where the classes are apart."""

import pytest
import torch

from spikeport.errors import InputError
from spikeport.train.autoencoders import SpikingAutoencoder
from spikeport.train.measures import Course, Labelled, classification
from spikeport.train.measures.classification import _mlp, classify, encoder_rates
from tests.train.measures.nets import net, pictures

QUICK = Course(epochs=30, batch=16, learning_rate=0.1, momentum=0.9)


def blobs(n: int, seed: int) -> Labelled:
    """Three classes, each with a neuron of its own that fires."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    return Labelled(torch.eye(5)[labels] + 0.1 * torch.rand(n, 5, generator=generator), labels)


def test_it_has_the_papers_layers() -> None:
    sizes = [tuple(layer.weight.shape) for layer in _mlp(128, 10) if isinstance(layer, torch.nn.Linear)]
    assert sizes == [(512, 128), (256, 512), (128, 256), (10, 128)]


def test_classes_that_are_apart_are_told_and_labels_by_chance_are_not() -> None:
    found = classify(blobs(60, 0), blobs(30, 1), 3, QUICK)
    assert (found.train_accuracy, found.test_accuracy) == (1.0, 1.0)
    assert (found.train_images, found.test_images) == (60, 30)
    shuffled = Labelled(blobs(30, 1).x, (torch.arange(30) + 1) % 3)
    assert classify(blobs(60, 0), shuffled, 3, QUICK).test_accuracy == 0.0


def test_the_seed_decides_and_torchs_own_generator_stays() -> None:
    course = Course(epochs=1, batch=16, seed=3)
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first = classify(blobs(60, 0), blobs(30, 1), 3, course)
    assert torch.equal(torch.rand(1), expected)
    torch.manual_seed(8)
    assert classify(blobs(60, 0), blobs(30, 1), 3, course) == first


def test_features_are_the_encoders_rates() -> None:
    model, images = net("esvae"), pictures(5)
    assert isinstance(model, SpikingAutoencoder)
    with torch.no_grad():
        expected = model.encode(images).sum(0) / 5
    assert torch.equal(encoder_rates(model, images, batch=2), expected)
    sides = [Labelled(images, torch.arange(5) % 2)] * 2
    found = classification(model, *sides, 2, Course(epochs=1))
    assert found.to_json()["course"]["epochs"] == 1


def test_labels_must_fit() -> None:
    with pytest.raises(InputError, match=r"labels \(2\) are not in \[0, 2\)"):
        classify(blobs(6, 0), blobs(6, 0), 2, QUICK)
    with pytest.raises(InputError, match="features and labels"):
        classify(Labelled(torch.zeros(3, 5), torch.zeros(2).long()), blobs(6, 0), 3, QUICK)
