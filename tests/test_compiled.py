"""Compiled functions where numba may write nothing: in a container with another user, or on a read-only disk."""

import pytest
from numba import njit
from numba.core import caching

from spikeport.compiled import kept


def double(x):  # type: ignore[no-untyped-def]
    return 2 * x


def test_without_a_place_to_keep_it_a_function_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.FunctionCache._impl_class, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator available"):
        njit(cache=True)(double)
    compiled = kept(nogil=True)(double)
    assert compiled(21) == 42 and compiled.signatures and compiled.targetoptions["nogil"]
