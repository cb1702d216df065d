"""The command that adds an extra names where this copy of spikeport came from."""

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from spikeport.extras import install


def came(monkeypatch: pytest.MonkeyPatch, folder: Path, noted: Mapping[str, Any] | None) -> None:
    """What pip wrote beside the package when it was installed."""
    info = folder / "spikeport-0.1.0.dist-info"
    info.mkdir()
    if noted is not None:
        (info / "direct_url.json").write_text(json.dumps(noted))
    monkeypatch.setattr(metadata, "distribution", lambda name: metadata.PathDistribution(info))


def test_from_a_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    came(monkeypatch, tmp_path, None)
    assert install("train") == "pip install 'spikeport[train]'"


def test_from_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checkout = tmp_path / "a b"
    checkout.mkdir()
    came(monkeypatch, tmp_path, {"url": checkout.as_uri(), "dir_info": {}})
    assert install("lava") == f"pip install '{checkout}[lava]'"


def test_from_a_folder_that_can_be_edited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    came(monkeypatch, tmp_path, {"url": tmp_path.as_uri(), "dir_info": {"editable": True}})
    assert install("train") == f"pip install -e '{tmp_path}[train]'"


def test_from_a_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = tmp_path / "spikeport-0.1.0-py3-none-any.whl"
    wheel.touch()
    came(monkeypatch, tmp_path, {"url": wheel.as_uri(), "archive_info": {}})
    assert install("events") == f"pip install '{wheel}[events]'"


def test_from_a_folder_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    came(monkeypatch, tmp_path, {"url": (tmp_path / "gone").as_uri(), "dir_info": {}})
    assert install("train") == "pip install 'spikeport[train]'"


def test_from_a_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    noted = {"url": "https://host.example/spikeport.git", "vcs_info": {"vcs": "git", "commit_id": "0123abcd"}}
    came(monkeypatch, tmp_path, noted)
    assert install("train") == "pip install 'spikeport[train] @ git+https://host.example/spikeport.git@0123abcd'"


def test_not_installed_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", none)
    assert install("train") == "pip install 'spikeport[train]'"
