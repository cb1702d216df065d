"""What the parts of a Program must fulfil, as functions that raise ProgramError and name the place."""

from math import inf, prod

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.errors import ProgramError, ProgramName, ProgramShape, ProgramType, WeightsUnheld

IntArray = NDArray[np.integer]
Shape = tuple[int, ...]


def check_name(name: str) -> None:
    if not isinstance(name, str) or not name or not name.replace("_", "a").isalnum() or not name.isascii():
        raise ProgramName("program", "name", got=repr(name), relation="is not", limit="letters, digits and underscores")


def check_distinct(what: str, names: list[str]) -> None:
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ProgramName("program", what, got=", ".join(sorted(doubled)))


def check_shape(where: str, shape: Shape) -> None:
    good = isinstance(shape, tuple) and shape and all(type(n) is int and n > 0 for n in shape)
    if not good or prod(shape) >= 2**31:
        raise ProgramShape(where, "shape", got=shape, relation="is not", limit="positive sizes below 2^31 in all")


def check_range(where: str, what: str, value: int, low: int, high: int) -> None:
    if type(value) is not int:
        raise ProgramType(where, what, got=repr(value), relation="is not", limit="an integer")
    if not low <= value <= high:
        raise ProgramError(where, what, got=value, relation="is not in", limit=f"[{low}, {high}]")


def check_positive(where: str, what: str, value: float) -> None:
    number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    if not (number and 0 < value < inf):
        raise ProgramType(where, what, got=repr(value), relation="is not", limit="a positive number")


def check_flag(where: str, what: str, value: bool) -> None:
    if type(value) is not bool:
        raise ProgramType(where, what, got=repr(value), relation="is not", limit="True or False")


def check_choice(where: str, what: str, value: str, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise ProgramError(where, what, got=value, relation="is not one of", limit=", ".join(choices))


def check_text(where: str, what: str, value: str) -> None:
    if not (isinstance(value, str) and value.isascii() and value.isprintable()):
        raise ProgramType(where, what, got=repr(value), relation="is not", limit="printable ASCII text")


def check_ndim(where: str, weight: IntArray, ndim: int) -> None:
    if (
        not isinstance(weight, np.ndarray)
        or weight.ndim != ndim
        or 0 in weight.shape[: max(ndim, 2) if ndim > 1 else 0]
    ):
        got = getattr(weight, "shape", type(weight).__name__)
        raise ProgramShape(where, "weight shape", got=got, relation="does not have", limit=f"{ndim} axes, none empty")
    check_integers(where, "weight", weight)


def check_integers(where: str, what: str, array: IntArray) -> None:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu":
        raise ProgramType(
            where,
            f"{what} type",
            got=getattr(array, "dtype", type(array).__name__),
            relation="is not",
            limit="an integer array",
        )


def check_array(where: str, what: str, array: IntArray, shape: Shape) -> None:
    check_integers(where, what, array)
    if array.shape != shape:
        raise ProgramShape(where, f"{what} shape", got=array.shape, relation="is not", limit=shape)


def check_array_range(where: str, what: str, array: IntArray, low: int, high: int) -> None:
    check_integers(where, what, array)
    if array.size and not (low <= array.min() and array.max() <= high):
        worst = array.min() if array.min() < low else array.max()
        raise ProgramError(where, what, got=int(worst), relation="is not in", limit=f"[{low}, {high}]")


def check_weight(where: str, weight: IntArray) -> None:
    check_array_range(where, "weight", weight, fixed.WEIGHT_MIN_MIXED, fixed.WEIGHT_MAX)
    if not fixed.fits_mantissa(weight.astype(np.int64)):
        raise WeightsUnheld(
            where,
            "weight mantissas",
            got=f"{weight.min()}..{weight.max()}",
            relation="are not",
            limit="even in [-256, 254] with mixed signs, or within 255 with one sign",
            do="halve them and raise weight_exp by one",
        )


def check_delay(where: str, delay: int | IntArray, shape: Shape) -> None:
    if isinstance(delay, np.ndarray):
        check_array(where, "delay", delay, shape)
        check_array_range(where, "delay", delay, 0, fixed.DELAY_MAX)
    else:
        check_range(where, "delay", delay, 0, fixed.DELAY_MAX)


def freeze(part: object, name: str, dtype: type[np.integer]) -> None:
    """Own, read-only copy of an array field in the narrow type; the range was checked before."""
    array = np.array(getattr(part, name), dtype=dtype, order="C")
    array.flags.writeable = False
    object.__setattr__(part, name, array)
