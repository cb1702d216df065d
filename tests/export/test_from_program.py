"""The way back: a Program's modules spike as it does, learn, and become the same Program again."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from spikeport import fixed
from spikeport.deploy import compile_graph
from spikeport.deploy.calibration import Calibration
from spikeport.errors import ExportError, InputError, OverflowDetected
from spikeport.export import from_program, to_nir, write_nir
from spikeport.export.network_to_nir import synapses_of
from spikeport.program import LIF, Conv, Dense, Input, Output, Program, Sparse, identical
from spikeport.sim import simulate
from spikeport.train import SpikingGroup, SpikingNetwork, Tuning, fine_tune, load_data, network_accuracy
from tests.export.programs import trainable_program
from tests.export.small import lif, one, residual
from tests.interop.vectors import read_vectors
from tests.nets import random_net
from tests.trained.nets import Trained, read_trained

seeds = st.integers(0, 2**32 - 1)


def tensors(inputs: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in inputs.items()}


def start_of(program: Program, name: str) -> int:
    """The hardware step at which a group sees its first input, from 0: along any path, because all are as long."""
    group = program.group(name)
    if isinstance(group, LIF) and group.reset_interval:
        return group.reset_offset - 1
    feeds = {c.target: c for c in program.connections if c.source != c.target}
    if name not in feeds:
        return 0
    c = feeds[name]
    delay = c.delay if isinstance(c.delay, int) else int(c.delay.flat[0]) if c.delay.size else 0
    spike_input = any(entry.name == c.source for entry in program.inputs)
    return delay + (1 if spike_input else start_of(program, c.source) + 1)


def assert_same_spikes(program: Program, net: SpikingNetwork, inputs: Mapping[str, np.ndarray]) -> int:
    """Every group against the reference; gives the number of spikes."""
    length = len(next(iter(inputs.values())))
    starts = {group.name: start_of(program, group.name) for group in net.ordered()}
    program = replace(program, latency=max(starts.values()))  # the run goes on until the latest group is done
    run = simulate(program, inputs, record=list(starts), engine="reference")
    found = net.spikes(tensors(inputs))
    for name, start in starts.items():
        trace = run.traces[name]
        expected = (trace.v if name in program.integrators else trace.s)[start : start + length]
        assert np.array_equal(found[name].numpy().reshape(expected.shape), expected), name
    return sum(int(s.sum()) for name, s in found.items() if name not in program.integrators)


def overflows(program: Program, inputs: Mapping[str, np.ndarray]) -> bool:
    try:
        simulate(replace(program, latency=program.latency + 3), inputs)
    except OverflowDetected:
        return True
    return False


def same_but_units(a: Program, b: Program) -> bool:
    """Whether all is the same but the float worth of a step, the file's hash, and the order of groups side by side."""

    def bare(program: Program) -> Program:
        groups = sorted((replace(g, v_unit=1.0) for g in program.lifs), key=lambda g: g.name)
        connections = sorted(program.connections, key=lambda c: c.target)
        return replace(program, nir_sha256="", groups=tuple(groups), connections=tuple(connections))

    return identical(bare(a), bare(b))


def normal(program: Program) -> Program:
    """With the least exponents, as the compiler writes them; every value stays."""
    groups, connections = [], []
    for g in program.lifs:
        whole = g.bias_mant.astype(np.int64) << g.bias_exp
        exp = g.bias_exp if any(e.synapses.target == g.name for e in program.encoders) else 0
        exp = exp or fixed.bias_exponent(int(np.abs(whole).max()))
        groups.append(replace(g, bias_mant=whole >> exp, bias_exp=exp))
    for c in program.connections:
        whole = c.weight.astype(np.int64) << c.weight_exp
        exp = fixed.weight_exponent(whole)
        connections.append(replace(c, weight=whole >> exp, weight_exp=exp))
    return replace(program, groups=tuple(groups), connections=tuple(connections))


# ---------------------------------------------------------------- the same spikes, the same Program


@given(seeds)
def test_every_group_spikes_as_in_the_simulator(seed: int) -> None:
    program, inputs = trainable_program(np.random.default_rng(seed))
    assume(not overflows(program, inputs))
    assert_same_spikes(program, from_program(program), inputs)


@given(seeds)
def test_samples_longer_than_the_reset_interval_are_cleared_in_between(seed: int) -> None:
    program, inputs = trainable_program(np.random.default_rng(seed), loops=False)
    assume(not overflows(program, inputs))
    assert_same_spikes(program, from_program(program), inputs)


@given(seeds)
def test_what_was_not_trained_is_exported_as_the_same_program(seed: int) -> None:
    program, _ = trainable_program(np.random.default_rng(seed), portable=True)
    again = compile_graph(to_nir(from_program(program)))
    assert same_but_units(again, normal(program))


