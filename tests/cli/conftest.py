"""What the commands make of the tiny recipe, made once."""

from pathlib import Path

import pytest

from tests.cli.tiny import make_all


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tiny.toml, run, net.nir, x.npz and net.h5; nobody writes into it."""
    folder = tmp_path_factory.mktemp("made")
    make_all(folder)
    return folder
