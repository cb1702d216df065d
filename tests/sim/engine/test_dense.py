"""The dense engine equals the event engine, and so the reference, in every value."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.errors import OverflowDetected
from spikeport.sim import reference
from spikeport.sim.engine.run import EventEngine
from spikeport.sim.random_programs import random_program

dense = pytest.importorskip("spikeport.sim.engine.dense", reason="needs torch", exc_type=ImportError)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 12), batch=st.integers(1, 4))
def test_equals_the_event_engine(seed: int, steps: int, batch: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=["lif"], graded=False, steps=steps, batch=batch)
    x = {name: values.reshape(steps, batch, -1).astype(np.int64) for name, values in inputs.items()}
    names = [g.name for g in program.groups]
    events = EventEngine(program, 1)

    want = events.run(events.start(batch), x, steps, strict=False, spikes=names, states=names)
    engine = dense.DenseEngine(program)
    got, _ = engine.run(engine.start(batch), x, steps, strict=False, spikes=names, states=names)

    for name in names:
        assert np.array_equal(got.sent[name], want.sent[name])
        for variable in ("u", "v"):
            assert np.array_equal(got.states[name][variable], want.states[name][variable])
    assert np.array_equal(got.sops, want.sops)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_overflows_are_reported_as_the_reference_does(seed: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=["lif"], graded=False, steps=8, batch=2)
    x = {name: values.reshape(8, 2, -1).astype(np.int64) for name, values in inputs.items()}
    offsets = [g.reset_offset + g.reset_interval * (program.latency + 2) for g in program.lifs]
    groups = tuple(replace(g, reset_offset=at) for g, at in zip(program.lifs, offsets, strict=True))
    program = replace(program, groups=groups)  # the same resets, but no step lies outside a sample
    engine = dense.DenseEngine(replace(program, profile="strict"))

    try:
        reference.run(program, x, 8, lambda *_: None, "strict")
    except OverflowDetected as error:
        with pytest.raises(OverflowDetected) as found:
            engine.run(engine.start(2), x, 8, strict=True)
        assert str(found.value) == str(error)
    else:
        engine.run(engine.start(2), x, 8, strict=True)
