"""The raw fields of one node as checked numbers; every error names node and field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.nodes import Floats, Pair, Shape
from spikeport.errors import FieldInvalid

MAX_AXES = 8
MAX_SIZE = 1 << 31
MAX_STEP = 1 << 15
"""Of strides, paddings and dilations: no image has as many rows."""
MAX_SHOWN = 64
AGAIN = "export it again"


@dataclass(frozen=True)
class Fields:
    """One node's fields as the file has them; `remarks` grows by what is repaired."""

    name: str
    kind: str
    values: Mapping[str, Any]
    remarks: list[str]
    missing: list[str] = field(default_factory=list)

    def check_known(self, known: frozenset[str]) -> None:
        """A field without a meaning here may change that of the node, so it is not left out."""
        for key in self.values:
            if key not in known:
                limit, do = ", ".join(sorted(known)), "rename it or remove it"
                raise FieldInvalid(
                    self.name, f"{self.kind} field", got=shown(str(key)), relation="is not one of", limit=limit, do=do
                )

    def raw(self, key: str) -> Any:
        if key not in self.values:
            raise FieldInvalid(self.name, f"{self.kind} lacks", got=key, do=AGAIN)
        return self.values[key]

    def array(self, key: str) -> NDArray[Any]:
        value = self.raw(key)
        try:
            return np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as error:  # ragged lists; tensors that need a gradient
            raise FieldInvalid(
                self.name, key, got=shown(f"{error}"), relation="is not", limit="an array", do=AGAIN
            ) from error

    def floats(self, key: str, ndim: int | None = None, missing: float | None = None) -> Floats:
        """Finite float64 of any shape, or of `ndim` axes; one value `missing`, with a remark, where there is none."""
        if missing is not None and key not in self.values:
            self.missing.append(key)
            self.remarks.append(f"{self.name}: {key} is missing and taken as {missing:g}")
            return np.full((), missing)
        array = self.array(key)
        if array.dtype.kind not in "fiu" or not array.size:
            got = f"{array.dtype}, {array.size} values"
            raise FieldInvalid(self.name, f"{key} type", got=got, relation="is not", limit="numbers")
        if ndim is not None and array.ndim != ndim:
            limit = f"{ndim} axes"
            raise FieldInvalid(self.name, f"{key} shape", got=array.shape, relation="does not have", limit=limit)
        with np.errstate(over="ignore", invalid="ignore"):  # a long double beyond float64, a signalling NaN
            values = array.astype(np.float64)
        if not np.isfinite(values).all():
            got, limit, do = "NaN or infinity", "a finite number", "train or export it again"
            raise FieldInvalid(self.name, key, got=got, relation="is not", limit=limit, do=do)
        return values

    def positive(self, key: str) -> Floats:
        """Finite float64 above 0."""
        values = self.floats(key)
        if values.min() <= 0:
            raise FieldInvalid(self.name, key, got=values.min(), relation="is not above", limit=0, do=AGAIN)
        return values

    def bias(self, size: int) -> Floats:
        """One value for each of the outputs; zeros, with a remark, where it is missing."""
        bias = self.floats("bias", missing=0.0)
        if "bias" not in self.values:
            return np.zeros(size)
        if bias.shape != (size,):
            raise FieldInvalid(self.name, "bias shape", got=bias.shape, relation="is not", limit=(size,))
        return bias

    def sizes(self, key: str) -> Shape:
        """A shape: at most `MAX_AXES` positive integers."""
        array = self._integers(key, "positive sizes")
        if not 1 <= array.size <= MAX_AXES or array.ndim > 1 or array.min() < 1 or array.max() >= MAX_SIZE:
            got = array.tolist() if array.size <= MAX_AXES else f"{array.size} axes"
            raise FieldInvalid(self.name, key, got=got, relation="is not", limit="positive sizes")
        return tuple(int(n) for n in array.reshape(-1))

    def integer(self, key: str) -> int:
        array = self._integers(key, "one integer")
        if array.size != 1:
            raise FieldInvalid(self.name, key, got=_shown(array), relation="is not", limit="one integer")
        return int(array.reshape(-1)[0])

    def pair(self, key: str) -> Pair:
        """One integer for both axes, or two."""
        array = self._integers(key, "one or two integers")
        if array.size not in (1, 2) or not all(abs(int(n)) < MAX_STEP for n in array.reshape(-1)):
            raise FieldInvalid(self.name, key, got=_shown(array), relation="is not", limit="one or two integers")
        return int(array.reshape(-1)[0]), int(array.reshape(-1)[-1])

    def _integers(self, key: str, limit: str) -> NDArray[Any]:
        array = self.array(key)
        if array.dtype.kind not in "iu":
            raise FieldInvalid(self.name, key, got=_shown(array), relation="is not", limit=limit)
        return array

    def text(self, key: str) -> str | None:
        """The field as text; None if it is something else."""
        return text_of(self.raw(key))


def text_of(value: Any) -> str | None:
    """str, bytes, or an array of one of them; None for anything else and for what is not UTF-8."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    return str(value) if isinstance(value, str) else None


def shown(text: str) -> str:
    """A text of the file as an error can hold it: printable, and not too long."""
    return text if text.isprintable() and len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]!r}, {len(text)} characters"


def _shown(array: NDArray[Any]) -> object:
    return array.tolist() if array.size <= MAX_AXES else f"{array.dtype}, shape {array.shape}"
