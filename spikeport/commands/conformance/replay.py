"""One recorded layer against our own run of it: axes, conventions, and `==` on every value."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.conformance.recordings import Recordings
from spikeport.commands.conformance.row import Row
from spikeport.errors import FileError
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim import Trace, simulate
from spikeport.sim.convention import Convention, InputConvention

CHIP, UNKNOWN, SLAYER = "chip recording", "recording", "SLAYER"
QUICK_STEPS = 200


def run(program: Program, x: NDArray[Any]) -> Mapping[str, Trace]:
    """Every group's trace on one sample `(T, *shape)`."""
    result = simulate(program, integers(x)[:, None], record=[g.name for g in program.groups])
    return {name: Trace({k: x[:, 0] for k, x in t.state.items()}, t.s[:, 0]) for name, t in result.traces.items()}


def row(
    recordings: Recordings,
    trace: Trace,
    name: str,
    files: Mapping[str, str],
    against: str,
    *conventions: Convention | InputConvention,
    steps: int | None = None,
    run: str = "",
) -> Row:
    """One layer's recorded variables, by suffix of their files, against our trace."""
    for convention in conventions:
        trace = convention.apply(trace) if isinstance(convention, Convention) else trace
    values = differing = 0
    for variable, suffix in files.items():
        recorded = in_our_order(recordings.array(name + suffix))[:steps]
        ours = (trace.s if variable == "s" else trace.state[variable])[: len(recorded)]
        if ours.shape != recorded.shape:
            got, limit = recorded.shape, ours.shape
            raise FileError(name + suffix, "recording's shape", got=got, relation="is not the network's", limit=limit)
        values += recorded.size
        differing += int((ours != recorded).sum())
    whole = "" if steps is None else f", {steps:,} steps"
    return Row(f"{name}: {', '.join(files)}{whole}", against, values, differing, conventions, run)


def in_our_order(x: NDArray[Any]) -> NDArray[Any]:
    """(T, x, y, c) to (T, c, y, x); SLAYER's (T, 1, c, y, x) loses its batch; (T, n) stays."""
    if x.ndim == 5:
        return x[:, 0]
    return x.transpose(0, 3, 2, 1) if x.ndim == 4 else x


def integers(x: NDArray[Any]) -> Ints:
    whole = np.asarray(x).astype(np.int64)
    if not np.array_equal(whole, x):
        raise FileError("recording", "values", relation="are not", limit="integers")
    return whole
