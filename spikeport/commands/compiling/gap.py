"""What each step of a compilation costs, on data: accuracy and spikes, stage by stage and layer by layer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.calibration import Calibration
from spikeport.deploy.interpreter import interpret
from spikeport.deploy.network_run import Activity, run_network
from spikeport.deploy.nodes import Output
from spikeport.deploy.passes.assemble import Assemble
from spikeport.deploy.pipeline import Compiled
from spikeport.deploy.quantize.duplicates import duplicates
from spikeport.progress import working
from spikeport.sim import simulate

CHUNK = 64
"""Samples that are run at a time."""
STAGES = {
    "float": "the graph, stepped by its convention",
    "folded": "batch norm, gains and pooling folded; a core's neurons",
    "weights": "weights of 8 bits",
    "decays": "decays of 12 bits",
    "thresholds": "thresholds and biases",
    "integer": "the Program, simulated",
}
_PARTS = {"weights": ("weights",), "decays": ("weights", "decays"), "thresholds": ("weights", "decays", "thresholds")}
Values = NDArray[Any]


@dataclass
class Stage:
    """One execution, against the first."""

    name: str
    right: int = 0
    samples: int = 0
    differing: float = 0.0
    """Output spikes that differ; the sum of squares for v."""
    values: float = 0.0
    """Output spikes that there could be; the float sum of squares for v."""

    @property
    def accuracy(self) -> float:
        return self.right / max(self.samples, 1)

    def difference(self, reads_v: bool) -> float:
        """The part of all spikes that differ, or the error of v relative to v, root mean square."""
        ratio = self.differing / max(self.values, 1e-300)
        return float(np.sqrt(ratio)) if reads_v else ratio


@dataclass
class Layer:
    """One population among integers, against the folded float network; counts are `(n,)` over all steps and samples."""

    name: str
    wanted: Values
    sent: Values
    duplicates: int = 0
    agreeing: int = 0
    steps: int = 0
    """Of all samples together."""

    @property
    def agreement(self) -> float:
        return self.agreeing / max(self.steps * self.sent.size, 1)

    @property
    def silenced(self) -> int:
        """Neurons that never fire, and did before; `silent` ones never did."""
        return int(np.sum((self.sent == 0) & (self.wanted > 0)))

    @property
    def silent(self) -> int:
        return int(np.sum((self.sent == 0) & (self.wanted == 0)))

    @property
    def saturated(self) -> int:
        """Neurons that fire at every step, and did not before."""
        return int(np.sum((self.sent == self.steps) & (self.wanted < self.steps)))


@dataclass
class Gap:
    """The waterfall of one compilation."""

    reads_v: bool
    labelled: bool
    stages: dict[str, Stage] = field(default_factory=lambda: {name: Stage(name) for name in STAGES})
    layers: dict[str, Layer] = field(default_factory=dict)


def measure(compiled: Compiled, data: Calibration, classes: int) -> Gap:
    """Runs the graph, the network at every stage, and the Program on the data.

    Args:
        classes: Among which the outputs vote in equal blocks; each output neuron is one if 0.

    Raises:
        SimError: a value that leaves its word in the Program.
    """
    v_scale = compiled.options.v_scale  # stages are compared in the graph's unit
    gap = Gap(compiled.network.outputs[0].reads == "v", data.labels is not None)
    program = Assemble().run(compiled.integers, compiled.options)  # with the duplicates, so that layers compare
    stages = {name: compiled.integers.stage(parts) for name, parts in _PARTS.items()}  # type: ignore[arg-type]
    with working("comparing stages", data.batch, "samples") as task:
        for chunk in _chunks(data):
            inputs = chunk.named(dict(compiled.network.inputs))
            scale = compiled.options.scale if compiled.options.input == "bias" else 1.0
            floats = {name: x * scale for name, x in inputs.items()}
            wanted = _interpreted(compiled, floats)
            folded = run_network(compiled.integers.network, _plain(compiled, floats))
            _count(gap, "float", wanted, wanted, chunk, classes)
            _count(gap, "folded", _output(compiled, folded), wanted, chunk, classes)
            for name, network in stages.items():
                _count(
                    gap, name, _output(compiled, run_network(network, _plain(compiled, floats))), wanted, chunk, classes
                )
            integers = {name: x.astype(np.int64) for name, x in inputs.items()}
            result = simulate(program, _plain(compiled, integers))
            output = program.outputs[0]
            found = result.outputs[output.name] * (program.group(output.source).v_unit / v_scale if gap.reads_v else 1)
            _count(gap, "integer", found, wanted, chunk, classes)
            _count_layers(gap, compiled, folded, result.sent)
            task.advance(chunk.batch)
    return gap


def _chunks(data: Calibration) -> Iterator[Calibration]:
    for begin in range(0, data.batch, CHUNK):
        here = slice(begin, begin + CHUNK)
        labels = None if data.labels is None else data.labels[here]
        yield Calibration({name: x[:, here] for name, x in data.inputs.items()}, labels)


def _plain(compiled: Compiled, by_name: Mapping[str, Values]) -> dict[str, Values]:
    """By the names that the Program has for the inputs."""
    names = [name for name, _ in compiled.integers.network.inputs]
    return dict(zip(names, (by_name[name] for name, _ in compiled.network.inputs), strict=True))


def _interpreted(compiled: Compiled, floats: Mapping[str, Values]) -> Values:
    found = interpret(compiled.graph, floats, compiled.options.convention)
    first = next(name for name, node in compiled.graph.nodes.items() if isinstance(node, Output))
    return found[first]


def _output(compiled: Compiled, activity: Activity) -> Values:
    """The first output, delayed as it is handed out."""
    o = compiled.integers.network.outputs[0]
    values = activity[o.source]
    return np.concatenate([np.zeros_like(values[: o.lag]), values[: len(values) - o.lag]])


def _count(gap: Gap, name: str, found: Values, wanted: Values, data: Calibration, classes: int) -> None:
    stage = gap.stages[name]
    found, wanted = found.reshape(*wanted.shape[:2], -1), wanted.reshape(*wanted.shape[:2], -1)
    if gap.reads_v:
        stage.differing += float(((found - wanted) ** 2).sum())
        stage.values += float((wanted**2).sum())
    else:
        stage.differing += float((found != wanted).sum())
        stage.values += wanted.size
    if data.labels is not None:
        votes = found.sum(0).reshape(len(data.labels), classes or found.shape[2], -1).sum(2)
        stage.right += int((votes.argmax(1) == data.labels).sum())
        stage.samples += len(data.labels)


def _count_layers(gap: Gap, compiled: Compiled, folded: Activity, sent: Mapping[str, Values]) -> None:
    for p in compiled.integers.network.populations:
        if not p.fires or p.helper:
            continue
        wanted = folded[p.name]
        found = sent[p.name][p.start - 1 : p.start - 1 + len(wanted)]
        wanted = wanted[: len(found)]
        if p.name not in gap.layers:
            same = int(np.sum(duplicates(compiled.integers, p) != np.arange(p.size)))
            none = np.zeros(p.size, np.int64)
            gap.layers[p.name] = Layer(p.name, none, none.copy(), same)
        layer = gap.layers[p.name]
        layer.wanted += wanted.sum((0, 1)).astype(np.int64)
        layer.sent += found.sum((0, 1)).astype(np.int64)
        layer.agreeing += int((found == wanted).sum())
        layer.steps += found.shape[0] * found.shape[1]
