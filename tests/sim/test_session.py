"""A session's pieces, one after the other, are the run in one; whatever the cuts, the engine and the profile."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.errors import FileError, InputError, OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.sim import Events, Result, Session, Streamed, load_state, save_state, simulate
from spikeport.sim.address_events import events_of
from spikeport.sim.decide import tally
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.simulate import Engine
from spikeport.sim.steps import EventSteps
from tests.sim.test_simulate import OF_NUMPY

ENGINES = ["reference", "events"]


def drawn(seed: int, steps: int, **kinds: Any) -> tuple[Program, dict[str, Ints]]:
    """A random Program with every group as an output, and the v of each LIF."""
    program, inputs = random_program(np.random.default_rng(seed), steps=steps, **kinds)
    outputs = [Output(f"s_{g.name}", g.name, classes=g.shape[0]) for g in reversed(program.groups)]
    outputs += [Output(f"v_{g.name}", g.name, reads="v") for g in program.groups if isinstance(g, LIF)]
    return replace(program, outputs=tuple(outputs)), inputs


def cut(x: Ints, kind: str, form: str) -> Any:
    """A piece of one input in the form in which it is pushed."""
    if form == "array" or kind == "bias":
        return x[0] if form == "step" and len(x) == 1 else x
    return events_of(x)


def run_in_pieces(
    session: Session, inputs: Mapping[str, Ints], edges: list[int], form: str, saves: set[int]
) -> list[Streamed]:
    program, pieces = session.program, []
    kinds = {i.name: i.kind for i in program.inputs}
    for first, last in zip(edges, edges[1:], strict=False):
        if first in saves:
            with TemporaryDirectory() as folder:
                session.save(Path(folder) / "s.npz")
                session = Session.load(Path(folder) / "s.npz", program)
        given = {name: cut(x[first:last], kinds[name], form) for name, x in inputs.items()}
        pieces.append(session.push(given if len(given) > 1 else next(iter(given.values()))))
    pieces.append(session.flush())
    same_tallies(session, pieces)
    return pieces


def same_tallies(session: Session, pieces: list[Streamed]) -> None:
    for output in session.program.outputs:
        if not output.classes:
            assert output.name not in session.tallies
            continue
        want = tally(np.concatenate([p.outputs[output.name] for p in pieces]), output.classes)
        if want.steps:
            found = session.tallies[output.name]
            assert found.steps == want.steps
            for name in ("total", "most", "last"):
                assert np.array_equal(getattr(found, name), getattr(want, name))


def assert_same(pieces: list[Streamed], whole: Result) -> None:
    at = t = 0
    for piece in pieces:
        assert piece.first == at and (piece.t == t or not whole.traces)
        for name, x in piece.outputs.items():
            assert len(x) == piece.steps
            assert np.array_equal(x, whole.outputs[name][at : at + piece.steps])
        at += piece.steps
        assert set(piece.traces) == set(whole.traces)
        for name, trace in piece.traces.items():
            want = whole.traces[name]
            for variable, x in {**trace.state, "s": trace.s}.items():
                of = want.s if variable == "s" else want.state[variable]
                assert np.array_equal(x, of[t : t + len(x)])
        t += len(next(iter(piece.traces.values())).s) if piece.traces else 0
    assert at == len(whole.spikes)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    steps=st.integers(1, 14),
    engine=st.sampled_from(ENGINES),
    form=st.sampled_from(["array", "step", "events"]),
    data=st.data(),
)
def test_any_cut_of_any_program_gives_the_run_in_one(
    seed: int, steps: int, engine: Engine, form: str, data: st.DataObject
) -> None:
    program, inputs = drawn(seed, steps, kinds=list(KINDS))
    groups = [g.name for g in program.groups]
    inner = data.draw(st.sets(st.integers(1, steps)))
    edges = sorted({0, steps, *inner})
    saves = data.draw(st.sets(st.sampled_from(edges)))
    session = Session(program, 2, engine=engine, record=groups)

    pieces = run_in_pieces(session, inputs, edges, form, saves)

    assert_same(pieces, simulate(program, inputs, record=groups, engine=engine))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    engine=st.sampled_from(ENGINES),
    profile=st.sampled_from(["strict", "loihi1"]),
    every=st.integers(1, 5),
    saves=st.sets(st.sampled_from(range(12))),
)
def test_the_other_profiles_too_errors_included(
    seed: int, engine: Engine, profile: Any, every: int, saves: set[int]
) -> None:
    program, inputs = drawn(seed, 12, kinds=["lif", "lif"], graded=False)
    if profile == "strict":  # without resets the steps that are watched are all, however long the input
        groups = [replace(g, reset_interval=0, reset_offset=0) for g in program.lifs]
        program = replace(program, groups=tuple(groups))
    names = [g.name for g in program.groups]
    session = Session(program, 2, engine=engine, profile=profile, record=names)
    edges = [*range(0, 12, every), 12]
    try:
        whole = simulate(program, inputs, record=names, engine=engine, profile=profile)
    except OverflowDetected as error:
        with pytest.raises(OverflowDetected) as found:
            run_in_pieces(session, inputs, edges, "array", saves)
        assert (found.value.where, found.value.what, found.value.got) == (error.where, error.what, error.got)
        return
    assert_same(run_in_pieces(session, inputs, edges, "array", saves), whole)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), profile=st.sampled_from(["lava", "strict"]), every=st.integers(1, 5))
def test_the_dense_engine_is_fed_step_by_step_as_well(seed: int, profile: Any, every: int) -> None:
    pytest.importorskip("torch")
    program, inputs = drawn(seed, 10, kinds=["lif"], graded=False)
    names = [g.name for g in program.groups]
    found, want = (
        outcome(Session(program, 2, engine=engine, profile=profile, record=names), inputs, [*range(0, 10, every), 10])
        for engine in ("dense", "reference")
    )
    if isinstance(found, str):
        assert found == want
    else:
        assert_same(found, simulate(program, inputs, record=names, profile=profile))


def outcome(session: Session, inputs: Mapping[str, Ints], edges: list[int]) -> str | list[Streamed]:
    try:
        return run_in_pieces(session, inputs, edges, "array", set())
    except OverflowDetected as error:
        return str(error)


def test_a_saved_session_of_the_dense_engine_goes_on_there_or_by_the_specification(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    session = Session(relay(), engine="dense")
    session.push(steps_of((1, 0), (0, 1)))
    session.save(tmp_path / "s.npz")
    for engine in ("dense", "auto"):
        again = Session.load(tmp_path / "s.npz", relay(), engine=engine)  # type: ignore[arg-type]
        assert again.flush().outputs["y"].tolist() == [[[1, 0]], [[0, 1]]]
    with pytest.raises(InputError, match=r"state: engine \(reference\) is not events"):
        Session.load(tmp_path / "s.npz", relay(), engine="events")


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), engine=st.sampled_from(ENGINES))
def test_delays_of_up_to_62_steps_are_crossed(seed: int, engine: Engine) -> None:
    program, inputs = drawn(seed, 70)
    long = [
        replace(c, delay=fixed.DELAY_MAX) if isinstance(c, Conv) or c.source == "x" else c for c in program.connections
    ]
    program = replace(program, connections=tuple(long))
    try:
        whole = simulate(program, inputs, engine=engine)
    except OverflowDetected:  # where Lava's answer is not defined
        return
    assert_same(run_in_pieces(Session(program, 2, engine=engine), inputs, [*range(0, 70, 7), 70], "array", {35}), whole)


# ---------------------------------------------------------------- by hand


def relay(latency: int = 2, *, profile: Any = "strict") -> Program:
    """`x -> a -> b`: each neuron spikes a step after the one before."""
    groups = [LIF(n, (2,), 4095, 4096, 0, np.zeros(2, int)) for n in "ab"]
    links = [Dense(s, t, 8 * np.eye(2, dtype=int)) for s, t in ("xa", "ab")]
    outputs = (Output("y", "b", classes=2), Output("v", "a", reads="v"))
    return Program(tuple(groups), tuple(links), (Input("x", (2,), "spike"),), outputs, latency=latency, profile=profile)


def steps_of(*spikes: tuple[int, int]) -> np.ndarray:
    return np.array(spikes, np.uint8).reshape(-1, 1, 2)


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


def pictures(low: int = 0) -> Program:
    """A picture's two pixels are the biases of two neurons, beside spikes; v is read, and starts anew each step."""
    group = LIF("g", (2,), 4095, 4096, fixed.VTH_MAX, np.full(2, 7))
    encoder = Encoder(Dense("image", "g", np.eye(2, dtype=int)), np.zeros(2, int))
    inputs = (Input("x", (2,), "spike"), Input("image", (2,), "bias", low, 100))
    links = (Dense("x", "g", 2 * np.eye(2, dtype=int)),)
    return Program((group,), links, inputs, (Output("v", "g", reads="v"),), (encoder,))


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


# ---------------------------------------------------------------- as a stream


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


# ---------------------------------------------------------------- errors


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
        (np.zeros((0, 1, 2), int), "input x: shape ((0, 1, 2)) is not (T, B, 2)"),
        (np.zeros(2, int), "input x: shape ((2,)) is not (T, B, 2)"),
        (np.zeros((1, 1, 2)), "input x: type (float64) is not an integer array; round it to integers first"),
        ([[1, 0]], "input x: type (list) " + OF_NUMPY),
        (None, "input x: type (NoneType) " + OF_NUMPY),
        (np.full((1, 1, 2), 2), "input x: value (2) is not in [0, 1]"),
        ({}, "input: names () are not some of x"),
        ({"z": np.zeros((1, 1, 2), int)}, "input: names (z) are not some of x"),
        (Events(0, [], []), "input x: shape ((0, 1, 2)) is not (T, B, 2)"),
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


# ---------------------------------------------------------------- files


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
