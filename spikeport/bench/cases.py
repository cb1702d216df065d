"""The networks that are timed. Seeded, so that every machine and every release runs the same integers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Input, Output, Program, Shape
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.simulate import simulate

Rng = np.random.Generator
SEED = 20261122


@dataclass(frozen=True, eq=False)
class Case:
    """A Program and what it is fed."""

    name: str
    program: Program
    spikes: NDArray[Any]
    """`(T, B, *input shape)` for the only input."""

    @property
    def steps(self) -> int:
        """Hardware steps that one inference takes."""
        return len(self.spikes) + self.program.latency

    def inputs(self, batch: int) -> dict[str, NDArray[Any]]:
        """`{input: (T, batch, n)}` of the first samples; repeats them if there are too few."""
        chosen = np.arange(batch) % self.spikes.shape[1]
        x = self.spikes[:, chosen].reshape(len(self.spikes), batch, -1)
        return {self.program.inputs[0].name: x}


def mlp(*, steps: int = 100, batch: int = 64, rate: float = 0.1, sizes: Shape = (784, 800, 10)) -> Case:
    """Dense layers with random even 8-bit weights on Bernoulli input."""
    rng = np.random.default_rng(SEED)
    groups, connections = [], []
    for number, (n_in, n_out) in enumerate(zip(sizes, sizes[1:], strict=False), 1):
        name, source = f"lif{number}", f"lif{number - 1}" if number > 1 else "x"
        vth = int(60 * np.sqrt(n_in))  # a tenth of the neurons fires, more or less
        groups.append(LIF(name, (n_out,), du=4095, dv=512, vth=vth, bias_mant=np.zeros(n_out, np.int16)))
        connections.append(Dense(source, name, 2 * rng.integers(-127, 128, (n_out, n_in))))
    program = Program(
        tuple(groups),
        tuple(connections),
        (Input("x", (sizes[0],), "spike"),),
        (Output("y", groups[-1].name),),
        latency=len(groups),
    )
    return Case("mlp", program, bernoulli(rng, rate, (steps, batch, sizes[0])))


def mnist(*, steps: int = 64, batch: int = 16) -> Case:
    """The layers, decays and thresholds of lava-dl's `mnist.net`; random weights of the same mean and deviation."""
    rng = np.random.default_rng(SEED)
    net = _Net(rng, (1, 28, 28), (0, 1), scale=76, offset=64, dv=123, vth=80, reset=steps)
    net.dense(512, mean=-0.26, deviation=3.73)
    net.dense(512, mean=0.17, deviation=9.55)
    net.dense(10, mean=-1.05, deviation=11.55)
    image = bernoulli(rng, 0.19, (1, batch, 1, 28, 28))  # as much ink as a handwritten digit has
    return Case("mnist", net.program(), np.repeat(image, steps, axis=0))


def pilotnet(*, steps: int = 16, batch: int = 4) -> Case:
    """The layers, decays and thresholds of lava-dl's `pilotnet_lif/network.net`; random weights, biases and image."""
    rng = np.random.default_rng(SEED)
    low, high = -5, 40  # as many pixels as in the published recording stay silent
    net = _Net(rng, (3, 66, 200), (low, high), scale=40, offset=36, dv=1024, vth=25, reset=steps)
    # the first two means are lower than the file's: with random signs it takes that to be as active as its recording
    net.conv(24, (2, 2), (0, 0), mean=-1.6, deviation=9.51, bias=(5.33, 27.03))
    net.conv(36, (2, 2), (0, 0), mean=-0.3, deviation=3.16, bias=(-0.67, 9.01))
    net.conv(48, (2, 2), (0, 0), mean=-0.12, deviation=2.62, bias=(4.38, 9.52))
    net.conv(64, (2, 1), (1, 0), mean=-0.19, deviation=2.30, bias=(7.31, 7.16))
    net.conv(64, (1, 1), (0, 0), mean=-0.09, deviation=1.98, bias=(5.44, 5.67))
    net.dense(100, mean=-0.01, deviation=1.05, bias=(3.18, 4.58))
    net.dense(50, mean=-0.49, deviation=3.58, bias=(4.88, 4.37))
    net.dense(10, mean=-0.47, deviation=6.02, bias=(3.20, 3.25))
    image = rng.integers(low, high + 1, (1, batch, 3, 66, 200))
    return Case("pilotnet", net.program(), np.repeat(image, steps, axis=0))


