"""Small networks for sessions, and a run in pieces held to the run in one."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.program import LIF, Dense, Encoder, Input, Output, Program
from spikeport.sim import Result, Session, Streamed
from spikeport.sim.address_events import events_of
from spikeport.sim.decide import tally

ENGINES = ["reference", "events"]


def relay(latency: int = 2, *, profile: Any = "strict") -> Program:
    """`x -> a -> b`: each neuron spikes a step after the one before."""
    groups = [LIF(n, (2,), 4095, 4096, 0, np.zeros(2, int)) for n in "ab"]
    links = [Dense(s, t, 8 * np.eye(2, dtype=int)) for s, t in ("xa", "ab")]
    outputs = (Output("y", "b", classes=2), Output("v", "a", reads="v"))
    return Program(tuple(groups), tuple(links), (Input("x", (2,), "spike"),), outputs, latency=latency, profile=profile)


def steps_of(*spikes: tuple[int, int]) -> np.ndarray:
    return np.array(spikes, np.uint8).reshape(-1, 1, 2)


def pictures(low: int = 0) -> Program:
    """A picture's two pixels are the biases of two neurons, beside spikes; v is read, and starts anew each step."""
    group = LIF("g", (2,), 4095, 4096, fixed.VTH_MAX, np.full(2, 7))
    encoder = Encoder(Dense("image", "g", np.eye(2, dtype=int)), np.zeros(2, int))
    inputs = (Input("x", (2,), "spike"), Input("image", (2,), "bias", low, 100))
    links = (Dense("x", "g", 2 * np.eye(2, dtype=int)),)
    return Program((group,), links, inputs, (Output("v", "g", reads="v"),), (encoder,))


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
