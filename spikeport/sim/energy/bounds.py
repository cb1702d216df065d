"""A figure and what is known of its limits: low, nominal, high."""

from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite

from spikeport.errors import InputError


@dataclass(frozen=True)
class Bounds:
    """0 <= low <= nominal <= high, all finite; a limit of None was not published, or there is none.

    Raises InputError if the numbers are not in this order.
    """

    low: float | None
    nominal: float
    high: float | None

    def __post_init__(self) -> None:
        known = [0.0, *(x for x in (self.low, self.nominal, self.high) if x is not None)]
        if not all(isfinite(x) for x in known) or known != sorted(known):
            got = f"{self.low}, {self.nominal}, {self.high}"
            raise InputError(
                "bounds", "low, nominal, high", got=got, relation="are not", limit="0 or more and in order"
            )

    def __add__(self, other: "Bounds") -> "Bounds":
        """Limits add up, as if all went wrong at once; the sum has no limit where a part has none."""
        low = None if self.low is None or other.low is None else self.low + other.low
        high = None if self.high is None or other.high is None else self.high + other.high
        return Bounds(low, self.nominal + other.nominal, high)

    def times(self, amount: Fraction | int) -> "Bounds":
        """So many of it; none of it is exactly zero, whatever is not published. InputError for less than none."""
        if amount < 0:
            raise InputError("bounds", "amount", got=amount, relation="is below", limit=0)
        if amount == 0:
            return ZERO
        n = float(amount)
        low, high = (None if x is None else x * n for x in (self.low, self.high))
        return Bounds(low, self.nominal * n, high)

    def over(self, other: "Bounds") -> "Bounds | None":
        """The ratio: low over high, nominal over nominal, high over low. None if the nominal of `other` is 0.

        A limit that is missing on either side, or divided by 0, is missing in the ratio.
        """
        nominal = _divided(self.nominal, other.nominal)
        if nominal is None:
            return None
        return Bounds(_divided(self.low, other.high), nominal, _divided(self.high, other.low))

    def held(self) -> "Bounds":
        """A limit that is missing taken as the nominal: the spread of what is published, and not of what is not."""
        low, high = (self.nominal if x is None else x for x in (self.low, self.high))
        return Bounds(low, self.nominal, high)

    def to_json(self) -> dict[str, float | None]:
        """Plain numbers; None for a bound that is not known."""
        return {"low": self.low, "nominal": self.nominal, "high": self.high}


ZERO = Bounds(0.0, 0.0, 0.0)
"""Nothing, known exactly: the start of a sum."""


def product(a: Bounds, b: Bounds) -> Bounds:
    """Both at their lows, nominals and highs; a missing limit is missing in the product."""
    low = None if a.low is None or b.low is None else a.low * b.low
    high = None if a.high is None or b.high is None else a.high * b.high
    return Bounds(low, a.nominal * b.nominal, high)


def _divided(part: float | None, whole: float | None) -> float | None:
    if part is None or not whole:
        return None
    quotient = part / whole
    return quotient if quotient < inf else None
