"""Cases at and beyond the edges of a Loihi 1's words, in both directions, for nengo-loihi's emulator."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from spikeport.program import Conv, Dense, Input, Output, Program
from spikeport.sim.random_programs import random_program
from tests.vectors.case import Case
from tests.vectors.edges import driven

SUM = 1 << 15  # a << 6 wraps here
FULL = SUM - 1


def loihi1_edges() -> dict[str, list[Case]]:
    """File name -> its cases."""
    found = {
        "loihi1_sums": [*_sums(), _convolution()],
        "loihi1_up": list(_currents(1)),
        "loihi1_down": list(_currents(-1)),
        "loihi1_published": [published_test(200), published_test(1000)],
    }
    return {name: [_as_loihi1(case) for case in cases] for name, cases in found.items()}


def random_cases(seed: int, count: int) -> list[Case]:
    """Networks of LIF, with and without rest, in the part of a Program that the emulator has."""
    rng, found = np.random.default_rng(seed), list[Case]()
    while len(found) < count:
        program, inputs = random_program(rng, kinds=("lif", "refractory"), graded=False, batch=1, steps=15)
        if not program.encoders and all(g.reset == "zero" for g in program.lifs):
            connections = tuple(replace(c, delay=0, weight_exp=abs(c.weight_exp) % 8) for c in program.connections)
            groups = tuple(replace(g, reset_interval=0) for g in program.lifs)
            program = replace(program, groups=groups, connections=connections, profile="loihi1")
            found.append(Case(f"random {len(found)}", program, inputs))
    return found


def published_test(n_axons: int) -> Case:
    """The network of nengo-loihi's `test_uv_overflow`, in the integers that it is discretized to.

    All axons fire at 15 steps; 200 of them pass 2^15 once, 1000 four times. vmin alone is not as there, -(2^22) + 1.
    """
    group = driven("", np.zeros((1, 1), np.int64), du=40, dv=0).program.lifs[0]
    synapses = Dense("x", "g", np.full((1, n_axons), 254))
    program = Program((group,), (synapses,), (Input("x", (n_axons,), "spike"),), (Output("y", "g"),))
    return Case(f"test_uv_overflow, {n_axons} axons", program, {"x": np.ones((15, 1, n_axons), np.int64)})


def _sums() -> Iterator[Case]:
    sums = [0, 1, FULL - 1, FULL, SUM, SUM + 1, 2 * FULL, 2 * SUM - 1, 2 * SUM, 2 * SUM + 1, 3 * SUM, 4 * SUM]
    both = np.array([[*sums, *(-a for a in sums), -SUM - 1, -SUM, 1 - SUM]])
    yield driven("sums around 2^15", np.concatenate([both, both[:, ::-1]]), du=4095)
    yield driven("sums that stay in u", np.concatenate([both] * 4), du=100, dv=30)


def _currents(sign: int) -> Iterator[Case]:
    yield driven(f"u around {sign} * 2^23", _filling(sign), du=-1, dv=4096)
    yield driven(f"u beyond {sign} * 2^23 decays", _filling(sign), du=64, dv=2048)
    bias = sign * np.array([0, 1, 64, 128, 200, 4095, 4095, 4095, 2048])
    yield driven(f"u + bias around {sign} * 2^23", _filling(sign), du=-1, dv=4096, bias_mant=bias)
    yield driven(f"u + bias far beyond {sign} * 2^23", _filling(sign), du=-1, dv=0, bias_mant=bias, bias_exp=7)
    yield driven(f"bias against u at {sign} * 2^23", _filling(sign), du=-1, dv=4096, bias_mant=-bias, bias_exp=7)
    far = np.full((8, 3), sign * FULL) // np.array([1, 2, 7])
    yield driven(f"v beyond {sign} * 2^23", far, du=4000, dv=0, extra_steps=8)
    yield driven(f"rest while u wraps, {sign}", far, du=10, dv=100, vth=500, refractory_steps=3, extra_steps=8)


def _filling(sign: int) -> np.ndarray:
    """Four sums that bring u to 2^23 - 4 * 64, then steps of a few around it, then far beyond."""
    offsets = np.arange(9)
    a = np.zeros((8, 9), np.int64)
    a[:4], a[4], a[5], a[6], a[7] = FULL, offsets, 1, 2 * offsets, FULL
    return sign * a


def _convolution() -> Case:
    """288 synapses of 255 << 7 per neuron: beyond the 24 bits of Lava's convolution too."""
    weight = np.stack([np.full((8, 6, 6), 255), np.full((8, 6, 6), 254)])
    conv = Conv("x", "g", weight, weight_exp=7, padding=(1, 0))
    entry = Input("x", (8, 6, 7), "spike")
    shape = conv.output_shape(entry.shape)
    values = {"du": 1000, "dv": 500, "bias_mant": np.arange(12).reshape(shape)}
    group = replace(driven("", np.zeros((1, 1), np.int64)).program.lifs[0], shape=shape, **values)
    x = np.random.default_rng(3).random((6, 1, *entry.shape)) < 0.9
    return Case("a convolution beyond 24 bits", Program((group,), (conv,), (entry,), (Output("y", "g"),)), {"x": x * 1})


def _as_loihi1(case: Case) -> Case:
    return Case(case.name, replace(case.program, profile="loihi1"), case.inputs)
