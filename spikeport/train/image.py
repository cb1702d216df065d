"""How an image enters a network."""

from dataclasses import dataclass

from spikeport.errors import InputError


@dataclass(frozen=True)
class Image:
    """A constant integer image as input: `value * scale` is shown for `steps` steps.

    The layer's convolution is computed once, on the host, and loaded as the neurons' bias.
    """

    steps: int
    low: int = 0
    high: int = 255
    scale: float = 1 / 255

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("Image", "steps", got=self.steps, relation="is not above", limit=0)
        if not self.low < self.high:
            raise InputError("Image", "low", got=self.low, relation="is not below high", limit=self.high)
