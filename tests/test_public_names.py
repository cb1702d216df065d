"""The names that users import; each is meant to stay."""

import importlib
import inspect

import pytest

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


def test_simulate_takes_the_program_and_then_the_spikes() -> None:
    """It is called by position."""
    simulate = importlib.import_module("spikeport.sim").simulate
    assert list(inspect.signature(simulate).parameters)[:2] == ["program", "spikes"]
