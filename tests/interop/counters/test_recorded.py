"""SpikingJelly and NeuroBench on the same networks: equal spikes, and then equal counts, or what they count instead.

`MEANS` and `PAYLOADS` are the layers whose input is not 0 and 1; each tool has its own idea of these.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.fixed import Ints
from spikeport.sim.counting.counts import LayerCounts
from tests.interop.counters.nets import read_net
from tests.interop.counters.records import NETS, differences, read_record
from tests.interop.counters.runs import ran
from tests.interop.counters.tools import ALL, TOOLS

LAYERED = [tool.name for tool in TOOLS.values() if not tool.mapped]
MEANS = {("conv", "if4")}
"""Fed by the means of spikes: SpikingJelly and NeuroBench multiply them, a Program has the pool in its weights."""
PAYLOADS = {("ternary", "if1"), ("graded", "if1")}
TRANSPOSED = {("conv", "if5")}
LAYERS = [(net, name) for net in ALL for name in dict.fromkeys(read_net(NETS / f"{net}.json").fed)]
SPIKING = [pair for pair in LAYERS if pair not in MEANS | PAYLOADS]


def layer_of(net: str, name: str) -> LayerCounts:
    return next(layer for layer in ran(net).counts.layers if layer.name == name)


def passes(net: str) -> int:
    """Steps x samples."""
    steps, samples = ran(net).net.x.shape[:2]
    return steps * samples


def means(net: str) -> Ints:
    """What the mean pool gives, in quarters: `(T, B, 8, 2, 2)`."""
    steps, samples = ran(net).net.x.shape[:2]
    spikes = ran(net).sent("if3").reshape(steps, samples, 8, 2, 2, 2, 2)
    return spikes.astype(np.int64).sum(axis=(4, 6))


@pytest.mark.parametrize("net", ALL)
@pytest.mark.parametrize("tool", LAYERED)
def test_every_layer_has_the_tools_spikes(tool: str, net: str) -> None:
    for name, spikes in read_record(tool, net).spikes.items():
        assert np.array_equal(ran(net).sent(name), spikes.reshape(*spikes.shape[:2], -1)), name


def test_every_layer_fires_and_is_silent_and_weights_are_missing() -> None:
    for net, name in sorted(set(LAYERS) - {("border", "if1")}):
        assert 0.05 < layer_of(net, name).rate < 0.8
    assert sum(layer_of(*pair).sops_nz < layer_of(*pair).sops for pair in LAYERS) == 8


@pytest.mark.parametrize(("net", "name"), SPIKING)
def test_spikingjelly_counts_every_synapse(net: str, name: str) -> None:
    found, ours = read_record("spikingjelly", net).counts[name], layer_of(net, name)
    assert found == {"synops": ours.sops, "acs": ours.sops, "macs": 0}


@pytest.mark.parametrize(("net", "name"), sorted(PAYLOADS))
def test_spikingjelly_multiplies_payloads_zeros_included(net: str, name: str) -> None:
    found, ours = read_record("spikingjelly", net).counts[name], layer_of(net, name)
    assert found == {"synops": 0, "acs": 0, "macs": ours.macs_dense * passes(net)}
    assert ours.sops < found["macs"]


@pytest.mark.parametrize(("net", "name"), sorted(set(SPIKING) - TRANSPOSED - {("border", "if1")}))
def test_neurobench_counts_synapses_that_are_not_zero(net: str, name: str) -> None:
    found, ours = read_record("neurobench", net).counts[name], layer_of(net, name)
    assert found == {"acs": ours.sops_nz, "macs": 0, "dense": ours.synapses * passes(net)}


@pytest.mark.parametrize(("net", "name", "as_what"), [("ternary", "if1", "acs"), ("graded", "if1", "macs")])
def test_neurobench_multiplies_payloads_that_are_not_signs(net: str, name: str, as_what: str) -> None:
    found, ours = read_record("neurobench", net).counts[name], layer_of(net, name)
    assert found == {"acs": 0, "macs": 0, "dense": ours.synapses * passes(net), as_what: ours.sops_nz}


def test_neurobench_has_no_transposed_convolution_and_does_not_say_so() -> None:
    (net, name), *_ = TRANSPOSED
    assert read_record("neurobench", net).counts[name] == {"acs": 0, "macs": 0, "dense": 0}
    assert layer_of(net, name).sops == 2404


def test_neurobench_adds_up_in_float32() -> None:
    ours = layer_of("border", "if1").sops
    found = {tool: read_record(tool, "border").counts["if1"]["acs"] for tool in ("spikingjelly", "neurobench")}
    assert (ours, found["spikingjelly"]) == (18_514_683, 18_514_683)
    assert found["neurobench"] == float(np.float32(ours)) == 18_514_684


def test_where_means_of_spikes_arrive_tools_multiply_and_a_program_has_added_the_spikes() -> None:
    """The tools' figures are operations on the pool's output; ours are spikes before it, each behind 4 outputs."""
    quarters, outputs = means("conv"), 4
    spikingjelly, neurobench = (read_record(tool, "conv").counts["if4"] for tool in ("spikingjelly", "neurobench"))
    assert spikingjelly == {"synops": 0, "acs": 0, "macs": quarters.size * outputs}
    assert neurobench == {"acs": 0, "macs": np.count_nonzero(quarters) * outputs, "dense": quarters.size * outputs}
    assert layer_of("conv", "if4").sops == quarters.sum() * outputs == np.count_nonzero(ran("conv").sent("if3")) * 4


@pytest.mark.parametrize("tool", TOOLS)
def test_records_say_the_versions_that_are_installed(tool: str) -> None:
    for net in TOOLS[tool].nets:
        versions = {f"{name}=={version.split('+')[0]}" for name, version in read_record(tool, net).versions.items()}
        assert versions <= {*TOOLS[tool].packages, TOOLS[tool].torch}


def test_a_record_differs_where_a_count_or_a_spike_does() -> None:
    record = read_record("spikingjelly", "dense")
    flipped = {**record.spikes, "if2": 1 - record.spikes["if2"]}
    counts = {**record.counts, "if1": {}}
    assert not list(differences(record, read_record("spikingjelly", "dense")))
    assert list(differences(replace(record, spikes=flipped), record)) == ["spikes of if2"]
    assert len(list(differences(replace(record, counts=counts), record))) == 1
