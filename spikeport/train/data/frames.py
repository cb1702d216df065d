"""Events of a camera as frames of counts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import DataSetDamaged, InputError, UnknownName
from spikeport.train.data.places import AGAIN

SIDE = 128
"""Of the sensor, in pixels; DVS128."""

WAYS = ("count", "time")

Column = NDArray[np.number]


@dataclass(frozen=True, eq=False)
class Events:
    """Of each event, in the order of the recording: time, column, row in [0, 128), and 1 where it became brighter."""

    t: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    p: NDArray[np.int64]


def checked_events(path: Path, t: Column, x: Column, y: Column, p: Column) -> Events:
    """The events of a file; raises FileError for what no DVS128 can have sent."""
    for name, column, most in (("t", t, 1 << 48), ("x", x, SIDE), ("y", y, SIDE), ("polarity", p, 2)):
        if len(column) and not 0 <= column.min() <= column.max() < most:
            got = f"{column.min()}..{column.max()}"
            raise DataSetDamaged(
                str(path), f"{name} of the events", got=got, relation="is not in", limit=f"[0, {most})", do=AGAIN
            )
    return Events(*(column.astype(np.int64) for column in (t, x, y, p)))


@dataclass(frozen=True)
class Frames:
    """How events become frames.

    Args:
        steps: The number of frames T.
        by: `count`, each frame has as many events, or `time`, each is as long.
        binary: 1 where there was any event; otherwise counts, at most 255.
    """

    steps: int = 10
    by: str = "count"
    binary: bool = False

    def __post_init__(self) -> None:
        if type(self.steps) is not int or not 1 <= self.steps <= 1 << 12:
            raise InputError("frames", "steps", got=self.steps, relation="is not an integer in", limit="[1, 4096]")
        if self.by not in WAYS:
            raise UnknownName("frames", "by", got=self.by, relation="is not one of", limit=", ".join(WAYS))
        if type(self.binary) is not bool:
            raise InputError("frames", "binary", got=self.binary, relation="is not", limit="true or false")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of one sample; channel 0 became darker, 1 brighter."""
        return self.steps, 2, SIDE, SIDE

    def of(self, events: Events) -> NDArray[np.uint8]:
        """`(T, 2, 128, 128)`; all zeros without events."""
        frame = self._numbers(events)
        place = ((frame * 2 + events.p) * SIDE + events.y) * SIDE + events.x
        counts = np.bincount(place, minlength=int(np.prod(self.shape))).reshape(self.shape)
        return (counts > 0).astype(np.uint8) if self.binary else np.minimum(counts, 255).astype(np.uint8)

    def _numbers(self, events: Events) -> NDArray[np.int64]:
        """The frame of each event; the parts of the whole are equal to within one event or tick."""
        count = len(events.t)
        if self.by == "count" or not count:
            return np.arange(count) * self.steps // max(count, 1)
        first, last = int(events.t.min()), int(events.t.max())
        return (events.t - first) * self.steps // (last - first + 1)
