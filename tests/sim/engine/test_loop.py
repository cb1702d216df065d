"""The engine's loop on small Programs that do not change from run to run, against the reference, value by value.

`test_run.py` draws many; these few run as plain Python too (`NUMBA_DISABLE_JIT`), for `tests/mutation`.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.program import Program
from spikeport.sim import reference
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.engine.run import EventEngine
from spikeport.sim.random_programs import KINDS
from tests.sim.engine.test_run import (
    assert_equal,
    assert_same_state,
    by_engine,
    by_reference,
    drawn,
    outcome,
    watched_everywhere,
)

CASES = [(seed, kind) for seed, kind in enumerate(sorted(KINDS) * 3)] + [(100 + k, "any") for k in range(9)]


@pytest.mark.parametrize(("seed", "kind"), CASES)
def test_a_small_program_of_each_kind(seed: int, kind: str) -> None:
    """Its states, what it sends, where it stands in the end, and the synapses that were counted; in two calls."""
    program, x = drawn(seed, set(KINDS) if kind == "any" else {kind}, steps=5, batch=2)
    engine = EventEngine(program, 1)
    state = engine.start(2)
    whole, end = by_reference(program, x, 7)

    first = by_engine(engine, state, x, 3)
    second = by_engine(engine, state, {name: values[3:] for name, values in x.items()}, 4)

    assert_equal({key: np.concatenate([values, second[key]]) for key, values in first.items()}, whole)
    assert_same_state(engine.as_reference(state), end)

    sops = engine.run(engine.start(2), x, 5, strict=False).sops
    assert np.array_equal(sops, counted(program, x, whole))

    program = watched_everywhere(program)
    engine = EventEngine(replace(program, profile="strict"), 1)
    want = outcome(lambda: reference.run(program, x, 5, lambda *_: None, "strict"))
    assert outcome(lambda: engine.run(engine.start(2), x, 5, strict=True)) == want


def counted(program: Program, x: dict[str, np.ndarray], traces: dict[tuple[str, str], np.ndarray]) -> np.ndarray:
    """Synapses that each sample's spikes of 5 steps reach, by connection."""
    sent = {**x, **{g.name: traces[g.name, "sent"][:5] for g in program.groups}}
    reached = [fan_out(c, program.shape_of(c.source)) for c in program.connections]
    return np.stack(
        [((sent[c.source] != 0) * n).sum((0, 2)) for c, n in zip(program.connections, reached, strict=True)], 1
    )
