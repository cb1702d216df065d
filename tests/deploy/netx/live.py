"""One run of a Program beside lava-dl's run of its file, value by value."""

from pathlib import Path

import numpy as np

from spikeport.deploy.netx import NetxArguments
from spikeport.deploy.netx.lava_dl import LavaDlJob, LavaDlLayer
from spikeport.fixed import Ints
from spikeport.program import Program, SigmaDelta
from spikeport.sim import simulate
from spikeport.sim.reference import encode

STEPS = 40


def has_delta_input(program: Program) -> bool:
    first = program.groups[0]
    return isinstance(first, SigmaDelta) and first.stage == "delta"


def job(program: Program, path: Path, arguments: NetxArguments, x: Ints) -> LavaDlJob:
    """The file on the input `(T, *shape)`; of an input layer whose bias the host loads, `x[0]` is the image."""
    if not program.encoders:
        # Our delta neurons hear their input through a connection, a step after lava-dl's.
        late = np.concatenate([np.zeros_like(x[:1]), x]) if has_delta_input(program) else x
        return LavaDlJob(path, arguments, STEPS, spikes=late)
    shape = program.groups[0].shape
    mantissas = encode(program.encoders[0], x[:1].reshape(1, -1), program.inputs[0].shape, shape)
    return LavaDlJob(path, arguments, STEPS, bias_mant=mantissas.reshape(shape))


def differing(program: Program, x: Ints, layers: tuple[LavaDlLayer, ...]) -> tuple[int, int]:
    """Values that differ, and what was sent but 0: every layer at every step, and its state after the last."""
    x = np.concatenate([x, np.repeat(x[-1:], STEPS, 0)])[: STEPS - program.latency] if program.encoders else x
    traces = simulate(program, x[: STEPS - program.latency, None], record=[g.name for g in program.groups]).traces
    wrong = fired = 0
    for g, layer in zip(program.groups, layers, strict=True):
        trace = traces[g.name]
        wrong += int((layer.s.reshape(STEPS, -1) != trace.s.reshape(STEPS, -1)).sum())
        for name in g.variables:
            wrong += int((layer.state[name].reshape(-1) != trace.state[name][-1].reshape(-1)).sum())
        fired += int((layer.s != 0).sum())
    return wrong, fired
