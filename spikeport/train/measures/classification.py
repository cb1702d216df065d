"""How well the classes can be told by the encoder's firing rates (ESVAE section IV-F).

rates (B, D) - Linear 512 - ReLU - Linear 256 - ReLU - Linear 128 - ReLU - Linear classes, by SGD with a rate of 0.01
over 200 epochs and cross entropy. The paper says neither batch nor activation.
"""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.errors import LabelsInvalid
from spikeport.progress import counted
from spikeport.train.autoencoders.base import SpikingAutoencoder
from spikeport.train.autoencoders.sampling import rates
from spikeport.train.measures.passes import BATCH, evaluating, passes

HIDDEN = (512, 256, 128)


@dataclass(frozen=True)
class Course:
    """How the classifier is trained."""

    epochs: int = 200
    batch: int = 128
    learning_rate: float = 0.01
    momentum: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Classification:
    train_accuracy: float
    test_accuracy: float
    """After the last epoch, both in [0, 1]."""
    train_images: int
    test_images: int
    course: Course

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Labelled:
    """
    Args:
        x: Images or features, `(N, ...)`.
        labels: `(N,)` int64.
    """

    x: Tensor
    labels: Tensor


def encoder_rates(model: SpikingAutoencoder, images: Tensor, *, batch: int = BATCH) -> Tensor:
    """Firing rates of the encoder's last layer, `(N, D)` float32, in eval mode."""
    with evaluating(model):
        found = [rates(model.encode(x)).float() for x, _ in passes(model, images, 0, batch)]
    return torch.cat(found).cpu()


def classification(
    model: SpikingAutoencoder, train: Labelled, test: Labelled, classes: int, course: Course = Course()
) -> Classification:
    """Trains a classifier on the rates of `train`, and tests it on those of `test`."""
    known, asked = (Labelled(encoder_rates(model, side.x), side.labels) for side in (train, test))
    return classify(known, asked, classes, course)


def classify(train: Labelled, test: Labelled, classes: int, course: Course = Course()) -> Classification:
    """The same on features `(N, D)`; the seed decides weights and order, and torch's own generator stays as it was.

    Raises:
        InputError: a side is empty, or a label is none of the classes.
    """
    for side in (train, test):
        if not len(side.x) or len(side.x) != len(side.labels):
            got, limit = f"{len(side.x)} and {len(side.labels)}", "as many, above 0"
            raise LabelsInvalid("classification", "features and labels", got=got, relation="are not", limit=limit)
        if not 0 <= int(side.labels.min()) <= int(side.labels.max()) < classes:
            raise LabelsInvalid(
                "classification", "labels", got=int(side.labels.max()), relation="are not in", limit=f"[0, {classes})"
            )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(course.seed)
        net = _mlp(train.x.shape[1], classes)
        _fit(net, train, course)
    return Classification(_accuracy(net, train), _accuracy(net, test), len(train.x), len(test.x), course)


def _mlp(n_in: int, classes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise((n_in, *HIDDEN)):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(HIDDEN[-1], classes))


def _fit(net: nn.Sequential, train: Labelled, course: Course) -> None:
    optimizer = torch.optim.SGD(net.parameters(), course.learning_rate, course.momentum)
    with torch.enable_grad():
        for _ in counted(range(course.epochs), "training a classifier", "epochs"):
            for picked in torch.split(torch.randperm(len(train.x)), course.batch):
                optimizer.zero_grad()
                torch.autograd.backward(F.cross_entropy(net(train.x[picked]), train.labels[picked]))
                optimizer.step()


def _accuracy(net: nn.Sequential, side: Labelled) -> float:
    with torch.no_grad():
        return float((net(side.x).argmax(1) == side.labels).double().mean())
