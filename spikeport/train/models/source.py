"""What enters a network."""

from dataclasses import dataclass

from spikeport.train.image import Image


@dataclass(frozen=True)
class Source:
    """Images of integers in [low, high]; `value * scale` is what the network sees."""

    shape: tuple[int, int, int]
    low: int = 0
    high: int = 255
    scale: float = 1 / 255

    def image(self, steps: int) -> Image:
        return Image(steps, self.low, self.high, self.scale)
