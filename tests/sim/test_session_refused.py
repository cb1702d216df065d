"""What a session refuses, and that it then stands where it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport import fixed
from spikeport.errors import InputError, OverflowDetected
from spikeport.program import LIF, Conv, Dense, Input, Output, Program
from spikeport.sim import Events, Session, simulate
from spikeport.sim.simulate import Engine
from spikeport.sim.steps import EventSteps
from tests.sim.sessions import ENGINES, assert_same, pictures, relay, steps_of


def charged() -> Program:
    """Its v leaves 24 bits at the fifth spike in a row."""
    group = LIF("deep", (1,), 4095, 0, fixed.VTH_MAX, np.zeros(1, int))
    link = Dense("x", "deep", np.array([[255]]), weight_exp=7)
    return Program((group,), (link,), (Input("x", (1,), "spike"),), (Output("v", "deep", reads="v"),), latency=1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pieces", [1, 3])
def test_an_overflow_names_layer_and_step_and_the_session_stands_where_it_was(engine: Engine, pieces: int) -> None:
    session = Session(charged(), engine=engine, record=["deep"])
    on, off = np.ones((1, 1, 1), int), np.zeros((1, 1, 1), int)
    first = [session.push(on) for _ in range(3)]
    with pytest.raises(OverflowDetected, match="^deep: v of neuron 0 at step 6 "):
        for _ in range(pieces):
            session.push(np.ones((9 // pieces, 1, 1), int))
    assert session.t == 3
    rest = [session.push(off), session.push(on), session.flush()]
    x = np.array([1, 1, 1, 0, 1]).reshape(5, 1, 1)
    assert_same([*first, *rest], simulate(charged(), x, record=["deep"], engine=engine))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_overflow_of_the_flush_leaves_the_session_open(engine: Engine, tmp_path: Path) -> None:
    session = Session(charged(), engine=engine)
    for _ in range(5):
        session.push(np.ones((1, 1), int))
    with pytest.raises(OverflowDetected, match="at step 6 "):
        session.flush()
    session.save(tmp_path / "s.npz")
    session = Session.load(tmp_path / "s.npz", charged(), profile="lava")
    assert session.flush().outputs["v"].ravel().tolist() == [0]


@pytest.mark.parametrize("engine", ENGINES)
def test_under_lava_the_undefined_sum_leaves_the_session_where_it_was(engine: Engine) -> None:
    """A convolution beyond 32 bits."""
    group = LIF("g", (1, 1, 1), 4095, 4096, 5, np.zeros((1, 1, 1), int))
    conv = Conv("x", "g", np.full((1, 1, 1, 1), 255), weight_exp=7, graded=True)
    program = Program(
        (group,), (conv,), (Input("x", (1, 1, 1), "graded", 0, 2**23 - 1),), (Output("y", "g"),), profile="lava"
    )
    small, large = np.ones((1, 1, 1, 1), int), np.full((1, 1, 1, 1), 2**23 - 1)
    session = Session(program, engine=engine)
    session.push(small)
    with pytest.raises(OverflowDetected, match="g: sum of a convolution"):
        session.push(large)
    assert session.push(small).outputs["y"].ravel().tolist() == [1]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((1, 2, 2), int), "input: batch (2) is not the session's 1"),
        (np.zeros((1, 1, 3), int), "input x: shape ((1, 1, 3)) is not (T, B, 2)"),
        (np.zeros((0, 1, 2), int), "input x: shape ((0, 1, 2)) is not (T, B, 2); give it a step and a sample at least"),
        (np.zeros(2, int), "input x: shape ((2,)) is not (T, B, 2)"),
        (np.zeros((1, 1, 2)), "input x: type (float64) is not an integer array; round it to integers first"),
        ([[1, 0]], "input x: type (list) is not an integer array; round it to integers first"),
        (None, "input x: type (NoneType) is not an integer array; round it to integers first"),
        (np.full((1, 1, 2), 2), "input x: value (2) is not in [0, 1]"),
        ({}, "input: names () are not some of x"),
        ({"z": np.zeros((1, 1, 2), int)}, "input: names (z) are not some of x"),
        (Events(0, [], []), "input x: shape ((0, 1, 2)) is not (T, B, 2); give it a step and a sample at least"),
        (Events(1, [0], [2]), "input x: index of an event (2) is not in [0, 1]"),
        (Events(1, [0], [-1]), "input x: index of an event (-1) is not in [0, 1]"),
        (Events(1, [0], [0], [1]), "input x: sample of an event (1) is not in [0, 0]"),
        (Events(1, [0], [0], value=[2]), "input x: value (2) is not in [0, 1]"),
        (Events(1, [0], [0], value=[-1]), "input x: value (-1) is not in [0, 1]"),
        (Events(1, [0, 0], [1, 1]), "input x: step, sample and index of two events are the same; "
         "put the events of one address and step together"),
    ],
)  # fmt: skip
def test_what_is_no_input_is_refused_in_one_line_and_changes_nothing(given: Any, message: str) -> None:
    session = Session(relay())
    session.push(steps_of((1, 0)))
    with pytest.raises(InputError) as caught:
        session.push(given)
    assert str(caught.value) == message
    rest = [session.push(steps_of((0, 1))), session.flush()]
    assert np.concatenate([p.outputs["y"] for p in rest]).tolist() == [[[1, 0]], [[0, 1]]]


def test_several_inputs_are_given_by_name_and_equally_long() -> None:
    session = Session(pictures())
    with pytest.raises(InputError, match="input: one array or list of events for several inputs; give a mapping"):
        session.push(steps_of((1, 0)))
    with pytest.raises(InputError, match="input: steps and batch .* differ between inputs"):
        session.push({"x": steps_of((1, 0)), "image": Events(2, [], [])})


def test_what_is_no_session_is_refused() -> None:
    for batch in (0, -1, 1.5):
        with pytest.raises(InputError, match="session: batch"):
            Session(relay(), batch)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="record: group"):
        Session(relay(), record=["z"])
    with pytest.raises(InputError, match="engine: name"):
        Session(relay(), engine="fast")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="profile: name"):
        Session(relay(), profile="none")  # type: ignore[arg-type]
    state = Session(relay(), 2).state
    with pytest.raises(InputError, match="state: batch"):
        Session(relay(), state=state)


def test_nothing_is_pushed_into_a_session_that_has_ended(tmp_path: Path) -> None:
    session = Session(relay())
    session.push(steps_of((1, 0)))
    session.flush()
    for use in (
        lambda: session.push(steps_of((1, 0))),
        session.flush,
        lambda: session.save(tmp_path / "s"),
        lambda: session.state,
    ):
        with pytest.raises(InputError, match="session: was flushed; reset"):
            use()
    assert not list(tmp_path.iterdir())
    assert session.tallies["y"].total.tolist() == [[1, 0]]


def test_a_session_that_was_interrupted_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(relay())
    with monkeypatch.context() as patched:
        patched.setattr(EventSteps, "advance", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            session.push(steps_of((1, 0)))
    with pytest.raises(InputError, match="session: was interrupted in the middle of a step; reset"):
        session.push(steps_of((1, 0)))
    session.reset()
    assert session.push(steps_of((1, 0), (0, 0), (0, 0))).outputs["y"].tolist() == [[[1, 0]]]
