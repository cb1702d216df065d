"""Mean and standard deviation of the well-known data sets, of values in [0, 1]."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Normal:
    """Mean and standard deviation per channel.

    A chip's host layer takes integers, so the mean is rounded to a grey value, and all channels share one deviation.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def grey(self) -> tuple[int, ...]:
        """The mean in [0, 255]: at most half a grey value off."""
        return tuple(round(255 * mean) for mean in self.mean)

    @property
    def spread(self) -> float:
        """The mean of the channels' deviations, in [0, 1]."""
        return sum(self.std) / len(self.std)


MNIST = Normal((0.1307,), (0.3081,))
"""Of the 60,000 training images, 28x28 (PyTorch's MNIST example)."""

FASHION = Normal((0.2860,), (0.3530,))
"""Of the 60,000 training images."""

CIFAR10 = Normal((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
"""The numbers that spiking networks are published with (TET, Dspike, MPBN and what grew from their code).

Of the training pixels the deviation is (0.2470, 0.2435, 0.2616); the smaller numbers are the mean of the images' own
deviations. They are kept because the papers' learning rates and thresholds belong to them.
"""

CIFAR100 = Normal((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761))
"""Of the 50,000 training images."""

IMAGENET = Normal((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""torchvision's, for all of its models."""