@given(st.integers(0, 10_000))
def test_networks_of_our_own_come_back_identical(seed: int) -> None:
    net, x = random_net(seed)
    program = compile_graph(to_nir(net, x))
    if any(not e.synapses.weight.any() for e in program.encoders):
        return
    assert same_but_units(compile_graph(to_nir(from_program(program))), program)


def test_the_file_of_a_network_gives_what_the_graph_gives(tmp_path: Path) -> None:
    program = residual()
    write_nir(to_nir(from_program(program)), tmp_path / "net.nir")
    assert same_but_units(compile_graph(tmp_path / "net.nir"), program)


@pytest.mark.parametrize(
    "name",
    [
        "norse_conv",
        "norse_dense",
        "norse_dense_dt_1",
        "snntorch_dense",
        "spikingjelly_dense",
        "spikingjelly_dense_undecayed",
    ],
)
def test_networks_of_other_frameworks_come_back(name: str, tmp_path: Path) -> None:
    vector = next(v for v in read_vectors() if v.name == name)
    program = compile_graph(vector.write_meant(tmp_path))
    net = from_program(program)
    assert assert_same_spikes(program, net, {program.inputs[0].name: vector.x.astype(np.int64)}) > 0
    assert same_but_units(compile_graph(to_nir(net)), program)


@pytest.mark.parametrize("net", read_trained(), ids=lambda net: net.name)
def test_trained_networks_of_other_frameworks_come_back(net: Trained) -> None:
    """Currents and the clock, soft resets and copies, recurrence, readouts, pools: all spikes, and the same Program."""
    data = Calibration({"x": net.calibration[:, :64]})
    program = compile_graph(net.graph, convention=net.convention, data=data, steps=len(net.spikes))
    network = from_program(program)
    x = net.spikes[:, :16].astype(np.int64)
    assert assert_same_spikes(program, network, {program.inputs[0].name: x}) > 0
    assert same_but_units(compile_graph(to_nir(network)), program)


def test_a_bias_of_the_current_comes_back_from_the_clock() -> None:
    """The clock's weights are the bias of the synapse, beside a bias of v that stands in v_leak."""
    linear = nir.Affine(np.array([[0.5, 0.25]], np.float32), np.array([0.125], np.float32))
    one = np.ones(1, np.float32)
    cuba = nir.CubaLIF(4e-4 * one, 2e-4 * one, one, 0.5 * one, one, 0 * one, 4 * one)
    nodes = {"x": nir.Input(np.array([2])), "w": linear, "n": cuba, "y": nir.Output(np.array([1]))}
    names = list(nodes)
    graph = nir.NIRGraph(nodes, list(zip(names[:-1], names[1:], strict=True)), type_check=False)
    program = compile_graph(graph, steps=16)
    assert {g.name for g in program.groups} == {"spikeport_clock", "spikeport_pulse", "n"}
    net = from_program(program)
    x = np.random.default_rng(0).integers(0, 2, (16, 3, 2))
    run = simulate(program, x, record=["n"], engine="reference")
    start = program.group("n").reset_offset - 1
    spikes = net(torch.from_numpy(x)).numpy()
    assert np.array_equal(run.traces["n"].s[start : start + 16], spikes) and 0 < spikes.mean() < 1
    again = to_nir(net)
    assert isinstance(again.nodes["n"], nir.CubaLIF)
    assert same_but_units(compile_graph(again), program)


# ---------------------------------------------------------------- single cases


def ints_of(program: Program) -> Any:
    group = from_program(program).group("g")
    return group.integers()


def test_a_shortcut_comes_back_with_its_delay_and_every_exponent() -> None:
    program = residual()
    net = from_program(program)
    assert [w.max().item() for w in net.group("c").integers().weights] == [255 << 2, 154, 0]
    assert same_but_units(compile_graph(to_nir(net)), program)
    x = np.random.default_rng(0).integers(0, 2, (30, 4, 3))
    assert assert_same_spikes(program, net, {"x": x}) > 100


@pytest.mark.parametrize(
    "weight", [[[255, 1]], [[-255, -1]], [[-256, 254]], [[-256, 2]], [[0, 0]], [[2, -2]], [[-2, 0]], [[1, 0]]]
)
@pytest.mark.parametrize("exp", [0, 7])
@pytest.mark.parametrize("vth", [1, 3, 131071])
def test_mantissas_of_every_sign_come_back(weight: list[list[int]], exp: int, vth: int) -> None:
    ints = ints_of(one(weight, {"weight_exp": exp}, vth=vth))
    assert ints.weights[0].tolist() == [[w << exp for w in weight[0]]]
    assert ints.vth == vth


@pytest.mark.parametrize(("mant", "exp"), [(4095, 7), (-4095, 7), (-4096, 6), (1, 0), (-4096, 0), (3, 5)])
def test_biases_come_back(mant: int, exp: int) -> None:
    ints = ints_of(one([[2], [4]], bias=[mant, 0], bias_exp=exp))
    assert ints.bias.tolist() == [mant << exp, 0]


