"""`compile_graph`: from any form of a graph, with the user's options before the writer's notes."""

from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch

from spikeport.deploy import compile_graph
from spikeport.deploy.graph import Graph
from spikeport.deploy.network import Network
from spikeport.deploy.options import Options
from spikeport.deploy.pipeline import PIPELINE, run_passes
from spikeport.deploy.read import read_nir
from spikeport.errors import (
    CompileOption,
    DeployError,
    FieldInvalid,
    FileMissing,
    NumberTooLarge,
    ProgramShape,
    SpikeportError,
    UnknownName,
)
from spikeport.export import to_nir, write_nir
from spikeport.program import Program, identical
from spikeport.train import ALIF, Image, QuantLinear, SpikingLayer, Vote
from tests.deploy.graphs import chain, graph, lif, linear


@pytest.fixture
def exported() -> nir.NIRGraph:
    """Two layers on an image of four values; the notes hold all options."""
    torch.manual_seed(0)
    first = SpikingLayer(QuantLinear(4, 6), ALIF(), image=Image(5, -3, 12, 0.125))
    net = torch.nn.Sequential(first, SpikingLayer(QuantLinear(6, 4), ALIF()), Vote(2))
    return to_nir(net, torch.zeros(1, 4), dt_s=2e-4)


def refused(*args: Any, **options: Any) -> SpikeportError:
    with pytest.raises(SpikeportError) as caught:
        compile_graph(*args, **options)
    return caught.value


# ---------------------------------------------------------------- sources


