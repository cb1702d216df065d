"""The data sets as files that every trainer reads: DATA.npz with spikes, DATA_train.npz with images to train on.

DATA.npz is kept beside the nets: the spikes that they were measured on and 256 training samples as spikes, for
calibration. Both are drawn once, so all frameworks, and whoever compiles their nets, see the same bits.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikeport.errors import FileError
from spikeport.train.data import Split, load_data
from tests.trained.coding import bernoulli

FASHION = Path("/usr/share/datasets/fashion-mnist")  # Debian's package dataset-fashion-mnist
FASHION_TRAIN, FASHION_TEST = 12_000, 2_000
CALIBRATION = 256
SEED = 0


@dataclass(frozen=True)
class Source:
    """A data set's name, and for how many steps its images are shown."""

    name: str
    steps: int
    about: str

    def split(self) -> tuple[Split, Split]:
        """Training and test images."""
        if self.name == "digits":
            found = load_data("digits")
            return found.train, found.test
        return _fashion("train", FASHION_TRAIN), _fashion("t10k", FASHION_TEST)


SOURCES = {
    source.name: source
    for source in (
        Source("digits", 20, "scikit-learn's digits (UCI Optical Recognition), 8x8: 1,400 to train, 397 to test"),
        Source("fashion", 12, "Fashion-MNIST (Debian), 28x28: the first 12,000 to train, the first 2,000 to test"),
    )
}


def write_data(source: Source, folder: Path) -> None:
    """DATA.npz and DATA_train.npz.

    Raises:
        FileError: Fashion-MNIST is not on this machine.
    """
    train, test = source.split()
    rng = np.random.default_rng(SEED)
    spikes = bernoulli(test.images[:], source.steps, rng)
    chosen = rng.choice(len(train), CALIBRATION, replace=False)
    calibration = bernoulli(train.images[chosen], source.steps, rng)
    np.savez_compressed(
        folder / f"{source.name}.npz",
        spikes=np.packbits(spikes),
        labels=test.labels.astype(np.uint8),
        calibration=np.packbits(calibration),
        shape=np.array([source.steps, *test.images.shape]),
    )
    np.savez_compressed(folder / f"{source.name}_train.npz", images=train.images[:], labels=train.labels)


def _fashion(part: str, count: int) -> Split:
    images = _idx(FASHION / f"{part}-images-idx3-ubyte.gz")[:count, None]
    return Split(images, _idx(FASHION / f"{part}-labels-idx1-ubyte.gz")[:count].astype(np.int64))


def _idx(path: Path) -> Any:
    """MNIST's IDX format: two zeros, 8 for uint8, the number of axes, their lengths, the values."""
    if not path.exists():
        raise FileError(str(path), "is not there", do="install Debian's package dataset-fashion-mnist")
    raw = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)
