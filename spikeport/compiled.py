"""Functions that numba compiles, kept on disk for the next process where there is a place for them."""

from collections.abc import Callable
from typing import Any

from numba import njit

Function = Callable[..., Any]


def kept(**options: Any) -> Callable[[Function], Any]:
    """As `numba.njit(cache=True, **options)`, which fails where neither the package's folder nor the user's own may be
    written, as in a container with another user. There every process compiles anew; NUMBA_CACHE_DIR names a folder."""

    def compiled(function: Function) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            return njit(**options)(function)

    return compiled
