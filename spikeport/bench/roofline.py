"""The machine's own rate at what a dense layer does, and what share of it the engine reaches.

The engine's rates are those of whole runs: events are listed and neurons stepped as well.
"""

from typing import Any

import numpy as np
from numba import njit

from spikeport.bench.cases import SEED, Case, bernoulli, delivered, mlp
from spikeport.bench.engine import prepare
from spikeport.bench.timing import interleave
from spikeport.program import LIF, Conv, Input, Output, Program
from spikeport.sim.simulate import simulate

ROWS, WIDTH = 512, 1024  # half a megabyte of weights: they stay in L2, the sums in L1


@njit
def stream(acc, weight):  # type: ignore[no-untyped-def]
    """acc[i] += w[i], row after row: int32 plus int8."""
    for r in range(weight.shape[0]):
        row = weight[r]
        for i in range(acc.size):
            acc[i] += row[i]


@njit
def stream4(acc, weight):  # type: ignore[no-untyped-def]
    """The same sums, four rows added up as int16 before they reach the accumulator: less traffic for each synapse."""
    for r in range(0, weight.shape[0], 4):
        a, b, c, d = weight[r], weight[r + 1], weight[r + 2], weight[r + 3]
        for i in range(acc.size):
            acc[i] += np.int32(np.int16(np.int16(np.int16(a[i]) + b[i]) + np.int16(np.int16(c[i]) + d[i])))


def roofline(*, repeats: int, seconds: float, steps: int = 50) -> dict[str, Any]:
    """Rates in synaptic operations per second, one thread; shares of the stream's rate."""
    rng = np.random.default_rng(SEED)
    acc, weight = np.zeros(WIDTH, np.int32), rng.integers(-127, 128, (ROWS, WIDTH)).astype(np.int8)
    layers = {f"dense at {rate:.0%}": _dense(steps, rate) for rate in (0.1, 0.5)}
    layers |= {f"convolution at {rate:.0%}": _conv(steps, rate) for rate in (0.1, 0.5)}
    runs = {"stream": lambda: stream(acc, weight), "stream, four rows at once": lambda: stream4(acc, weight)}
    work = dict.fromkeys(runs, ROWS * WIDTH)
    for name, case in layers.items():
        run, x = prepare(case.program), case.inputs(1)
        runs[name] = lambda run=run, x=x: run(x)  # type: ignore[misc]
        work[name] = delivered(case.program, simulate(case.program, case.spikes).sent)
    timings = interleave(runs, repeats=repeats, seconds=seconds)
    rates = {name: work[name] / timing.best for name, timing in timings.items()}
    return {
        name: {"sops": work[name], **timings[name].to_json(), "sops_per_s": rate, "share": rate / rates["stream"]}
        for name, rate in rates.items()
    }


def _dense(steps: int, rate: float) -> Case:
    """One dense layer 784 x 800, whose weights fit L2 as well."""
    return mlp(steps=steps, batch=1, rate=rate, sizes=(784, 800))


def _conv(steps: int, rate: float) -> Case:
    """PilotNet's third convolution: 36 to 48 channels of 3 x 3, stride 2."""
    rng = np.random.default_rng(SEED)
    shape = (36, 15, 49)
    conv = Conv("x", "lif1", 2 * rng.integers(-127, 128, (48, 36, 3, 3)), stride=(2, 2))
    out = conv.output_shape(shape)
    group = LIF("lif1", out, du=4095, dv=512, vth=2000, bias_mant=np.zeros(out, np.int16))
    program = Program((group,), (conv,), (Input("x", shape, "spike"),), (Output("y", "lif1"),), latency=1)
    return Case("convolution", program, bernoulli(rng, rate, (steps, 1, *shape)))
