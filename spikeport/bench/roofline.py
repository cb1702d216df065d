"""The machine's own rate at what a dense layer does, and what share of it the engine reaches.

The engine's rates are those of whole runs: events are listed and neurons stepped as well.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types

from spikeport.bench.cases import SEED, Case, bernoulli, delivered, mlp
from spikeport.bench.engine import prepare
from spikeport.bench.timing import interleave
from spikeport.program import LIF, Conv, Input, Output, Program
from spikeport.sim.engine.rows import add_rows, aligned
from spikeport.sim.engine.vectors import I8, I32, I64, data, in_blocks, intrinsic, load, put, take
from spikeport.sim.simulate import simulate

ROWS, WIDTH = 512, 1024  # half a megabyte of weights: they stay in L2, the sums in L1


@intrinsic
def _add_row(typing_context, acc, weight, first):  # type: ignore[no-untyped-def]
    """acc[i] += w[first + i] for all i, int32 plus int8, 64 at a time."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        acc, weight = (data(context, builder, signature.args[k], arguments[k]) for k in (0, 1))

        def body(i: Any, mask: Any) -> None:
            row = load(builder, weight, builder.add(arguments[2], i), I8, 64)
            put(builder, take(builder, acc, i, mask, I32, 64) + row.widened(I32), acc, i, mask)

        in_blocks(builder, ir.Constant(I64, WIDTH), 64, body)
        return context.get_dummy_value()

    return types.void(acc, weight, types.int64), generate


@njit
def stream(acc, weight):  # type: ignore[no-untyped-def]
    """Row after row: one load, one addition and one store of the accumulator for each synapse."""
    for r in range(ROWS):
        _add_row(acc, weight, r * WIDTH)


@njit
def stream_rows(acc, weight, events):  # type: ignore[no-untyped-def]
    """The same sums as the engine adds them up: in registers of 16 bits, row after row, before they reach `acc`."""
    add_rows(acc, 0, WIDTH, weight, 0, events, 0, ROWS)


def roofline(*, repeats: int, seconds: float, steps: int = 50) -> dict[str, Any]:
    """Rates in synaptic operations per second, one thread; shares of the stream's rate."""
    rng = np.random.default_rng(SEED)
    acc, weight = aligned(4 * WIDTH).view(np.int32), aligned(ROWS * WIDTH)
    weight[:] = rng.integers(-127, 128, weight.size)
    every = np.arange(ROWS, dtype=np.int32)
    layers = {f"dense at {rate:.0%}": _dense(steps, rate) for rate in (0.1, 0.5)}
    layers |= {f"convolution at {rate:.0%}": _conv(steps, rate) for rate in (0.1, 0.5)}
    runs = {
        "stream": lambda: stream(acc, weight),
        "stream, rows in registers": lambda: stream_rows(acc, weight, every),
    }
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
