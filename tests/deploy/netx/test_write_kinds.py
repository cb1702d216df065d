"""What of sigma-delta and resonate-and-fire Programs a `.net` cannot hold is refused with the reason."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.deploy.netx import NetxArguments, read_netx, write_netx
from spikeport.errors import DeployError
from spikeport.program import Connection, Conv, Dense, Group, Input, Output, Program, Resonator, SigmaDelta, Sparse

W = np.array([[2, -4, 6], [8, 10, -12]])
PAYLOADS = Input("x", (3,), "graded", -100, 50)
MIDDLE = SigmaDelta("a", (2,), "sigma_delta", 5, np.array([1, 2]), 6, 6)
RF = Resonator("a", (2,), "rf", 30, 2000, 3000, 6)
RE, IM = Dense("x", "a", W, port="re"), Dense("x", "a", 3 * W, port="im")
DELTA = SigmaDelta("d", (3,), "delta", 2, 0, 6, 6)
EACH = Sparse("x", "d", np.arange(3), np.arange(3), np.ones(3, np.int64), graded=True)


def program(*groups: Group, links: tuple[Connection, ...] = (), entry: Input = PAYLOADS) -> Program:
    links = links or (Dense("x", "a", W, graded=entry.kind == "graded"),)
    return Program(groups, links, (entry,), (Output("y", groups[-1].name),), latency=1)


def test_the_arguments_say_what_the_file_cannot(tmp_path: Path) -> None:
    """The exponent of payloads; and the bits of the input's, here 7 for -100."""
    found = program(replace(MIDDLE, spike_exp=2))
    assert write_netx(found, tmp_path / "a.net") == NetxArguments(spike_exp=2, input_message_bits=7)
    read = read_netx(tmp_path / "a.net", spike_exp=2, input_message_bits=7)
    assert read.inputs[0] == replace(PAYLOADS, low=-127, high=127)


def test_delta_neurons_become_the_input_layer(tmp_path: Path) -> None:
    links = (EACH, Dense("d", "a", W, graded=True))
    arguments = write_netx(program(DELTA, MIDDLE, links=links), tmp_path / "a.net")
    assert arguments == NetxArguments()
    assert [g.name for g in read_netx(tmp_path / "a.net").groups] == ["input", "fc0"]


SPIKES = Input("x", (3,), "spike")
BOTH: dict[str, Any] = {"links": (RE, IM), "entry": SPIKES}
REFUSED: list[tuple[Program, str]] = [
    (program(replace(MIDDLE, cum_error=True)), "a: cum_error (True) is not False; lava-dl knows no other"),
    (program(replace(MIDDLE, activation="unit")), "a: activation (unit) is not relu; lava-dl knows no other"),
    (
        program(replace(MIDDLE, state_exp=5)),
        "a: state_exp (5) is not 6; lava-dl knows no other; run this",
    ),
    (program(replace(RF, state_exp=0), **BOTH), "a: state_exp (0) is not 6; lava-dl knows no other"),
    (program(replace(RF, decay_bits=11, cos_decay=1), **BOTH), "a: decay_bits (11) is not 12; lava-dl knows no other"),
    (
        program(
            MIDDLE,
            replace(MIDDLE, name="b", spike_exp=3),
            links=(Dense("x", "a", W, graded=True), Dense("a", "b", W[:, :2], graded=True)),
        ),
        "b: spike_exp (3) is not 6; lava-dl takes one for the whole network",
    ),
    (
        program(MIDDLE, links=(Dense("x", "a", W),)),
        "x -> a: graded (False) is not True; lava-dl counts the payloads of SDNN neurons and of graded input",
    ),
    (
        program(MIDDLE, links=(Dense("x", "a", W, graded=True), Dense("a", "a", W[:, :2], graded=True))),
        "a: recurrent connection is not supported",
    ),
    (
        program(
            replace(MIDDLE, name="b"),
            replace(DELTA, shape=(2,)),
            links=(Dense("x", "b", W, graded=True), Dense("b", "d", W[:, :2], graded=True)),
        ),
        "d: delta neurons are not the input layer",
    ),
    (
        program(DELTA, links=(replace(EACH, weight=2 * EACH.weight),)),
        "d: synapses of delta neurons are not one listed synapse of weight 1 for each neuron, from an input",
    ),
    (program(DELTA, links=(replace(EACH, row=EACH.row[::-1].copy()),)), "d: synapses of delta neurons are not one"),
    (program(DELTA, links=(replace(EACH, delay=1),)), "d: synapses of delta neurons are not one listed"),
    (program(RF, links=(RE, replace(IM, delay=2)), entry=SPIKES), "a: delay of RF neurons is not supported; lava-dl"),
    (
        program(RF, links=(RE, replace(IM, weight=0 * W)), entry=SPIKES),
        "a: all weights are 0: lava-dl stops with an OverflowError",
    ),
    (program(RF, links=(RE,), entry=SPIKES), "program: connections (x -> a) are not one chain"),
    (
        program(
            replace(RF, shape=(1, 2, 2)),
            links=tuple(Conv("x", "a", np.full((1, 1, 1, 1), 2), port=port) for port in ("re", "im")),  # type: ignore[arg-type]
            entry=Input("x", (1, 2, 2), "spike"),
        ),
        "a: convolution into RF neurons is not supported",
    ),
]


@pytest.mark.parametrize(("found", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_what_a_file_cannot_hold_is_refused_and_nothing_is_written(tmp_path: Path, found: Program, words: str) -> None:
    with pytest.raises(DeployError) as refused:
        write_netx(found, tmp_path / "a.net")
    assert words in str(refused.value)
    assert not list(tmp_path.iterdir())