CASES = {"mlp": mlp, "mnist": mnist, "pilotnet": pilotnet}


def with_program(case: Case, program: Program, name: str) -> Case:
    """The same input on another Program; drawn anew where the input has another shape or range."""
    entry, mine = program.inputs[0], case.program.inputs[0]
    if replace(entry, name=mine.name) == mine:
        return Case(name, program, case.spikes)
    rng, size = np.random.default_rng(SEED), (*case.spikes.shape[:2], *entry.shape)
    if entry.kind == "spike":
        return Case(name, program, bernoulli(rng, 0.1, size))
    image = rng.integers(entry.low, entry.high + 1, (1, *size[1:]))
    return Case(name, program, np.repeat(image, size[0], axis=0))


def bernoulli(rng: Rng, rate: float, size: Shape) -> NDArray[np.uint8]:
    return (rng.random(size) < rate).astype(np.uint8)


def sops(case: Case, batch: int = 1) -> int:
    """Synaptic operations of `batch` inferences, all hardware steps, synapses of weight 0 included."""
    program = case.program
    inputs = {n: x.reshape(*x.shape[:2], *program.shape_of(n)) for n, x in case.inputs(batch).items()}
    return delivered(program, simulate(program, inputs).sent)


def delivered(program: Program, sent: Mapping[str, Ints]) -> int:
    """Spikes times the synapses behind them, over everything that was sent `(steps, B, n)`."""
    reached = ((c.source, fan_out(c, program.shape_of(c.source))) for c in program.connections)
    return sum(int(sent[source].sum(axis=(0, 1), dtype=np.int64) @ fan) for source, fan in reached)


class _Net:
    """A network behind a first layer of spiking pixels, as lava-dl's nets have; built layer by layer."""

    def __init__(
        self, rng: Rng, shape: Shape, values: tuple[int, int], *, scale: int, offset: int, dv: int, vth: int, reset: int
    ) -> None:
        self.rng, self.neuron = rng, {"du": 4095, "dv": dv, "vth": vth, "bias_exp": 6, "reset_interval": reset}
        self.input = Input("image", shape, "bias", *values)
        self.groups: list[LIF] = []
        self.connections: list[Connection] = []
        pixelwise = Conv("image", "lif0", np.full((shape[0], 1, 1, 1), scale), groups=shape[0])
        self.encoder = Encoder(pixelwise, np.full(shape, offset))
        self._group(shape, (0.0, 0.0))

    def conv(
        self,
        channels: int,
        stride: tuple[int, int],
        padding: tuple[int, int],
        *,
        mean: float,
        deviation: float,
        bias: tuple[float, float],
    ) -> None:
        source = self.groups[-1]
        weight = self._even(mean, deviation, (channels, source.shape[0], 3, 3))
        conv = Conv(source.name, f"lif{len(self.groups)}", weight, stride=stride, padding=padding)
        self.connections.append(conv)
        self._group(conv.output_shape(source.shape), bias)

    def dense(self, n: int, *, mean: float, deviation: float, bias: tuple[float, float] = (0.0, 0.0)) -> None:
        source = self.groups[-1]
        weight = self._even(mean, deviation, (n, source.size))
        self.connections.append(Dense(source.name, f"lif{len(self.groups)}", weight))
        self._group((n,), bias)

    def program(self) -> Program:
        return Program(
            tuple(self.groups),
            tuple(self.connections),
            (self.input,),
            (Output("y", self.groups[-1].name),),
            (self.encoder,),
            latency=len(self.groups) - 1,
        )

    def _group(self, shape: Shape, bias: tuple[float, float]) -> None:
        per_channel = self._even(*bias, (shape[0], *[1] * (len(shape) - 1)))
        mant = np.broadcast_to(per_channel, shape)
        depth = len(self.groups)  # the sample's first spike is that many steps late
        self.groups.append(LIF(f"lif{depth}", shape, bias_mant=mant, reset_offset=depth + 1, **self.neuron))  # type: ignore[arg-type]

    def _even(self, mean: float, deviation: float, size: Shape) -> Ints:
        drawn = 2 * np.rint(self.rng.normal(mean, deviation, size) / 2).astype(np.int64)
        return np.clip(drawn, -256, 254)
