"""A network of many neurons in a process of its own: how long, and in how much memory."""

import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from spikeport.bench.cases import SEED, bernoulli, delivered
from spikeport.program import LIF, Conv, Input, Output, Program
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.simulate import simulate

CHANNELS, LAYERS = 11, 4


def scale(neurons: float, steps: int) -> dict[str, Any]:
    """Runs `network` in a fresh interpreter, so that the peak is its own; compiled code is in the cache or joins it.

    Args:
        neurons: About so many; 3 x 3 kernels over 11 channels give them 99 synapses each, less at the border.
    """
    command = [sys.executable, "-m", "spikeport.bench.scale", str(neurons), str(steps)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def network(neurons: float) -> Program:
    """Four convolutions of 11 channels, without a bias; a few to thirty percent of their neurons fire."""
    rng = np.random.default_rng(SEED)
    side = max(3, round((neurons / LAYERS / CHANNELS) ** 0.5))
    shape, names = (CHANNELS, side, side), ["x", *(f"lif{k}" for k in range(1, LAYERS + 1))]
    silent = np.zeros(shape, np.int16)
    groups = tuple(LIF(name, shape, du=4095, dv=512, vth=150, bias_mant=silent) for name in names[1:])
    connections = tuple(
        Conv(source, target, 2 * rng.integers(-60, 64, (CHANNELS, CHANNELS, 3, 3)), padding=(1, 1))
        for source, target in zip(names, names[1:], strict=False)
    )
    return Program(groups, connections, (Input("x", shape, "spike"),), (Output("y", names[-1]),), latency=LAYERS)


def measured(neurons: float, steps: int) -> dict[str, Any]:
    """Sizes, spikes, seconds of one run with its preparation, and this process's peak in bytes."""
    program = network(neurons)
    x = bernoulli(np.random.default_rng(SEED), 0.05, (steps, 1, *program.inputs[0].shape))
    start = time.perf_counter()
    result = simulate(program, x)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "neurons": sum(group.size for group in program.groups),
        "synapses": sum(int(fan_out(c, program.shape_of(c.source)).sum()) for c in program.connections),
        "steps": steps,
        "sops": delivered(program, result.sent),
        "seconds": seconds,
        "peak_bytes": peak,
    }


if __name__ == "__main__":
    print(json.dumps(measured(float(sys.argv[1]), int(sys.argv[2]))))
