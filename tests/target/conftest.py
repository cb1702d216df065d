"""Which targets the suite runs on: the one that is named, or the simulator and a little of Lava."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        named = metafunc.config.getoption("--target")
        chosen = [(named, False)] if named else [("sim", False), ("lava", True)]
        metafunc.parametrize(("target", "few"), chosen, ids=[name for name, _ in chosen])
