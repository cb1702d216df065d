"""A checkpoint comes back whole; what is not one is refused, and nothing in it runs."""

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from spikeport.errors import FileError
from spikeport.train import Epoch
from spikeport.train.loop.checkpoint import State, load_state, read_table, save_state
from spikeport.train.loop.distributed import single


def parts() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    model, optimizer = parts()
    best = {"epoch": 1, "selected": 0.5, "weights": {name: t.clone() for name, t in model.state_dict().items()}}
    state = State(torch.arange(4.0, dtype=torch.float64), 2, 7, 1.5, [Epoch(1, 0.5, 0.25), Epoch(2, 0.4, 0.5)], best)
    save_state(tmp_path / "checkpoint.pt", "tiny", state, model, optimizer, single())
    return tmp_path / "checkpoint.pt"


def test_a_checkpoint_comes_back_as_it_was(path: Path) -> None:
    model, optimizer = parts()
    other = nn.Linear(3, 2)
    its = torch.optim.Adam(other.parameters(), lr=0.3)
    state = load_state(path, other, its, single())
    assert (state.epoch, state.step, state.seconds) == (2, 7, 1.5)
    assert state.history == [Epoch(1, 0.5, 0.25), Epoch(2, 0.4, 0.5)]
    assert state.sums.tolist() == [0, 1, 2, 3] and state.sums.dtype == torch.float64
    assert (state.best["epoch"], state.best["selected"]) == (1, 0.5)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])
        assert torch.equal(tensor, state.best["weights"][name])
    for mine, theirs in zip(optimizer.state.values(), its.state.values(), strict=True):
        assert all(torch.equal(mine[key], theirs[key]) for key in ("step", "exp_avg", "exp_avg_sq"))
    assert its.param_groups[0]["lr"] == 0.1
    assert read_table(path)["recipe"] == "tiny"


class Touch:
    """Unpickled freely, it creates a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_would_run_code_does_not(path: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    hostile = io.BytesIO()
    torch.save(torch.load(path, weights_only=True) | {"best": Touch(trap)}, hostile)
    for content in (hostile.getvalue(), pickle.dumps(Touch(trap))):
        path.write_bytes(content)
        with pytest.raises(FileError) as caught:
            read_table(path)
        assert caught.value.what == "is not a checkpoint"
        assert not trap.exists()


def test_a_truncated_checkpoint_is_refused_wherever_it_ends(path: Path) -> None:
    data = path.read_bytes()
    for end in [0, 1, 10, *range(50, len(data), len(data) // 20), len(data) - 1]:
        path.write_bytes(data[:end])
        with pytest.raises(FileError):
            read_table(path)


@pytest.mark.parametrize(
    "change",
    [{"format": 1}, {"epoch": 1.0}, {"sums": [1]}, {"more": 1}, {"history": {}}],
    ids=lambda x: next(iter(x)),
)
def test_a_checkpoint_of_another_form_is_refused(path: Path, change: dict[str, object]) -> None:
    torch.save(torch.load(path, weights_only=True) | change, path)
    with pytest.raises(FileError, match="is not a checkpoint of this version; train again"):
        read_table(path)


@pytest.mark.parametrize(
    "change",
    [{"model": {}}, {"optimizer": {}}, {"history": [{}]}, {"history": [1]}, {"optimizer": {"param_groups": []}}],
    ids=str,
)
def test_a_checkpoint_of_another_run_is_refused(path: Path, change: dict[str, object]) -> None:
    torch.save(torch.load(path, weights_only=True) | change, path)
    with pytest.raises(FileError) as caught:
        load_state(path, *parts(), single())
    assert caught.value.what == "is not of this run"
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_is_not_there_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no such file; begin a run with: spikeport train RECIPE -o RUN"):
        read_table(tmp_path / "none.pt")
