"""How an image enters a network."""

from dataclasses import dataclass

from spikeport.errors import InputError

MAX_STEPS = 1 << 15
MIN_VALUE, MAX_VALUE = -(1 << 15), (1 << 16) - 1


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
        limits = {"steps": (1, MAX_STEPS), "low": (MIN_VALUE, MAX_VALUE), "high": (MIN_VALUE, MAX_VALUE)}
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                limit = f"[{least}, {most}]"
                raise InputError("Image", name, got=value, relation="is not an integer in", limit=limit)
        if not self.low < self.high:
            raise InputError("Image", "low", got=self.low, relation="is not below high", limit=self.high)
        if not 0 < self.scale < 1e6:
            raise InputError("Image", "scale", got=self.scale, relation="is not in", limit="(0, 1000000)")
