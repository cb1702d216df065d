"""A run comes back as it was saved; a file that is not ours is refused and nothing in it runs."""

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from spikeport.errors import FileError, InputError
from spikeport.train import Epoch, load_data, load_run, model_of, predict, save_run
from spikeport.train.recipe import parse_recipe

RECIPE = """
[data]
name = "digits"
[model]
name = "small_conv"
steps = 2
neuron = "alif"
channels = [1, 2]
votes = 1
[train]
epochs = 1
batch = 50
learning_rate = 1e-3
seed = 3
"""


@pytest.fixture(scope="module")
def model() -> torch.nn.Sequential:
    return model_of(parse_recipe("tiny", RECIPE), load_data("digits"))


@pytest.fixture
def run(tmp_path: Path, model: torch.nn.Sequential) -> Path:
    save_run(tmp_path / "run", parse_recipe("tiny", RECIPE), model, [Epoch(1, 0.5, 0.25)])
    return tmp_path / "run"


def refused(run: Path) -> FileError:
    before = sorted(run.rglob("*"))
    with pytest.raises(FileError) as caught:
        load_run(run)
    assert sorted(run.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_run_comes_back_as_it_was_saved(run: Path, model: torch.nn.Sequential) -> None:
    recipe, data, loaded = load_run(run)
    assert recipe.text == RECIPE
    assert data.name == "digits"
    assert not loaded.training
    saved = model.state_dict()
    assert loaded.state_dict().keys() == saved.keys()
    assert all(torch.equal(tensor, saved[name]) for name, tensor in loaded.state_dict().items())


def test_a_run_is_named_by_a_text_too(run: Path) -> None:
    _, data, model = load_run(str(run))
    images = data.test.images[:3]
    assert predict(model, torch.from_numpy(images)).tolist() == predict(model, images).tolist()
    assert predict(model, images[:0]).tolist() == []


def test_a_run_is_four_files(run: Path) -> None:
    assert sorted(os.listdir(run)) == ["history.json", "log.csv", "recipe.toml", "weights.pt"]
    (epoch,) = json.loads((run / "history.json").read_text())
    assert (epoch["number"], epoch["loss"], epoch["accuracy"], epoch["layers"]) == (1, 0.5, 0.25, [])


def test_a_run_that_cannot_be_written_leaves_nothing(tmp_path: Path, model: torch.nn.Sequential) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileError) as caught:
        save_run(tmp_path / "file" / "run", parse_recipe("tiny", RECIPE), model, [])
    assert str(caught.value) == (
        f"{tmp_path}/file/run: cannot be written (Not a directory); choose a folder that you may write to"
    )
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_leaves_no_half_file(
    tmp_path: Path, model: torch.nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileError, match="No space left on device"):
        save_run(tmp_path, parse_recipe("tiny", RECIPE), model, [])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["recipe.toml", "weights.pt"])
def test_a_folder_that_is_no_run_says_what_it_lacks(run: Path, name: str) -> None:
    (run / name).unlink()
    assert str(refused(run)) == f"{run}: lacks {name}; make a run with: spikeport train RECIPE -o RUN"


def test_a_damaged_recipe_is_refused(run: Path) -> None:
    (run / "recipe.toml").write_bytes(b"\xff\xfe")
    assert refused(run).what == "is not a readable text file"
    (run / "recipe.toml").write_text("[data")
    with pytest.raises(InputError, match="is not TOML"):
        load_run(run)


# ---------------------------------------------------------------- hostile and damaged weights


class Touch:
    """Unpickled freely, it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.path),)


def as_pickle(hostile: Touch) -> bytes:
    return pickle.dumps(hostile)


def as_legacy(hostile: Touch) -> bytes:
    buffer = io.BytesIO()
    torch.save(hostile, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def as_zip(hostile: Touch) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.zeros(2), "hostile": hostile}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("write", [as_pickle, as_legacy, as_zip])
def test_a_checkpoint_that_would_run_code_does_not(run: Path, tmp_path: Path, write: Callable[[Touch], bytes]) -> None:
    trap = tmp_path / "sprung"
    (run / "weights.pt").write_bytes(write(Touch(trap)))
    with pytest.raises(FileExistsError):  # the trap works: freely unpickled, it would have made this folder
        trap.mkdir()
        torch.load(run / "weights.pt", weights_only=False)
    trap.rmdir()

    error = refused(run)
    assert error.where == str(run / "weights.pt")
    assert error.what == "is not a checkpoint of tensors"
    assert error.do == "nothing in it was executed; train again"
    assert not trap.exists()


def test_a_truncated_checkpoint_is_refused_wherever_it_ends(run: Path) -> None:
    data = (run / "weights.pt").read_bytes()
    for end in [0, 1, 2, 3, 10, *range(50, len(data), len(data) // 60), len(data) - 1]:
        (run / "weights.pt").write_bytes(data[:end])
        assert refused(run).where == str(run / "weights.pt")


def test_a_checkpoint_with_damaged_entries_is_refused(run: Path) -> None:
    """Bytes of the pickle inside the archive, one at a time."""
    with zipfile.ZipFile(run / "weights.pt") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = next(n for n in entries if n.endswith("data.pkl"))
    whole = entries[name]
    for position in range(0, len(whole), 23):
        entries[name] = whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
        with zipfile.ZipFile(run / "weights.pt", "w") as archive:
            for entry, content in entries.items():
                archive.writestr(entry, content)
        try:
            load_run(run)  # a flipped byte of a hash or of an unused field does no harm
        except FileError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04", b"\x80\x02."], ids=["empty", "text", "zip", "pickle"]
)
def test_a_file_of_another_kind_is_refused(run: Path, content: bytes) -> None:
    (run / "weights.pt").write_bytes(content)
    assert refused(run).what == "is not a checkpoint of tensors"


# ---------------------------------------------------------------- tensors, but not these

State = dict[str, Any]


def without_a_key(state: State) -> object:
    del state["0.main.synapse.weight"]
    return state


def with_another_key(state: State) -> object:
    return state | {"more": torch.zeros(1)}


def in_a_list(state: State) -> object:
    return list(state.values())


def changed(change: Callable[[Tensor], object]) -> Callable[[State], object]:
    return lambda state: state | {"0.main.synapse.weight": change(state["0.main.synapse.weight"])}


NOT_OURS = "is not a checkpoint of this recipe (0.main.synapse.weight); train again"
FOREIGN: dict[str, tuple[Callable[[State], object], str]] = {
    "key missing": (without_a_key, "is not a checkpoint of this recipe; train again"),
    "key too many": (with_another_key, "is not a checkpoint of this recipe; train again"),
    "no table": (in_a_list, "is not a checkpoint of this recipe; train again"),
    "shape": (
        changed(lambda w: w[:, :, :2]),
        NOT_OURS,
    ),
    "type": (changed(lambda w: w.double()), NOT_OURS),
    "no tensor": (changed(lambda w: 1.5), NOT_OURS),
    "NaN": (changed(lambda w: w * float("nan")), "0.main.synapse.weight holds NaN or infinity; train again"),
    "infinity": (changed(lambda w: w / 0), "0.main.synapse.weight holds NaN or infinity; train again"),
}


@pytest.mark.parametrize(("change", "message"), FOREIGN.values(), ids=FOREIGN)
def test_tensors_of_another_network_are_refused(run: Path, change: Callable[[State], object], message: str) -> None:
    state = dict(torch.load(run / "weights.pt", weights_only=True))
    torch.save(change(state), run / "weights.pt")
    assert str(refused(run)) == f"{run}/weights.pt: {message}"
