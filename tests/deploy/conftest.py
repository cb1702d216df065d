"""Files by the thousand: the reader's child without its start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spikeport.deploy.reader import guard
from tests.deploy.reader.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture
def forked(server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files are read by forks of one process that has h5py loaded."""
    monkeypatch.setattr(guard, "run", server.run)
    return server.out
