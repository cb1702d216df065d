"""Mutants that no test can catch, because they do the same; each with the reason."""

from collections.abc import Mapping

EQUIVALENT: Mapping[tuple[str, str, str], str] = {
    ("fixed.py", "twos_complement", "x + half  ->  (x - half)"): "the two differ by 2^bits, which the mask takes off",
    ("fixed.py", "shift", "exp >= 0  ->  (exp > 0)"): "at 0 both ways shift by nothing",
    ("fixed.py", "shift", "0  ->  1"): "at 0 both ways shift by nothing",
}
"""`(file, function, change)` to why nothing changes."""
