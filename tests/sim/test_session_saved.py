"""A session in a file: what goes on from it, and what is no such file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.errors import FileError
from spikeport.sim import Session, load_state, save_state, simulate
from tests.sim.sessions import relay, steps_of


def test_simulate_goes_on_from_a_saved_session_and_a_session_from_a_saved_run(tmp_path: Path) -> None:
    x = steps_of((1, 0), (1, 1), (0, 1), (1, 0), (0, 0), (1, 1))
    session = Session(relay())
    first = session.push(x[:3])
    session.save(tmp_path / "s.npz")
    rest = simulate(relay(), x[3:], state=load_state(tmp_path / "s.npz", relay()))
    assert np.array_equal(np.concatenate([first.outputs["y"], rest.spikes]), x)

    state = simulate(relay(), x[:3], flush=False).state
    assert state is not None
    session = Session(relay(), state=state)
    pieces = [session.push(x[3:]), session.flush()]
    assert pieces[0].first == 1
    assert np.array_equal(np.concatenate([p.outputs["y"] for p in pieces]), x[1:])
    session = Session(relay(), state=state)  # the state is as it was
    assert np.array_equal(session.push(x[3:]).outputs["y"], pieces[0].outputs["y"])
    save_state(state, tmp_path / "s.npz")
    session = Session.load(tmp_path / "s.npz", relay())
    assert np.array_equal(session.push(x[3:]).outputs["y"], pieces[0].outputs["y"])


def test_a_session_is_itself_again(tmp_path: Path) -> None:
    session = Session(relay(), 2, profile="lava", engine="reference", record=["b"])
    session.push(np.ones((4, 2, 2), int))
    session.save(tmp_path / "s.npz")
    again = Session.load(tmp_path / "s.npz", relay())
    assert (again.batch, again.profile, again.record, again.t) == (2, "lava", ("b",), 4)
    assert again.state.engine == "reference"
    assert again.tallies["y"].total.tolist() == [[2, 2], [2, 2]]


def test_a_damaged_session_is_one_clear_line(tmp_path: Path) -> None:
    path, session = tmp_path / "s.npz", Session(relay())
    session.push(steps_of((1, 0), (1, 0), (0, 0)))
    session.save(path)
    whole = path.read_bytes()
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    damages: list[dict[str, Any]] = [
        {"further/profile": np.array("none")},
        {"further/tallies/y": np.zeros((3, 1, 5), np.int64)},
        {"further/tallies/z": np.zeros((3, 1, 2), np.int64)},
        {"further/steps/y": np.array("x")},
        {"further/held/x": np.zeros((1, 2), np.int64)},
        {"further/record/z": np.zeros(0, np.int64)},
        {"further/cleared": np.array("x")},
    ]
    for damage in damages:
        np.savez(path, **(arrays | damage))
        with pytest.raises(FileError, match="s.npz: is damaged"):
            Session.load(path, relay())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="is not a state"):
        Session.load(path, relay())
    path.write_bytes(whole)
    with pytest.raises(FileError, match="is a state of another Program"):
        Session.load(path, relay(latency=1))
    with pytest.raises(FileError, match="cannot be written"):
        session.save(tmp_path / "none" / "s.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["s.npz"]
