"""Programs that the trainable layers do not have are refused, with the group's name and what to do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikeport.errors import ExportError
from spikeport.export import from_program, to_nir
from spikeport.program import Dense, Encoder, Input, Output, Program, SigmaDelta, Sparse
from tests.export.small import lif, one, residual


def refused(program: Program) -> ExportError:
    with pytest.raises(ExportError) as caught:
        from_program(program)
    return caught.value


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"du": -1}, "du"),
        ({"dv": 4096}, "dv"),
        ({"vth": 0}, "vth"),
        ({"refractory_steps": 2}, "refractory_steps"),
        ({"vth_low": -5}, "vth_low"),
        ({"bias": -4096, "bias_exp": 7}, "largest |bias|"),
        ({"reset_offset": 1}, "reset_offset"),
        ({"reset_interval": 0, "bias": 1}, "bias"),
    ],
)
def test_neurons_that_the_layers_do_not_have_are_refused_by_name(options: dict[str, Any], what: str) -> None:
    error = refused(one([[2, 4]], **options))
    assert (error.where, error.what) == ("g", what)
    assert error.do


def test_other_kinds_of_neurons_are_refused() -> None:
    program = replace(one([[2, 4]]), groups=(SigmaDelta("g", (1,), "sigma"),))
    assert str(refused(program)) == "g: kind of neuron (SigmaDelta) is not LIF; only LIF can be trained"


def test_paths_that_do_not_meet_are_refused() -> None:
    program = residual()
    late = replace(program.connections[2], delay=1)
    error = refused(replace(program, connections=(*program.connections[:2], late, *program.connections[3:])))
    assert str(error) == (
        "c: first spikes of a sample (x at 3, a at 4, b at 4) do not arrive with the first, at 4; "
        "delay the shorter paths"
    )


def test_delays_that_differ_within_a_connection_are_refused() -> None:
    assert refused(one([[2, 4]], {"delay": np.array([[0, 1]])})).what == "delays"


def test_graded_spikes_are_refused() -> None:
    assert refused(one([[2, 4]], {"graded": True})).what == "graded spikes"


def test_a_group_that_nothing_hears_is_refused_by_the_export() -> None:
    program = residual()
    silent = replace(program, outputs=(Output("y", "b"),), latency=2)
    with pytest.raises(ExportError, match="c: feeds nothing; leave it out, or read it at an output"):
        to_nir(from_program(silent))


def test_resets_of_two_kinds_are_refused_by_the_export() -> None:
    program = residual()
    soft = replace(program, groups=(*program.lifs[:2], replace(program.lifs[2], reset="subtract")))
    with pytest.raises(ExportError, match=r"network: resets \(zero and subtract\) differ"):
        to_nir(from_program(soft))


def test_an_open_loop_is_refused_by_the_export() -> None:
    """a hears b and b hears c and c hears a, but not the other way: names do not say where a reader begins."""
    program = residual()
    back = Dense("c", "a", np.full((3, 3), 2))
    with pytest.raises(ExportError, match="loop through several groups"):
        to_nir(from_program(replace(program, connections=(*program.connections[:2], program.connections[4], back))))


def test_a_clock_that_stops_is_refused() -> None:
    groups = (lif("spikeport_clock", 1, reset_offset=1), lif("spikeport_pulse", 1, reset_offset=1), lif("g", 1))
    connections = (Dense("x", "g", np.array([[60]])), Dense("spikeport_clock", "g", np.array([[60]])))
    program = Program(groups, connections, (Input("x", (1,), "spike"),), (Output("y", "g"),), latency=1)
    assert refused(program).what == "does not fire at every step"


def test_a_loop_behind_a_group_that_runs_early_is_refused() -> None:
    """b's bias makes it fire a step before its sample starts, and it would hear that after."""
    quiet, loud = 60 << 5, 61 << 6
    for bias, fires in ((quiet, False), (loud, True)):
        b = lif("b", 3, 0, reset_offset=3)
        b = replace(b, bias_mant=np.full(3, bias // 4), bias_exp=2)
        program = replace(residual(), groups=(lif("a", 3), b, *residual().lifs[2:]))
        loop = Dense("b", "b", np.ones((3, 3), int))
        program = replace(program, connections=(*program.connections, loop))
        if not fires:
            assert from_program(program).group("b").into[-1].lag == 1
            continue
        error = refused(program)
        assert (error.where, error.what) == ("b", "spikes before its first input")


def test_an_output_off_the_latency_is_refused() -> None:
    assert refused(replace(one([[2, 4]]), latency=3)).where == "y"


@pytest.mark.parametrize(
    ("weight", "offset", "shift", "what"),
    [([[2, 4]], 0, 8, "weights"), ([[254, 4]], 1, 8, "offset"), ([[254, 4]], 0, 9, "shift")],
)
def test_encoders_that_nobody_would_derive_are_refused(
    weight: list[list[int]], offset: int, shift: int, what: str
) -> None:
    encoder = Encoder(Dense("x", "g", np.array(weight)), np.array([offset]), shift)
    group = lif("g", 1, bias_exp=6, reset_offset=1)
    program = Program((group,), (), (Input("x", (2,), "bias", 0, 255),), (Output("y", "g"),), (encoder,))
    assert refused(program).what == what


def test_an_interval_that_no_chip_has_is_refused_by_the_export() -> None:
    with pytest.raises(ExportError, match=r"steps between resets \(3\) are not 2\^k"):
        to_nir(from_program(one([[2, 4]], reset_interval=3)))


def test_listed_synapses_whose_matrix_is_too_large_for_a_file_are_refused() -> None:
    n, ends = 9000, np.arange(3)
    listed = Sparse("x", "g", ends, ends[::-1], np.array([1, 2, 3]))
    program = Program((lif("g", n),), (listed,), (Input("x", (n,), "spike"),), (Output("y", "g"),), latency=1)
    with pytest.raises(ExportError, match=r"g: matrix from x \(81,000,000 weights\) exceeds 67108864"):
        to_nir(from_program(program))
