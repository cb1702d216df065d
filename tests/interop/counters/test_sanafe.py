"""SANA-FE on the same mapped Programs: equal spikes, operations, messages and hops, and energy and time from these.

SANA-FE runs each sample on a chip of its own for `steps + latency` steps, and has no windows; `windowed` cuts them.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim import estimate_energy, simulate
from spikeport.sim.counting.cores import CoreActivity, count_cores
from spikeport.sim.energy.latency import estimate_latency
from spikeport.sim.energy.mesh_times import barrier_ns, mesh_ns
from spikeport.sim.energy.profile import Profile, profile_named
from spikeport.sim.result import Result
from tests.interop.counters.mapped import cores_of, synapses_of
from tests.interop.counters.records import Record, read_record
from tests.interop.counters.runs import Ran, ran
from tests.interop.counters.tools import TOOLS

NETS = TOOLS["sanafe"].nets
ROUNDED = 1e-9
"""Relative: SANA-FE adds up joules and seconds in float64, one event at a time."""


@cache
def record(net: str) -> Record:
    return read_record("sanafe", net)


@cache
def activity(net: str) -> CoreActivity:
    return count_cores(ran(net).program, ran(net).result, cores_of(ran(net).program))


def windowed(run: Ran, name: str, table: Ints) -> Ints:
    window = run.windows[name]
    return table[window.start - 1 : window.stop - 1]


def in_rows(run: Ran, name: str, table: Ints) -> Ints:
    """What a node did in its window, in the rows of a CoreActivity: `(T, B, cores)` -> `(T * B, cores)`."""
    (steps, samples), window = run.net.x.shape[:2], run.windows[name]
    rows = np.zeros((steps * samples, table.shape[2]), np.int64)
    for i, step in enumerate(window):
        for sample in range(samples):
            rows[sample * steps + (window.start - 1 + i) % steps] += table[step - 1, sample]
    return rows


def own(run: Ran, name: str) -> Ints:
    """The cores of a group."""
    return np.unique(cores_of(run.program).labels(name))


@pytest.mark.parametrize("net", NETS)
def test_every_group_spikes_alike_in_hardware_time(net: str) -> None:
    for name, spikes in record(net).spikes.items():
        assert np.array_equal(ran(net).result.sent[name], spikes), name


@pytest.mark.parametrize("net", NETS)
def test_neurons_are_on_the_cores_that_were_recorded(net: str) -> None:
    cores, tables = cores_of(ran(net).program), record(net).tables
    assert all(np.array_equal(cores.labels(g.name), tables[f"core:{g.name}"]) for g in ran(net).program.groups)
    assert np.array_equal(cores.tiles(), tables["tiles"][: cores.count])
    assert len(np.unique(tables["tiles"], axis=0)) >= 3


@pytest.mark.parametrize("net", NETS)
def test_operations_are_equal_in_every_step(net: str) -> None:
    run = ran(net)
    for layer in run.counts.layers:
        (connection,) = layer.connections
        theirs = windowed(run, connection.source, record(net).tables[f"sops:{connection.source}"])
        assert theirs.sum(axis=1).tolist() == list(connection.sops_per_step)
    assert run.counts.sops_nz < run.counts.sops


@pytest.mark.parametrize("net", NETS)
def test_messages_and_hops_are_equal(net: str) -> None:
    for what in ("messages", "hops_x", "hops_y"):
        names = [group.name for group in ran(net).program.groups]
        theirs = {name: int(windowed(ran(net), name, record(net).tables[f"{what}:{name}"]).sum()) for name in names}
        assert theirs == getattr(activity(net), what)
        assert sum(theirs.values()) or (what == "hops_y" and net != "conv")  # the others have one row of tiles


@pytest.mark.parametrize("net", NETS)
def test_every_core_does_the_same_in_every_step(net: str) -> None:
    run, tables, ours = ran(net), record(net).tables, activity(net)
    for connection in run.program.connections:
        arrives = in_rows(run, connection.source, tables["core_messages_in"])
        operates = in_rows(run, connection.source, tables["core_sops"])
        at = own(run, connection.target)
        assert np.array_equal(ours.messages_in[:, at], arrives[:, at])
        assert np.array_equal(ours.sops[type(connection).__name__.lower()][:, at], operates[:, at])
    for group in run.program.groups:
        at = own(run, group.name)
        assert np.array_equal(ours.messages_out[:, at], in_rows(run, group.name, tables["core_messages_out"])[:, at])


@cache
def updated(net: str) -> Mapping[str, Ints]:
    return updated_in(ran(net).program, ran(net).result)


def updated_in(program: Program, result: Result) -> Mapping[str, Ints]:
    """What SANA-FE calls an update, by group, `(T, B, n)`: something arrived, or there is a potential or a bias."""
    found = {}
    for listed in synapses_of(program):
        group = program.group(listed.target)
        joined = np.zeros((group.size, result.sent[listed.source].shape[2]), np.int64)
        joined[listed.row, listed.col] = 1
        sent = result.sent[listed.source].astype(np.int64)
        arrived = np.concatenate([np.zeros_like(sent[:1]), sent[:-1]]) @ joined.T > 0
        v = result.traces[group.name].v.reshape(arrived.shape)
        before = np.concatenate([np.zeros_like(v[:1]), v[:-1]])
        found[group.name] = arrived | (before != 0) | (group.bias_mant.reshape(-1) != 0)
    return found


@pytest.mark.parametrize("net", NETS)
def test_updates_are_what_arrives_and_what_holds_a_potential(net: str) -> None:
    tables, inputs = record(net).tables, record(net).spikes["input"]
    ours = sum(u.sum(axis=2) for u in updated(net).values()) + inputs.sum(axis=2)  # an input that fires is one as well
    assert np.array_equal(ours, tables["updated"])


@pytest.mark.parametrize(("net", "share"), [("conv", 0.9766), ("padded", 0.9809), ("dense", 1.0)])
def test_what_share_of_sanafes_updates_our_active_neurons_are(net: str, share: float) -> None:
    """Ours are those that receive or spike; a neuron that only holds a potential, or a bias, is none."""
    run = ran(net)
    theirs = sum(int(windowed(run, name, u).sum()) for name, u in updated(net).items())
    assert round(run.counts.active / theirs, 4) == share


def prices(profile: Profile) -> dict[str, float]:
    """Nominal, in J and s."""
    named = {f"e_{key}": constant.value.nominal * 1e-12 for key, constant in profile.energy_pj.items()}
    return named | {f"t_{key}": constant.value.nominal * 1e-9 for key, constant in profile.latency_ns.items()}


P = prices(profile_named("loihi1-sanafe"))


def kinds(run: Ran) -> dict[str, str]:
    """Of the connection that each node feeds; every node but the last feeds one."""
    return {c.source: type(c).__name__.lower() for c in run.program.connections}


@pytest.mark.parametrize("net", NETS)
def test_energy_of_every_step_follows_from_the_counts_and_the_shipped_prices(net: str) -> None:
    run, tables = ran(net), record(net).tables
    inputs = record(net).spikes["input"].sum(axis=2)  # whose neurons cost nothing
    neurons = sum(group.size for group in run.program.groups)
    synapse = sum(tables[f"sops:{name}"] * P[f"e_sop_{kind}"] for name, kind in kinds(run).items())
    soma = neurons * P["e_neuron_access"] + (tables["updated"] - inputs) * P["e_neuron_update"]
    soma = soma + (tables["fired"] - inputs) * P["e_spike_out"]
    senders = kinds(run)
    network = sum(
        tables[f"{what}:{name}"] * P[f"e_{price}"]
        for what, price in (("messages", "message"), ("hops_x", "hop_x"), ("hops_y", "hop_y"))
        for name in senders
    )
    for name, energy in (("synapse", synapse), ("soma", soma), ("network", network)):
        assert np.allclose(tables[f"{name}_energy"], energy, rtol=ROUNDED, atol=0), name
    assert np.allclose(tables["total_energy"], synapse + soma + network, rtol=ROUNDED, atol=0)


@pytest.mark.parametrize("net", NETS)
def test_time_of_every_step_is_the_additive_models(net: str) -> None:
    """T = max over cores of (neurons and sending, receiving and operations) + barrier, from shipped times."""
    run, tables = ran(net), record(net).tables
    neurons = tables["core_messages_out"] * P["t_message_out"]
    synapses = tables["core_messages_in"] * P["t_message_in"]
    for group in run.program.groups:
        labels = cores_of(run.program).labels(group.name)
        each = updated(net)[group.name] * P["t_neuron_update"] + P["t_neuron_access"]
        each = each + record(net).spikes[group.name] * P["t_spike_out"]
        for core in own(run, group.name):
            neurons[..., core] += each[..., labels == core].sum(axis=2)
    for connection in run.program.connections:
        at = own(run, connection.target)
        synapses[..., at] += tables["core_sops"][..., at] * P[f"t_sop_{type(connection).__name__.lower()}"]
    tiles = len(np.unique(tables["tiles"], axis=0))
    barrier = max((b for b in profile_named("loihi1-sanafe").barrier if b.tiles <= tiles), key=lambda b: b.tiles)
    expected = np.maximum(neurons, synapses).max(axis=2) + barrier.constant.value.nominal * 1e-9
    assert np.allclose(tables["sim_time"], expected, rtol=ROUNDED, atol=0)


def outside(run: Ran, name: str, table: Ints) -> int:
    """What a node did beyond its window."""
    return int(table.sum() - windowed(run, name, table).sum())


@pytest.mark.parametrize("net", NETS)
def test_the_estimate_is_sanafes_energy_term_by_term(net: str) -> None:
    """With its updates for our active neurons. It has no windows and charges for the messages of inputs, which are
    added at its own counts; without a bias nothing but access and updates is beyond the windows."""
    run, tables, spikes = ran(net), record(net).tables, record(net).spikes
    groups, senders = [group.name for group in run.program.groups], kinds(run)
    theirs = {name: int(windowed(run, name, u).sum()) for name, u in updated(net).items()}
    counts = replace(run.counts, layers=tuple(replace(one, active=theirs[one.name]) for one in run.counts.layers))
    found = estimate_energy(counts, "loihi1-sanafe", activity=activity(net))
    assert not found.unpriced
    ours = {name: part.nominal * 1e-12 * counts.samples for name, part in found.parts.items()}

    sops = {name: outside(run, name, tables[f"sops:{name}"]) for name in senders}
    assert any(sops.values()) is (net == "conv")
    synapse = ours["sops"] + sum(n * P[f"e_sop_{senders[name]}"] for name, n in sops.items())
    network = ours["messages"] + ours["hops"]
    for what, price in (("messages", "message"), ("hops_x", "hop_x"), ("hops_y", "hop_y")):
        more = {name: outside(run, name, tables[f"{what}:{name}"]) for name in senders}
        network += P[f"e_{price}"] * (sum(more.values()) + int(windowed(run, "input", tables[f"{what}:input"]).sum()))
    beyond = sum(group.size for group in run.program.groups) * run.program.latency * counts.samples
    soma = ours["neuron_updates"] + ours["spikes"] + beyond * P["e_neuron_access"]
    soma += sum(outside(run, name, updated(net)[name]) for name in groups) * P["e_neuron_update"]
    soma += sum(outside(run, name, spikes[name]) for name in groups) * P["e_spike_out"]
    for name, energy in (("synapse", synapse), ("network", network), ("soma", soma)):
        assert float(tables[f"{name}_energy"].sum()) == pytest.approx(energy, rel=ROUNDED), name


@pytest.mark.parametrize("net", NETS)
def test_the_estimated_time_of_every_step_is_sanafes(net: str) -> None:
    """With its updates for our active neurons, without our longest route, and where its input's core, which the
    estimate has none of, is not the slowest; barriers are those of the tiles that either side uses."""
    run, tables, profile = ran(net), record(net).tables, profile_named("loihi1-sanafe")
    x, cores = run.net.x, cores_of(run.program)
    idle = np.zeros((run.program.latency, *x.shape[1:]), x.dtype)  # so that a row is a step of SANA-FE's run
    tiles, settled = len(np.unique(tables["tiles"], axis=0)), max(run.windows[g.name].start for g in run.program.groups)
    compared = 0
    for sample in range(x.shape[1]):
        one = np.concatenate([x, idle])[:, sample : sample + 1]
        result = simulate(run.program, one, record=[g.name for g in run.program.groups])
        did = count_cores(run.program, result, cores)
        theirs = updated_in(run.program, result)
        active = np.zeros_like(did.active)
        for name, updates in theirs.items():
            each = updates[: did.rows, 0]
            for core in own(run, name):
                active[:, core] = each[:, cores.labels(name) == core].sum(axis=1)
        did = replace(did, active=active)
        latency, mesh = estimate_latency(did, profile, 0), mesh_ns(did, profile, "nominal")
        assert latency is not None and mesh is not None and latency.unpriced == ()
        busiest = (latency.per_step - sum(mesh.values())) * 1e-9
        sending = tables["core_messages_out"][:, sample, cores.count] * P["t_message_out"]
        barrier = barrier_ns(profile, tiles, "nominal")
        assert barrier is not None
        expected = np.maximum(busiest, sending) + barrier * 1e-9
        # a bias goes on after SANA-FE's run, and these spikes are in the first rows, of what follows
        first = settled - 1 if net == "conv" else 0
        assert np.allclose(tables["sim_time"][first:, sample], expected[first:], rtol=ROUNDED, atol=0)
        compared += int((busiest > sending)[first:].sum())
    assert compared > x.shape[1]
