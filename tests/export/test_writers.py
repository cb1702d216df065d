"""Layers that users bring: written as their writer says, with the shape that torch gives; and what is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spikeport.deploy import compile_graph, register_node
from spikeport.deploy.reader import brought
from spikeport.errors import ExportError, InputError
from spikeport.export import register_layer, to_nir, write_nir, writers
from spikeport.program import identical
from spikeport.sim import simulate
from spikeport.train import ALIF, QuantLinear, SpikingLayer


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers is gone after it."""
    monkeypatch.setattr(writers, "_WRITERS", {})
    monkeypatch.setattr(brought, "_LOWERINGS", {})
    yield


class Mirror(nn.Module):
    """The last neuron first."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(-1)


class Twice(nn.Module):
    """Every neuron two times."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x], dim=-1)


@dataclass(eq=False)
class Order(nir.NIRNode):
    order: np.ndarray


def layer(n_in: int, n_out: int, seed: int) -> SpikingLayer:
    torch.manual_seed(seed)
    return SpikingLayer(QuantLinear(n_in, n_out), ALIF(threshold=0.02))


def net(middle: nn.Module, between: int = 6) -> nn.Sequential:
    return nn.Sequential(layer(5, 6, 0), middle, layer(between, 4, between)).eval()


X = (np.random.default_rng(0).random((12, 3, 5)) < 0.5).astype(np.int64)


def test_a_layer_runs_on_the_chip_as_in_torch() -> None:
    register_layer(Twice, lambda module, shape: nir.Linear(np.tile(np.eye(*shape), (2, 1))))
    model = net(Twice(), 12)
    program = compile_graph(to_nir(model, torch.from_numpy(X)))
    assert [g.size for g in program.groups] == [6, 4]
    spikes = simulate(program, X).spikes
    assert np.array_equal(spikes, model(torch.from_numpy(X)).numpy())
    assert 0 < spikes.mean() < 1


def test_a_node_of_its_own_kind_is_lowered_from_objects_and_from_files(tmp_path: Path) -> None:
    register_layer(Mirror, lambda module, shape: Order(np.arange(*shape)[::-1].copy()))
    register_node("Order", lambda fields: nir.Linear(np.eye(len(fields["order"]))[fields["order"]]))
    model = net(Mirror())
    graph = to_nir(model, torch.from_numpy(X))
    write_nir(graph, tmp_path / "net.nir")
    program = compile_graph(graph)
    assert np.array_equal(simulate(program, X).spikes, model(torch.from_numpy(X)).numpy())
    mirrored = nn.Sequential(model[0], layer(6, 4, 6)).eval()
    with torch.no_grad():
        mirrored[1].synapse.weight.copy_(model[2].synapse.weight.flip(1))
    assert identical(program, compile_graph(to_nir(mirrored, torch.from_numpy(X))))
    assert 0 < simulate(program, X).spikes.mean() < 1
    from_file = compile_graph(tmp_path / "net.nir")
    assert np.array_equal(from_file.connections[-1].weight, program.connections[-1].weight)


def test_without_its_writer_a_layer_is_refused() -> None:
    with pytest.raises(ExportError, match=r"1: type \(Mirror\) has no NIR form"):
        to_nir(net(Mirror()), torch.from_numpy(X))


def test_a_subclass_is_another_layer() -> None:
    register_layer(Mirror, lambda module, shape: nir.Linear(np.eye(*shape)[::-1]))
    with pytest.raises(ExportError, match="has no NIR form"):
        to_nir(net(type("Sub", (Mirror,), {})()), torch.from_numpy(X))


def test_what_is_no_node_is_refused() -> None:
    register_layer(Mirror, lambda module, shape: np.eye(*shape))
    with pytest.raises(ExportError, match=r"Mirror\)?: what its writer gives \(ndarray\) is not a NIR node"):
        to_nir(net(Mirror()), torch.from_numpy(X))


def test_a_layer_that_changes_time_or_batch_is_refused() -> None:
    class Later(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([torch.zeros_like(x), x])

    register_layer(Later, lambda module, shape: nir.Linear(np.eye(*shape)))
    with pytest.raises(ExportError, match=r"output shape \(\(2, 1, 6\)\) is not \(T, B, \.\.\.\)"):
        to_nir(net(Later()), torch.from_numpy(X))


@pytest.mark.parametrize("kind", [Mirror(), "Mirror", int])
def test_only_classes_of_modules_are_registered(kind: object) -> None:
    with pytest.raises(InputError, match="is not a class of torch modules"):
        register_layer(kind, lambda module, shape: nir.Linear(np.eye(2)))  # type: ignore[arg-type]
