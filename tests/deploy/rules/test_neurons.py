"""Which chip has which neurons and spikes."""

from dataclasses import replace

import numpy as np

from spikeport.deploy.rules import check
from spikeport.program import LIF, Dense, Input, Output, Program, Resonator

LEAKY = LIF("a", (2,), 0, 0, 9, np.zeros(2, int))
PROGRAM = Program(
    groups=(LEAKY, replace(LEAKY, name="b")),
    connections=(Dense("x", "a", np.zeros((2, 2), int)), Dense("a", "b", np.zeros((2, 2), int))),
    inputs=(Input("x", (2,), "spike"),),
    outputs=(Output("y", "b"),),
)


def broken(program: Program, chip: str) -> list[tuple[str, str, int, int]]:
    return [(v.id, v.layer, v.value, v.limit) for v in check(program, chip)]


def test_loihi_1_has_lif_that_resets_to_zero_with_a_refractory_period() -> None:
    resting = replace(PROGRAM, groups=(LEAKY, replace(LEAKY, name="b", refractory_steps=5)))
    assert broken(PROGRAM, "loihi1") == broken(resting, "loihi1") == []


def test_loihi_1_has_no_other_neurons() -> None:
    soft = replace(PROGRAM, groups=(replace(LEAKY, reset="subtract"), replace(LEAKY, name="b", vth_low=-9)))
    found = [("neurons_exist_on_the_chip", name, 2, 1) for name in "ab"]
    assert broken(soft, "loihi1") == found
    assert broken(soft, "loihi2") == []
    group = Resonator("a", (2,), "rf", 5, 0, 0)
    links = (replace(PROGRAM.connections[0], port="im"), PROGRAM.connections[1])
    resonant = replace(PROGRAM, groups=(group, PROGRAM.groups[1]), connections=links)
    assert broken(resonant, "loihi1") == found[:1]
    assert broken(resonant, "loihi2") == []


def test_loihi_1_has_no_payloads() -> None:
    links = (PROGRAM.connections[0], replace(PROGRAM.connections[1], graded=True))
    graded = replace(PROGRAM, connections=links, inputs=(Input("x", (2,), "graded", -5, 5),))
    assert broken(graded, "loihi1") == [("spikes_are_binary_on_loihi1", where, 24, 0) for where in ("a -> b", "x")]
    assert broken(graded, "loihi2") == []
    assert check(graded, "loihi1")[0].remedy == "compile for Loihi 2, or send spikes of 0 and 1"