@pytest.mark.parametrize("dv", [0, 1, 2, 2048, 4094, 4095])
def test_decays_come_back(dv: int) -> None:
    program = one([[30, 40]], dv=dv)
    assert ints_of(program).dv == dv
    assert compile_graph(to_nir(from_program(program))).lifs[0].dv == dv


def test_a_negative_exponent_comes_back_where_the_weights_are_whole() -> None:
    assert ints_of(one([[16, 8]], {"weight_exp": -3})).weights[0].tolist() == [[2, 1]]
    with pytest.raises(ExportError, match="x -> g: weight_exp"):
        from_program(one([[16, 9]], {"weight_exp": -3}))


def test_a_bias_per_neuron_behind_a_convolution_stands_in_v_leak() -> None:
    """v = (1 - d) v + d (v_leak + I) with d = 1/4 and steps of 1/4096: a bias of 8 steps is a leak to 4 * 8 / 4096."""
    conv = Conv("x", "g", np.full((1, 1, 2, 2), 20))
    group = replace(lif("g", 1), shape=(1, 2, 2), bias_mant=np.array([[[8, 0], [0, -16]]]))
    program = Program((group,), (conv,), (Input("x", (1, 3, 3), "spike"),), (Output("y", "g"),), latency=1)
    net = from_program(program)
    assert net.group("g").bias.shape == (1, 2, 2)
    leak = to_nir(net).nodes["g"].v_leak
    assert (leak * 4096).tolist() == [[[32, 0], [0, -64]]]


def test_sparse_synapses_become_dense_with_the_same_spikes() -> None:
    sparse = Sparse("x", "g", np.array([0, 1]), np.array([2, 0]), np.array([61, 255]))
    program = replace(one([[0, 0, 0], [0, 0, 0]]), connections=(sparse,))
    net = from_program(program)
    again = compile_graph(to_nir(net))
    assert again.connections[0].weight.tolist() == [[0, 0, 61], [255, 0, 0]]
    x = np.random.default_rng(0).integers(0, 2, (30, 4, 3))
    assert assert_same_spikes(program, net, {"x": x}) == simulate(again, x).spikes.sum() > 0


def test_a_group_that_projects_to_itself_hears_itself_a_step_later() -> None:
    """One spike starts a neuron that then drives itself; with a delay of 2 it fires every third step."""
    loop = Dense("g", "g", np.array([[100]]), delay=2)
    program = replace(one([[100]]), connections=(*one([[100]]).connections, loop))
    x = np.zeros((8, 1, 1), np.int64)
    x[0] = 1
    net = from_program(program)
    assert net(torch.from_numpy(x))[:, 0, 0].tolist() == [1, 0, 0, 1, 0, 0, 1, 0]
    assert assert_same_spikes(program, net, {"x": x}) == 3
    assert same_but_units(compile_graph(to_nir(net)), program)


def test_several_inputs_and_outputs_go_by_name() -> None:
    inputs = (Input("p", (2,), "spike"), Input("q", (3,), "spike"))
    groups = (lif("a", 2, vth=30), lif("b", 3, vth=30))
    into = (
        Dense("p", "a", np.full((2, 2), 20)),
        Dense("q", "b", np.full((3, 3), 20)),
        Dense("q", "a", np.full((2, 3), 9)),
    )
    program = Program(groups, into, inputs, (Output("y", "b"), Output("z", "a")), latency=1)
    net = from_program(program)
    rng = np.random.default_rng(0)
    x = {name: rng.integers(0, 2, (20, 2, n)) for name, n in (("p", 2), ("q", 3))}
    assert assert_same_spikes(program, net, x) > 0
    found = net(tensors(x))
    assert isinstance(found, dict)
    assert {name: s.shape for name, s in found.items()} == {"y": (20, 2, 3), "z": (20, 2, 2)}
    assert same_but_units(compile_graph(to_nir(net)), program)
    with pytest.raises(InputError, match=r"SpikingNetwork: inputs \(\['p'\]\) are not \['p', 'q'\]"):
        net({"p": torch.zeros(1, 1, 2)})


def test_names_that_the_graph_would_use_twice_are_told_apart() -> None:
    """An output may bear its group's name, and a group that of the synapses that the export makes."""
    groups = (lif("x_to_g", 1), lif("g", 1, reset_offset=3))
    connections = (Dense("x", "x_to_g", np.array([[90]])), Dense("x", "g", np.array([[9]]), delay=1))
    connections += (Dense("x_to_g", "g", np.array([[30]])),)
    program = Program(groups, connections, (Input("x", (1,), "spike"),), (Output("g", "g"),), latency=2)
    again = compile_graph(to_nir(from_program(program)))
    assert same_but_units(again, replace(program, outputs=(Output("g_", "g"),)))


