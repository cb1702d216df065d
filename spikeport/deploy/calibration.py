"""Data that quantization looks at: inputs as a run takes them, and labels if accuracy is to be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import InputError, LabelsInvalid, UnknownName, WrongShape, WrongType

Observer: TypeAlias = Literal["max", "percentile", "membrane", "spikes"]
"""What the scale of a population's weights follows.

`max`: the largest of them; `percentile`: all but the largest thousandth, which are cut; `membrane`: the least square
error of what arrives at the membrane; `spikes`: the fewest spikes that differ.
"""
OBSERVERS: tuple[Observer, ...] = get_args(Observer)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Samples of the input, integers `(T, B, *shape)` by the input's name or under one name for a single input."""

    inputs: Mapping[str, NDArray[Any]]
    labels: NDArray[Any] | None = None
    """`(B,)` classes."""

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, Mapping):
            got, do = type(self.inputs).__name__, "give Calibration({'input': spikes})"
            raise WrongType("calibration", "inputs", got=got, relation="are not", limit="arrays by name", do=do)
        if not self.inputs:
            raise InputError("calibration", "has no input")
        sizes = {x.shape[:2] for x in self.inputs.values()}
        if len(sizes) > 1 or any(0 in x.shape or x.ndim < 3 for x in self.inputs.values()):
            raise WrongShape(
                "calibration", "shapes", got=sorted(sizes), relation="are not", limit="(T, B, *shape) alike"
            )
        if self.labels is not None and self.labels.shape != (self.batch,):
            raise LabelsInvalid("calibration", "labels", got=self.labels.shape, relation="are not", limit=(self.batch,))

    @property
    def batch(self) -> int:
        """Samples."""
        return next(iter(self.inputs.values())).shape[1]

    def part(self, count: int) -> "Calibration":
        """The first samples."""
        labels = None if self.labels is None else self.labels[:count]
        return Calibration({name: x[:, :count] for name, x in self.inputs.items()}, labels)

    def named(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float64]]:
        """By the names of a network's inputs; raises InputError where names or shapes are others."""
        inputs = self.inputs
        if len(shapes) == 1 and len(inputs) == 1:
            inputs = {next(iter(shapes)): next(iter(inputs.values()))}
        if set(inputs) != set(shapes):
            got, limit = ", ".join(sorted(inputs)), ", ".join(sorted(shapes))
            raise UnknownName("calibration", "names", got=got, relation="are not", limit=limit)
        for name, shape in shapes.items():
            if inputs[name].shape[2:] != tuple(shape):
                want = f"(T, B, {', '.join(map(str, shape))})"
                raise WrongShape(f"calibration {name}", "shape", got=inputs[name].shape, relation="is not", limit=want)
        return {name: np.asarray(x, np.float64) for name, x in inputs.items()}
