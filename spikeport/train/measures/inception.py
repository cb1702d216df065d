"""Inception Score (Salimans et al., 2016) and FID (Heusel et al., 2017), with the standard Inception network.

Both mean something only with the very weights that everybody uses, which this package does not have and does not fetch.
They are computed where torch-fidelity is installed and the weights lie on this machine, and nowhere else; torchmetrics
has its Inception from torch-fidelity too.

What the ESVAE and FSVAE papers print as IS is another number: their code gives torchvision's Inception pictures in
[0, 255], which it was not trained for, and splits 2,560 samples by 10. Their FID is clean-fid's of 5,000 samples, with
another way to resize. Neither is to be compared with what stands here by more than its order.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikeport.errors import FileMissing, MeasureUndefined, PackageMissing
from spikeport.train.measures.gaussians import frechet_distance, gaussian_of
from spikeport.train.weights import read_plain

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
"""TensorFlow's Inception of 2015, as torch-fidelity's release v0.2.0 has it."""
SPLITS = 10
BATCH = 50
FEATURES = ("2048", "logits_unbiased")

Extractor = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Pictures uint8 `(B, 3, h, w)` to features `(B, F)` and logits `(B, classes)`."""


@dataclass(frozen=True)
class InceptionMeasures:
    inception_score: float
    """Mean over the splits."""
    inception_std: float
    """Between the splits."""
    fid: float
    samples: int
    real_images: int
    splits: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def inception_measures(
    images: Tensor, real: Tensor, extractor: Extractor | None = None, *, splits: int = SPLITS
) -> InceptionMeasures:
    """
    Args:
        images: Generated, `(N, c, h, w)` in [-1, 1]; one channel becomes three.
        real: The same of real images.
        extractor: Instead of the standard network.

    Raises:
        InputError, FileError: without an extractor, where torch-fidelity or its weights are missing.
    """
    network = standard_inception() if extractor is None else extractor
    features, logits = _extracted(network, images)
    real_features, _ = _extracted(network, real)
    fid = frechet_distance(gaussian_of([features]), gaussian_of([real_features]))
    mean, std = inception_score(logits, splits)
    return InceptionMeasures(mean, std, fid, len(images), len(real), splits)


def inception_score(logits: NDArray[np.floating], splits: int = SPLITS) -> tuple[float, float]:
    """exp(mean KL(p(y|x) || p(y))) over each split of the samples, in their order; mean and deviation of the splits.

    Args:
        logits: `(N, classes)`, N a multiple of the splits or the last ones smaller by one.

    Raises:
        InputError: there are fewer samples than splits.
    """
    if not 1 <= splits <= len(logits):
        raise MeasureUndefined(
            "Inception Score", "splits", got=splits, relation="are not in", limit=f"[1, {len(logits)}]"
        )
    logs = torch.from_numpy(np.asarray(logits, np.float64)).log_softmax(1).numpy()
    scores = [_score(part) for part in np.array_split(logs, splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(logs: NDArray[np.float64]) -> float:
    """Of log p(y|x), `(N, classes)`; a class of probability 0 adds nothing."""
    p = np.exp(logs)
    marginal = p.mean(0)
    log_marginal = np.log(marginal, where=marginal > 0, out=np.zeros_like(marginal))
    return float(np.exp(np.where(p > 0, p * (logs - log_marginal), 0.0).sum(1).mean()))


def weights_path() -> Path:
    """Where torch-fidelity keeps the weights that it fetches."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS


def check_inception() -> Path:
    """The file of weights.

    Raises:
        InputError: torch-fidelity is not installed. FileError: the weights are not where they belong.
    """
    file = weights_path()
    if find_spec("torch_fidelity") is None:
        do = f"pip install torch-fidelity, and put {WEIGHTS} of its release v0.2.0 at {file}"
        raise PackageMissing("IS and FID", "torch-fidelity", relation="is not", limit="installed", do=do)
    if not file.is_file():
        do = "put it there; it is part of torch-fidelity's release v0.2.0"
        raise FileMissing(str(file), "no such file, which IS and FID need", do=do)
    return file


def standard_inception() -> Extractor:
    """torch-fidelity's network with the weights at `weights_path()`.

    Raises:
        InputError, FileError: as `check_inception`; or the file holds more than tensors.
    """
    file = check_inception()
    state = read_plain(file, "fetch it again")
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with TemporaryDirectory() as folder:  # it unpickles freely: it gets a file that holds what was read, and no more
        safe = Path(folder) / WEIGHTS
        torch.save(state, safe)
        network: nn.Module = FeatureExtractorInceptionV3("inception", list(FEATURES), str(safe))
    return network


def _extracted(network: Extractor, images: Tensor) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Features and logits of all images."""
    with torch.no_grad():
        found = [network(_pictures(part)) for part in torch.split(images, BATCH)]
    features, logits = (torch.cat(parts).double().numpy() for parts in zip(*found, strict=True))
    return features, logits


def _pictures(images: Tensor) -> Tensor:
    """[-1, 1] to 8 bits and three channels."""
    bits = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return bits.expand(-1, 3, -1, -1) if bits.shape[1] == 1 else bits
