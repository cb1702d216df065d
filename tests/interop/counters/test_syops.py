"""syops beside the exact count, layer by layer, and beside the convention that is named after it."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest

from spikeport.fixed import Ints
from spikeport.program import Shape
from spikeport.sim.energy.conventions import CONVENTIONS, Amounts
from spikeport.sim.energy.facts import Fed
from spikeport.sim.energy.shapes import Conv, ConvTranspose, Layer, Linear, Neurons, Pool
from tests.interop.counters.records import read_record
from tests.interop.counters.runs import Ran, ran
from tests.interop.counters.tools import ALL

FLOAT32 = 1e-6
"""Relative; syops takes its rates from sums in float32."""
OFF = {
    ("conv", "if1"): 33.18,  # a padded border that is busy; 7.0 of it is the bias
    ("conv", "if2"): 16.03,
    ("conv", "if3"): 2.23,
    ("conv", "if5"): 469.05,  # transposed: as if each output took in a whole kernel
    ("conv", "if6"): 0.0,
    ("padded", "if1"): 30.72,
    ("padded", "if2"): 11.09,
    ("padded", "if3"): 18.52,
    ("padded", "if4"): 0.0,
    ("border", "if1"): 2.12,
}
"""Percent above the exact count."""


@pytest.mark.parametrize(("pair", "percent"), OFF.items())
def test_how_far_syops_is_off(pair: tuple[str, str], percent: float) -> None:
    net, name = pair
    exact = next(layer.sops for layer in ran(net).counts.layers if layer.name == name)
    assert round(100 * (read_record("syops", net).counts[name]["acs"] / exact - 1), 2) == percent


def test_the_bias_is_seven_points_of_the_first() -> None:
    """Operations: 2 x 3 x 3 x 6 x 16 x 16 for the weights, 6 x 16 x 16 for the bias, ten passes of each."""
    found, exact = read_record("syops", "conv").counts["if1"], ran("conv").counts.layers[0].sops
    assert found["ops"] == 10 * (27_648 + 1_536)
    assert round(100 * found["acs"] * 1_536 / (27_648 + 1_536) / exact, 1) == 7.0


def described(run: Ran) -> Iterator[Layer]:
    """The network as shapes with the rates of the run, each layer by the name of the neurons that it feeds."""
    shapes = {group.name: group.shape for group in run.program.groups}
    shape, source, pooled = run.net.x.shape[2:], run.program.inputs[0].name, False
    for layer, target in zip(run.net.layers, run.net.fed, strict=True):
        x = run.sent(source)
        rate = Fraction(int(np.count_nonzero(x)), x.size)
        if layer["kind"] == "if":
            shape, source, pooled = shapes[target], target, False
            yield Neurons(name=target, shape=shape)
        elif layer["kind"] == "avgpool":
            yield Pool(name=target, shape=shape, fed="spikes", rate=rate)
            shape, pooled = (shape[0], *(n // layer["size"] for n in shape[1:])), True
        elif layer["kind"] != "flatten":
            fed: Fed = "graded" if pooled or set(np.unique(x)) - {0, 1} else "spikes"
            bias = f"b:{layer['name']}" in run.net.arrays
            yield _synapses(layer, run.net.arrays[f"w:{layer['name']}"], shape)(
                name=target, fed=fed, rate=rate, bias=bias
            )


def _synapses(layer: dict[str, Any], weight: Ints, shape: Shape) -> Callable[..., Layer]:
    if layer["kind"] == "linear":
        return partial(Linear, in_features=weight.shape[1], out_features=weight.shape[0])
    keys = ("stride", "padding", "dilation", "output_padding")
    given = {key: tuple(layer[key]) for key in keys if key in layer} | {"shape": shape, "kernel": weight.shape[2:]}
    if layer["kind"] == "conv":
        return partial(Conv, out_channels=weight.shape[0], groups=layer["groups"], **given)
    return partial(ConvTranspose, out_channels=weight.shape[1] * layer["groups"], groups=layer["groups"], **given)


@pytest.mark.parametrize("net", ALL)
def test_the_convention_gives_what_syops_gives(net: str) -> None:
    run = ran(net)
    steps, samples = run.net.x.shape[:2]
    facts = [layer.facts(steps, steps) for layer in described(run)]
    amounts = CONVENTIONS["paper-syops"].amounts(facts, steps)
    for name, said in read_record("syops", net).counts.items():
        ours = sum((a for f, a in zip(facts, amounts, strict=True) if f.name == name), Amounts())
        assert ours.mac is not None and ours.ac is not None
        assert ours.mac * samples == said["macs"] + said["pool_macs"]
        acs = said["acs"] + said["pool_acs"] + said["neurons"]
        assert float(ours.ac * samples) == pytest.approx(acs, rel=FLOAT32)