def test_a_file_its_path_as_text_and_its_graph_compile_alike(exported: nir.NIRGraph, tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write_nir(exported, path)
    program = compile_graph(path)
    assert identical(program, compile_graph(str(path)))
    assert identical(program, compile_graph(read_nir(path)))
    from_graph = compile_graph(exported)
    assert program.nir_sha256 and not from_graph.nir_sha256
    assert identical(program.groups, from_graph.groups)
    assert identical(program.connections, from_graph.connections)
    assert identical(program.encoders, from_graph.encoders)


def test_compiling_twice_gives_the_same_program(exported: nir.NIRGraph) -> None:
    assert identical(compile_graph(exported), compile_graph(exported))


# ---------------------------------------------------------------- options


def test_the_notes_of_the_graph_are_its_options(exported: nir.NIRGraph) -> None:
    program = compile_graph(exported)
    (entry,) = program.inputs
    assert (entry.kind, entry.low, entry.high) == ("bias", -3, 12)
    assert program.dt_s == 2e-4
    assert program.outputs[0].classes == 2
    assert [g.reset_interval for g in program.groups] == [8, 8]


def test_what_the_user_says_counts_more_than_the_notes(exported: nir.NIRGraph) -> None:
    program = compile_graph(exported, "loihi1", steps=20, classes=4, high=20, profile="lava")
    assert (program.chip, program.profile, program.inputs[0].high) == ("loihi1", "lava", 20)
    assert program.outputs[0].classes == 4
    assert program.groups[0].reset_interval == 32


def test_the_arithmetic_profile_does_not_follow_from_the_chip(exported: nir.NIRGraph) -> None:
    assert compile_graph(exported, "loihi1").profile == "strict"
    assert compile_graph(exported, "loihi2", profile="loihi1").profile == "loihi1"


def test_an_unknown_profile_is_refused_with_the_known_ones(exported: nir.NIRGraph) -> None:
    with pytest.raises(DeployError) as caught:
        compile_graph(exported, profile="loihi3")
    assert str(caught.value) == "options: profile (loihi3) is not one of strict, lava, loihi1"


def test_without_notes_the_defaults_count() -> None:
    program = compile_graph(chain())
    assert (program.chip, program.profile, program.dt_s, program.inputs[0].kind) == ("loihi2", "strict", 1e-4, "spike")
    assert program.groups[0].reset_interval == 32768


def test_options_that_are_none_are_left_open(exported: nir.NIRGraph) -> None:
    assert identical(compile_graph(exported, steps=None, dt_s=None, input=None), compile_graph(exported))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt_s": 0.0}, "options: dt_s (0.0) is not in (1e-18, 1000)"),
        ({"dt_s": float("nan")}, "options: dt_s (nan) is not in (1e-18, 1000)"),
        ({"steps": 0}, "options: steps (0) is not in [1, 32768]"),
        ({"steps": 32769}, "options: steps (32769) is not in [1, 32768]"),
        ({"input": "graded"}, "options: input (graded) is not one of spike, bias"),
        ({"low": 12, "high": 12}, "options: low (12) is not below high 12"),
        ({"high": 10**40}, "options: high (1e+40) is not in [-2147483647, 2147483647]"),
        ({"scale": 0.0}, "options: scale (0.0) is not in (1e-18, 1000000)"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    error = refused(chain(), **options)
    assert type(error) is CompileOption
    assert str(error) == message


def test_an_unknown_chip_is_refused() -> None:
    error = refused(chain(), "loihi3")
    assert type(error) is UnknownName
    assert str(error) == "target: chip (loihi3) is not one of loihi1, loihi2"


@pytest.mark.parametrize(
    ("note", "value"), [("steps", "many"), ("dt_s", np.zeros(3)), ("low", None), ("high", float("inf"))]
)
def test_a_note_that_is_no_number_is_refused(exported: nir.NIRGraph, note: str, value: object) -> None:
    exported.metadata["spikeport"][note] = value
    error = refused(exported)
    assert type(error) is FieldInvalid
    assert (error.where, error.what, error.do) == ("graph", f"note {note}", "export it again")


def test_notes_of_another_kind_are_ignored(exported: nir.NIRGraph) -> None:
    exported.metadata = {"spikeport": 3}
    assert compile_graph(exported, dt_s=2e-4).inputs[0].kind == "spike"


def test_votes_that_do_not_divide_are_refused() -> None:
    error = refused(chain(n_out=3), classes=2)
    assert type(error) is ProgramShape
    assert str(error) == "out: neurons (3) do not divide by classes 2"


# ---------------------------------------------------------------- passes


def test_each_pass_is_shown_with_what_it_gave() -> None:
    seen: dict[str, Any] = {}
    program = compile_graph(chain(), after=seen.__setitem__)
    assert list(seen) == [step.name for step in PIPELINE]
    assert seen["assemble"] is program
    assert isinstance(seen["fold_neurons"], Graph) and isinstance(seen["thresholds"], Graph)
    names = list(seen)
    floats = names[names.index("to_network") : names.index("quantize")]
    assert all(isinstance(seen[name], Network) for name in floats)


def test_names_of_passes_are_distinct() -> None:
    assert len({p.name for p in PIPELINE}) == len(PIPELINE)


@pytest.mark.parametrize(
    ("before", "step"),
    [(chain(neuron=lif(3, v_threshold=-1.0)), "fold_neurons"), (chain(neuron=lif(3, v_threshold=1e-6)), "quantize")],
)
def test_an_error_says_which_pass_it_came_from(before: Graph, step: str) -> None:
    with pytest.raises(DeployError) as caught:
        run_passes(PIPELINE, before, Options(), lambda name, stage: None)
    assert caught.value.__notes__ == [f"in pass {step}"]


def test_a_network_that_fits_no_scaling_is_a_rule_broken() -> None:
    error = refused(chain(neuron=lif(3, v_threshold=1e-6)))
    assert type(error) is NumberTooLarge
    assert error.exit_code == 1


def test_a_step_that_is_longer_than_a_time_constant_names_the_longest() -> None:
    error = refused(chain(), dt_s=1e-3)
    assert str(error) == (
        "n: tau (0.0002) is below the step dt_s 0.001; "
        "name the step that the time constants are for; it is at most 0.0002"
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert type(refused(tmp_path / "net.nir")) is FileMissing


# ---------------------------------------------------------------- a graph of no one's: quantization is close


def test_a_graph_from_elsewhere_spikes_nearly_as_its_floats_do(rng: np.random.Generator) -> None:
    """Two float64 layers by hand; 8-bit weights and 12-bit decays change few of the spikes."""
    from spikeport.deploy.nodes import Input, Output
    from spikeport.sim import simulate

    one, two = (linear(rng.normal(0.2, 1.0, shape), rng.normal(0, 0.1, shape[0])) for shape in ((30, 20), (10, 30)))
    tau = 3.7e-4
    nodes = {"in": Input((20,)), "w": one, "a": lif(30, tau=tau), "v": two, "b": lif(10, tau=tau), "out": Output()}
    spikes = (rng.random((40, 8, 20)) < 0.3).astype(np.int64)
    x = spikes.astype(np.float64)
    for synapse in (one, two):
        v, out = np.zeros((8, len(synapse.weight))), []
        for now in x:
            v = v + 1e-4 / tau * (-v + now @ synapse.weight.T + synapse.bias)
            out.append(v > 1)
            v = np.where(v > 1, 0, v)
        x = np.array(out, np.float64)
    program: Program = compile_graph(graph(nodes))
    found = simulate(program, spikes).spikes
    assert x.mean() > 0.02
    assert (found != x).mean() < 0.02
