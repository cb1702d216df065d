"""One sample on the board, in the Program's own hardware time."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from chip_biases import bias_of, schedules, segments
from chip_meters import profilers
from chip_net import Net, Offsets, build, message_bits, turned
from lava_classes import LAVA


def run(first: Any, net: Net, callbacks: list[Any], parts: list[tuple[int, int]], planned: Mapping[str, Any]) -> None:
    """Runs the parts one after the other; between them the host loads new biases."""
    config = LAVA.Loihi2HwCfg(exception_proc_model_map=chosen(net), callback_fxs=callbacks)
    for name, values in planned.items():
        bias_of(net.neurons[name]).init = turned(values[0])
    try:
        for start, steps in parts:
            for name, values in planned.items():
                if start and not np.array_equal(values[start], values[start - 1]):
                    bias_of(net.neurons[name]).set(turned(values[start]).astype(np.int32))
            first.run(condition=LAVA.RunSteps(num_steps=steps), run_cfg=config)
    finally:
        first.stop()


def chosen(net: Net) -> dict[Any, Any]:
    """Models of the host's processes; the configuration chooses those of the cores'."""
    return {process: net.models[process] for _, process in net.others}


def run_sample(program: Any, inputs: Any, record: Sequence[str], offsets: Offsets, steps: int, power: bool) -> Any:
    """`({"GROUP/u": (steps, *shape)}, profilers)` of one sample, in the Program's own hardware time."""
    total = steps + offsets.input + max(offsets.output, offsets.probe)
    if offsets.input:
        _check_rests(program)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spikes.npz")
        net = build(program, inputs, record, offsets, total, path)
        planned = schedules(program, inputs, offsets.input, total)
        meters = profilers(total) if power else []
        run(net.others[-1][1], net, [*net.probes.values(), *meters], segments(planned, total), planned)
        with np.load(path) as file:
            spikes = dict(file)
    trace = {}
    for key, x in spikes.items():
        group = key.split("/")[0]
        x = x.astype(np.int32)
        if message_bits(program, group):
            x = (x << 8) >> 8  # a raw word of 24 bits
        trace[key] = _cut(program, group, x, offsets.input + offsets.output, steps)
    for key, probe in net.probes.items():
        group = key.split("/")[0]
        size = int(np.prod(program.shapes[group]))
        flat = np.asarray(probe.time_series).reshape(-1).astype(np.int32)
        values = flat.reshape(-1, size) if offsets.steps_first else flat.reshape(size, -1).T
        trace[key] = _cut(program, group, values, offsets.input + offsets.probe, steps)
    return trace, meters


def _check_rests(program: Any) -> None:
    """Before the sample arrives late, nothing may move without a bias."""
    for group in program.groups:
        if getattr(group, "vth_low", -1) > 0 or (group.neuron == "resonator" and group.vth == 0):
            raise SystemExit(f"{group.name}: spikes in silence, and the board's input comes late; run it elsewhere")


def _cut(program: Any, group: str, x: Any, start: int, steps: int) -> Any:
    shape = tuple(program.shapes[group])
    x = x[start : start + steps].reshape(-1, *(shape[::-1] if len(shape) == 3 else shape))
    if len(x) < steps:
        raise SystemExit(f"{group}: the board gave {len(x)} steps, not {steps}")
    return x.transpose(0, 3, 2, 1) if len(shape) == 3 else x
