"""A session by hand: when an answer comes, what it holds, and how a stream is read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.errors import InputError
from spikeport.sim import Events, Session
from spikeport.sim.simulate import Engine
from tests.sim.sessions import ENGINES, pictures, relay, steps_of


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_comes_when_it_is_there_with_the_number_of_its_step(engine: Engine) -> None:
    session = Session(relay(), engine=engine)
    found = [session.push(steps_of(s)) for s in ((1, 0), (0, 0), (0, 1), (1, 1))]
    found.append(session.flush())
    assert [(p.first, p.steps) for p in found] == [(0, 0), (0, 0), (0, 1), (1, 1), (2, 2)]
    assert [p.outputs["y"].tolist() for p in found] == [[], [], [[[1, 0]]], [[[0, 0]]], [[[0, 1]], [[1, 1]]]]
    assert [len(p.events("y")) for p in found] == [0, 0, 1, 0, 3] and found[0].events("y").steps == 0
    assert session.tallies["y"].total.tolist() == [[2, 2]] and session.tallies["y"].steps == 4


def test_events_in_are_events_out_and_feed_another_session() -> None:
    first, second = Session(relay(), 3), Session(relay(), 3)
    events = Events(5, [0, 3, 3], [1, 0, 1], [2, 0, 1])
    out = [first.push(events), first.flush()]
    assert [(p.first, p.steps) for p in out] == [(0, 3), (3, 2)]
    found = [(p.first + e.step).tolist() + e.sample.tolist() + e.index.tolist() for p in out for e in [p.events("y")]]
    assert found == [[0, 2, 1], [3, 3, 0, 1, 0, 1]]
    again = [second.push(p.events("y")) for p in out] + [second.flush()]
    total = np.concatenate([p.outputs["y"] for p in again])
    assert [tuple(at) for at in np.argwhere(total)] == [(0, 2, 1), (3, 0, 0), (3, 1, 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_of_a_bias_input_stays_until_the_next(engine: Engine, tmp_path: Path) -> None:
    session = Session(pictures(), engine=engine)

    def v(given: Any) -> Any:
        return session.push(given).outputs["v"][:, 0].tolist()

    assert v({"x": steps_of((0, 0))}) == [[0, 0]]
    assert v({"image": Events(3, [0, 1, 1], [1, 0, 1], value=[5, 9, 6])}) == [[0, 5], [9, 6], [9, 6]]
    assert v({"x": Events(1, [0], [0])}) == [[9, 6]]
    assert v({"x": steps_of((0, 0), (0, 0)), "image": Events(2, [1], [0], value=[1])}) == [[9 + 128, 6], [1, 6]]
    assert v({"image": np.array([[3, 4]])}) == [[3, 4]]
    with pytest.raises(InputError, match=r"input image: value \(101\) is not in \[0, 100\]"):
        v({"image": Events(1, [0], [0], value=[101])})
    session.save(tmp_path / "s.npz")
    session = Session.load(tmp_path / "s.npz", session.program)
    assert v({"x": steps_of((0, 0))}) == [[3, 4]]

    session = Session(session.program, state=session.state)
    with pytest.raises(InputError, match="image: value before the state that was given is not known; push an array"):
        v({"x": steps_of((0, 0))})
    assert v({"x": steps_of((0, 0)), "image": np.array([[[8, 4]]])}) == [[8, 4]]
    assert v({"x": steps_of((0, 0))}) == [[8, 4]]


def test_a_bias_input_without_0_starts_at_its_lowest_value() -> None:
    session = Session(pictures(low=3))
    assert session.push({"x": steps_of((0, 0))}).outputs["v"].ravel().tolist() == [3, 3]


def test_a_stream_gives_what_there_is_and_flushes_at_its_end(rng: np.random.Generator) -> None:
    x = (rng.random((20, 1, 2)) < 0.5).astype(np.uint8)
    taken = []

    def source() -> Iterator[np.ndarray]:
        for step in x:
            taken.append(len(taken))
            yield step

    with Session(relay()) as session:
        pieces = []
        for piece in session.stream(source()):
            pieces.append(piece)
            if len(pieces) == 1:
                assert len(taken) == 3  # the first answer comes before the source is read further
    assert all(piece.steps for piece in pieces) and len(pieces) == 19
    assert np.array_equal(np.concatenate([p.outputs["y"] for p in pieces]), x)
    with pytest.raises(InputError, match="session: is closed; reset"):
        session.push(x)


def test_a_stream_of_nothing_has_no_answer() -> None:
    assert list(Session(relay()).stream([])) == []


def test_what_is_handed_out_is_never_written_again(rng: np.random.Generator) -> None:
    x = (rng.random((20, 1, 2)) < 0.5).astype(np.uint8)
    session = Session(relay(), record=["a", "b"])
    pieces = [session.push(step) for step in x]
    copies = [(p.outputs["y"].copy(), p.traces["b"].s.copy(), p.traces["a"].v.copy()) for p in pieces]
    session.reset()
    for step in 1 - x:
        session.push(step)
    for piece, (y, s, v) in zip(pieces, copies, strict=True):
        assert np.array_equal(piece.outputs["y"], y)
        assert np.array_equal(piece.traces["b"].s, s) and np.array_equal(piece.traces["a"].v, v)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_reset_is_a_new_session(engine: Engine) -> None:
    session = Session(relay(), engine=engine)
    x = steps_of((1, 1), (1, 0), (1, 0))
    once = [session.push(x), session.flush()]
    session.reset()
    again = [session.push(x), session.flush()]
    for a, b in zip(once, again, strict=True):
        assert a.first == b.first and np.array_equal(a.outputs["y"], b.outputs["y"])
    assert session.tallies["y"].total.tolist() == [[3, 1]]


def test_tallies_of_a_long_stream_are_those_of_the_whole(rng: np.random.Generator) -> None:
    x = (rng.random((300, 2, 2)) < 0.4).astype(np.uint8)
    session = Session(relay(), 2)
    for k in range(0, 300, 7):
        session.push(x[k : k + 7])
        done = min(k + 7, 300) - 2
        assert session.tallies["y"].total.tolist() == x[:done].sum(axis=0).tolist()
    assert sum(len(p["y"]) for p in session._pending) < 64
