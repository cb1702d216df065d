"""SP4..: graphs that become Programs, and lava-dl's network files."""

from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

from spikeport.commands.compiling.compile import compile_file
from spikeport.deploy import compile_graph
from spikeport.deploy.guess import convention_named
from spikeport.deploy.lava import check_models
from spikeport.deploy.network import Network
from spikeport.deploy.netx import read_netx, write_netx
from spikeport.deploy.nodes import Input, Output
from spikeport.deploy.options import Options
from spikeport.deploy.passes.one_threshold import OneThreshold
from spikeport.deploy.read import from_nir, read_nir
from tests.deploy.graphs import chain, cuba, delay, graph, lif, linear, population
from tests.deploy.netx.netfile import dense, slayer_layer, write_net
from tests.errors.provoked.small import group, program

Patch = pytest.MonkeyPatch


def file_graph(**nodes: nir.NIRNode) -> nir.NIRGraph:
    """input, the nodes in their order, output, as `nir` has them."""
    named = {"input": nir.Input(np.array([4])), **nodes, "output": nir.Output(np.array([4]))}
    names = list(named)
    return nir.NIRGraph(named, list(zip(names[:-1], names[1:], strict=True)), type_check=False)


def neurons(**changes: float) -> nir.LIF:
    values = {"tau": 2e-4, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0, **changes}
    return nir.LIF(**{name: np.full(4, value) for name, value in values.items()})


def sp401(patch: Patch) -> None:
    nir.write("net.nir", file_graph(n=neurons()))
    with h5py.File("net.nir", "r+") as file:
        del file["node/nodes/n/type"]
        file["node/nodes/n/type"] = "Softmax"
    read_nir("net.nir")


def sp402(patch: Patch) -> None:
    graph = file_graph(lif=neurons())
    graph.nodes["lost"] = neurons()
    graph.edges.append(("lost", "output"))
    from_nir(graph)


def sp403(patch: Patch) -> None:
    from_nir(file_graph(lif=neurons(tau=-1.0)))


def sp404(patch: Patch) -> None:
    from_nir(file_graph(affine=nir.Affine(np.ones((4, 3)), np.zeros(4)), lif=neurons()))


def sp405(patch: Patch) -> None:
    nested = file_graph(n=neurons())
    for _ in range(20):
        nested = file_graph(g=nested)
    from_nir(nested)


def sp406(patch: Patch) -> None:
    nodes = {"in": Input((2,)), "a": linear(np.eye(2)), "b": linear(np.eye(2)), "n": lif(2), "out": Output()}
    compile_graph(graph(nodes, [("in", "a"), ("a", "b"), ("b", "a"), ("b", "n"), ("n", "out")]))


def sp407(patch: Patch) -> None:
    compile_graph(chain(neuron=lif(3, tau=5e-5)), convention="nir")


def sp408(patch: Patch) -> None:
    neuron = lif(200)
    object.__setattr__(neuron, "tau", np.linspace(2e-4, 1e-2, 200))
    compile_graph(chain(2, 200, neuron))


def sp409(patch: Patch) -> None:
    nodes = {"in": Input((2,)), "d": delay(-2, 1), "w": linear(np.eye(2)), "n": lif(2), "out": Output()}
    compile_graph(graph(nodes))


def sp410(patch: Patch) -> None:
    Options(dt_s=0)


def sp411(patch: Patch) -> None:
    convention_named("keras")


def sp412(patch: Patch) -> None:
    nodes = {"in": Input((2,)), "w": linear(np.eye(2)), "n": cuba(2), "out": Output()}
    compile_graph(graph(nodes), input="bias")


def sp413(patch: Patch) -> None:
    large = file_graph(affine=nir.Affine(np.ones((1, 5000)), np.zeros(1)), lif=neurons())
    one = {k: v[:1] for k, v in vars(neurons()).items() if isinstance(v, np.ndarray)}
    large.nodes["lif"] = nir.LIF(**{k: one[k] for k in ("tau", "r", "v_leak", "v_threshold", "v_reset")})
    large.nodes["input"], large.nodes["output"] = nir.Input(np.array([5000])), nir.Output(np.array([1]))
    nir.write("net.nir", large)
    compile_file(Path("net.nir"), Path("net.h5"), "loihi1", {})


def sp414(patch: Patch) -> None:
    compile_graph(graph({"in": Input((2,)), "w": linear(np.eye(2), 1e6), "n": lif(2), "out": Output()}))


def sp415(patch: Patch) -> None:
    uneven = population("n", 2, threshold=np.array([1.0, 2.0]))
    OneThreshold().ensures(Network((uneven,), (), (), ()), Options())


def sp420(patch: Patch) -> None:
    read_netx(write_net(Path("net.net"), slayer_layer("pool")))


def sp421(patch: Patch) -> None:
    read_netx(write_net(Path("net.net"), dense([[300, -2]])))


def sp422(patch: Patch) -> None:
    write_netx(program(groups=(group(reset="subtract"),)), "net.net")


def sp423(patch: Patch) -> None:
    check_models(program(profile="loihi1"))