def test_a_loop_is_an_edge_back_through_its_synapse() -> None:
    loop = Dense("g", "g", np.array([[32]]))
    graph = to_nir(from_program(replace(one([[64]]), connections=(*one([[64]]).connections, loop))))
    assert {("g", "g_to_g"), ("g_to_g", "g")} <= set(graph.edges)
    assert graph.nodes["g_to_g"].weight.tolist() == [[0.5 * 4]]  # 32 / 64 over d = 1/4


def test_overflow_is_an_error_that_names_the_group() -> None:
    program = one([[255] * 600], vth=131071)
    x = torch.ones(1, 1, 600, dtype=torch.int64)
    with pytest.raises(OverflowDetected, match=r"^g \("):
        from_program(program)(x)
    with pytest.raises(OverflowDetected):
        simulate(program, x.numpy())


# ---------------------------------------------------------------- what learns


@pytest.mark.parametrize("dv", [0, 1024])
def test_weights_decays_thresholds_and_biases_have_gradients(dv: int) -> None:
    program = residual()
    program = replace(program, groups=tuple(replace(g, dv=dv) for g in program.lifs))
    net = from_program(program).train()
    x = (torch.rand(20, 4, 3, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    net(x).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_training_mode_spikes_as_eval_mode_where_no_sum_meets_the_threshold() -> None:
    """The float rule on the same rounded values: it differs by the decay's rounding alone."""
    program = residual()
    net = from_program(program)
    x = (torch.rand(40, 8, 3, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    assert (net(x) != net.train()(x)).float().mean() < 0.01


@given(seeds, st.sampled_from([0.05, 1.0, 5.0]))
def test_after_any_step_of_training_the_exported_program_spikes_as_eval_mode(seed: int, size: float) -> None:
    """Every parameter moved at random, by up to several thresholds: grids grow, signs begin to mix."""
    rng = np.random.default_rng(seed)
    program, inputs = trainable_program(rng, portable=True)
    net = from_program(program)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * size * parameter.abs().amax())
    again = compile_graph(to_nir(net))
    for group in net.ordered():
        ints, found = group.integers(), again.group(group.name)
        assert isinstance(found, LIF)
        assert (found.dv, found.vth) == (ints.dv, ints.vth)
        into = [c for c in again.connections if c.target == group.name]
        if isinstance(group, SpikingGroup):
            for c, weight in zip(into, ints.weights, strict=True):
                assert np.array_equal(c.weight.astype(int) << c.weight_exp, weight.numpy())
            bias = np.broadcast_to(ints.bias.numpy(), group.shape).reshape(-1)
            assert np.array_equal((found.bias_mant.astype(int) << found.bias_exp).reshape(-1), bias)
    assume(not overflows(again, inputs))
    assert_same_spikes(again, net, inputs)


def test_a_damaged_network_learns_the_digits_again() -> None:
    """Every weight times a random number in [0, 1); 60 steps bring back most of what is lost."""
    program, inputs, labels = digits_program()
    net = from_program(program)
    sound = network_accuracy(net, inputs, labels)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for group in net.ordered():
            for synapse in synapses_of(group).values():
                synapse.weight.mul_(torch.rand(synapse.weight.shape, generator=generator))
    damaged = network_accuracy(net, inputs, labels)
    fine_tune(net, inputs, labels, Tuning(epochs=10))
    tuned = network_accuracy(net, inputs, labels)
    assert damaged < sound - 0.1
    assert tuned > damaged + 0.1
    again = compile_graph(to_nir(net))
    x = inputs["input"]
    counts = simulate(again, x).spikes.sum(0).reshape(len(labels), 10, -1).sum(2)
    assert (counts.argmax(1) == labels).mean() == tuned


def digits_program() -> tuple[Program, dict[str, np.ndarray], np.ndarray]:
    """A small network for 300 digits of 64 pixels that spike where they are bright; trained for some epochs."""
    data = load_data("digits").train
    rng = np.random.default_rng(0)
    x = (rng.random((10, 300, 64)) < data.images[:300].reshape(300, 64) / 255).astype(np.int64)
    w1, w2 = (2 * rng.integers(-60, 61, shape) for shape in ((40, 64), (20, 40)))
    groups = (lif("h", 40, vth=300), lif("o", 20, vth=300, reset_offset=3))
    connections = (Dense("input", "h", w1), Dense("h", "o", w2))
    program = Program(
        groups, connections, (Input("input", (64,), "spike"),), (Output("y", "o", classes=10),), latency=2
    )
    net = from_program(program)
    fine_tune(net, {"input": x}, data.labels[:300], Tuning(epochs=20, learning_rate=3e-3))
    return compile_graph(to_nir(net)), {"input": x}, data.labels[:300]
