"""Every name that a user can import from the package or one of its parts is in the API reference."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
SHOWN = {
    name
    for page in REFERENCE.glob("*.rst")
    for name in re.findall(r"^\.\. auto(?:class|function|data|exception):: (\S+)$", page.read_text(), re.MULTILINE)
}
NEED_TORCH = {"spikeport.train", "spikeport.export"}


@pytest.mark.parametrize(
    "part", ["spikeport", "spikeport.train", "spikeport.export", "spikeport.deploy", "spikeport.sim"]
)
def test_each_public_name_is_shown(part: str) -> None:
    if part in NEED_TORCH:
        pytest.importorskip("torch")
    module = importlib.import_module(part)
    reexported = set(re.findall(r" as (\w+)$", inspect.getsource(module), re.MULTILINE))
    assert reexported
    assert {f"{part}.{name}" for name in reexported} - SHOWN == set()


def test_each_name_that_is_shown_exists() -> None:
    """Without Sphinx, which says the same much later."""
    pytest.importorskip("torch")
    lost = []
    for name in SHOWN:
        module, _, attribute = name.rpartition(".")
        if not hasattr(importlib.import_module(module), attribute):
            lost.append(name)
    assert lost == []
