"""Measures by how many steps the board's edges lag."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from chip_net import Net, Offsets, add_adapter, add_source
from chip_run import run
from lava_classes import LAVA
from own_processes import sink
from program_parts import Part

PILOT_STEPS, PILOT_PULSE = 16, 3
PILOT_SPIKE = 5
"""The step at which the pilot's second neuron first spikes."""
SPREAD = 8
"""Largest offset that the pilot can see."""


def pilot(kinds: Sequence[tuple[str, int]], folder: str) -> Offsets:
    """Measures what the edges lag: two neurons that count steps, and one behind each kind of adapter.

    v of the counting neurons is 64 t and 128 t up to step 4; the second spikes at step 5. A pulse at step 3 is at its
    neuron, without any adapter, at step 4, and makes it spike.
    """
    net = Net({}, [], [], [], {}, {})
    counting = dict(u=0, v=0, du=4095, dv=0, vth=9, bias_mant=np.array([1, 2]), bias_exp=6)
    net.neurons["clock"] = LAVA.LIF(shape=(2,), **counting)
    net.models[net.neurons["clock"]] = LAVA.PyLifModelBitAcc
    listed = [Part(name="clock", shape=(2,))]
    for number, (kind, bits) in enumerate(kinds):
        listed.append(_echo(net, f"echo{number}", kind, bits))
    path = os.path.join(folder, "pilot.npz")
    taker, model = sink(Part(groups=listed, shapes={g.name: g.shape for g in listed}), path, PILOT_STEPS)
    net.models[taker] = model
    net.others.append(("sink", taker))
    for group in listed:
        adapter = add_adapter(net, group.name, "NxToPyAdapter", 0, group.shape)
        net.neurons[group.name].s_out.connect(adapter.inp)
        adapter.out.connect(getattr(taker, f"from_{group.name}"))
    probe = LAVA.StateProbe(net.neurons["clock"].v)
    run(taker, net, [probe], [(0, PILOT_STEPS)], {})
    with np.load(path) as file:
        heard = {name: file[f"{name}/s"].reshape(PILOT_STEPS, -1)[:, -1] for name in net.neurons}
    output = _first(heard["clock"], "clock") - PILOT_SPIKE
    lags = {_first(heard[g.name], g.name) - (PILOT_PULSE + 1) - output for g in listed[1:]} or {0}
    if len(lags) > 1:
        raise SystemExit(f"pilot: the adapters into the chip lag by different numbers of steps ({sorted(lags)})")
    return Offsets(lags.pop(), output, *_layout(np.asarray(probe.time_series)))


def _echo(net: Net, name: str, kind: str, bits: int) -> Any:
    conv = kind == "PyToN3ConvAdapter"
    shape = (1, 1, 1) if conv else (1,)
    pulse = np.zeros((PILOT_STEPS, *shape), np.int32)
    pulse[PILOT_PULSE - 1] = 1
    source = add_source(net, Part(name=name), pulse, PILOT_STEPS)
    adapter = add_adapter(net, name, kind, bits, shape)
    source.s_out.connect(adapter.inp)
    if conv:
        weight = np.full((1, 1, 1, 1), 254)
        synapses, model = LAVA.Conv(weight=weight, input_shape=shape, num_message_bits=bits), "PyConvModelFixed"
    else:
        synapses, model = LAVA.Dense(weights=np.array([[254]]), num_message_bits=bits), "PyDenseModelBitAcc"
    net.models[synapses] = getattr(LAVA, model)
    net.neurons[name] = LAVA.LIF(shape=shape, du=4095, dv=4096, vth=1)
    net.models[net.neurons[name]] = LAVA.PyLifModelBitAcc
    adapter.out.connect(synapses.s_in)
    synapses.a_out.connect(net.neurons[name].a_in)
    return Part(name=name, shape=shape)


def _first(spikes: Any, name: str) -> int:
    if not np.any(spikes):
        raise SystemExit(f"pilot: no spike of {name} came back from the board in {PILOT_STEPS} steps")
    return int(np.flatnonzero(spikes)[0]) + 1


def _layout(series: Any) -> tuple[int, bool]:
    """The probe's offset, and whether steps come first, from v of the clock."""
    flat = series.reshape(-1).astype(np.int64)
    want = np.array([[64, 128], [128, 256], [192, 384], [256, 512]])
    for steps_first in (False, True):
        if len(flat) % 2:
            break
        values = flat.reshape(-1, 2) if steps_first else flat.reshape(2, -1).T
        for offset in range(min(SPREAD, len(values) - 3)):
            if np.array_equal(values[offset : offset + 4], want):
                return offset, steps_first
    raise SystemExit(f"pilot: the probe of v shows no counting neuron: {flat[:16].tolist()}")
