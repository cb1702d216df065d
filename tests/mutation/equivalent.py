"""Mutants that no test can catch, because they do the same; each with the reason."""

from collections.abc import Mapping

EQUIVALENT: Mapping[tuple[str, str, str], str] = {}
"""`(file, function, change)` to why nothing changes."""
