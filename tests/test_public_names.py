"""The names that users import; each is meant to stay."""

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.test_reference import SHOWN

NAMES = {
    "spikeport": ["Program", "__version__"],
    "spikeport.train": ["ALIF", "DALIF", "QuantConv2d", "QuantLinear"],
    "spikeport.export": ["to_nir"],
    "spikeport.deploy": ["check", "compile_graph"],
    "spikeport.sim": [
        "Events",
        "Session",
        "count_operations",
        "estimate_energy",
        "load_state",
        "record",
        "save_state",
        "simulate",
    ],
}
NEEDS_TORCH = {"spikeport.train", "spikeport.export"}
ALL = [(module, name) for module, names in NAMES.items() for name in names]


@pytest.mark.parametrize(("module", "name"), ALL, ids=[f"{module}.{name}" for module, name in ALL])
def test_a_public_name_is_where_users_look_for_it_and_says_what_it_is(module: str, name: str) -> None:
    if module in NEEDS_TORCH:
        pytest.importorskip("torch")
    value = getattr(importlib.import_module(module), name)
    assert inspect.getdoc(value)


def undocumented(name: str) -> Iterator[str]:
    """What of a public class or function, and of all that users call on it, says nothing of itself."""
    module, _, attribute = name.rpartition(".")
    value = getattr(importlib.import_module(module), attribute)
    if inspect.isfunction(value) and not value.__doc__:
        yield name
    if not inspect.isclass(value):
        return
    own = vars(value).get("__doc__") or ""
    if not own or own.startswith(f"{value.__name__}("):  # what dataclasses write by themselves
        yield name
    yield from (
        f"{name}.{key}" for key, member in vars(value).items() if is_called(key, member) and not told(value, key)
    )


def is_called(key: str, member: Any) -> bool:
    return not key.startswith("_") and (isinstance(member, property | classmethod) or inspect.isfunction(member))


def told(cls: type, key: str) -> str | None:
    """By the member, or by what it overrides; torch's words for every module do not count."""
    of = [parent for parent in cls.__mro__ if key in vars(parent) and not parent.__module__.startswith("torch")]
    return next((doc for parent in of if (doc := inspect.getdoc(vars(parent)[key]))), None)


def test_all_of_the_reference_says_what_it_is() -> None:
    pytest.importorskip("torch")
    assert sorted(line for name in SHOWN for line in undocumented(name)) == []


def test_simulate_takes_the_program_and_then_the_spikes() -> None:
    """It is called by position."""
    simulate = importlib.import_module("spikeport.sim").simulate
    assert list(inspect.signature(simulate).parameters)[:2] == ["program", "spikes"]
