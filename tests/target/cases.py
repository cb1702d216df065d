"""What every target runs: Programs that a Loihi 2 can hold, and what must come of them, value by value.

Left out is what the chip's words or its number of message bits would cut, and what no public code runs on a Loihi 2.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from spikeport.deploy.rules import check
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Program, SigmaDelta
from spikeport.sim import simulate
from spikeport.sim.random_programs import random_program
from tests.sim.test_vectors import CASES
from tests.vectors.case import case_from_json

KINDS = ("lif", "sigma", "sigma_delta")
MESSAGE_BITS = 16
RANDOM = 20
FEW = 4
"""Of each source, for targets that are slow."""


@dataclass(frozen=True, eq=False)
class TargetCase:
    name: str
    program: Program
    inputs: dict[str, Ints]
    want: Mapping[str, Mapping[str, Ints]]
    """By group and variable, `(steps, B, *shape)`."""


def recorded() -> Iterator[TargetCase]:
    """What Lava's models were recorded to do (`tests/vectors`)."""
    for stem, case in CASES:
        found = case_from_json(case["name"], case["in"])
        if fits(found.program, dict(found.inputs)):
            want = {group: {k: np.array(x) for k, x in of.items()} for group, of in case["out"].items()}
            yield TargetCase(f"{stem}: {case['name']}", found.program, dict(found.inputs), want)


def drawn() -> Iterator[TargetCase]:
    """Random Programs, and what the specification makes of them."""
    for seed in range(10**6):
        program, inputs = random_program(np.random.default_rng(seed), steps=12, batch=1, kinds=KINDS)
        if fits(program, inputs):
            ran = simulate(program, inputs, record=[g.name for g in program.groups], engine="reference")
            want = {name: {**trace.state, "s": trace.s} for name, trace in ran.traces.items()}
            yield TargetCase(f"seed {seed}", program, inputs, want)


def cases(few: bool) -> list[TargetCase]:
    """All, or so many that a slow target is tried at all, spread over the files of recordings."""
    known = list(recorded())
    if not few:
        return [*known, *islice(drawn(), RANDOM)]
    return [*known[:: len(known) // FEW], *islice(drawn(), FEW)]


def fits(program: Program, inputs: Mapping[str, Ints]) -> bool:
    """Whether a Loihi 2 can hold it, and nothing leaves a word; and something is sent."""
    if check(program, "loihi2") or not all(seen_on_chip(g) for g in program.groups):
        return False
    try:
        sent = simulate(program, dict(inputs), profile="strict").sent
    except OverflowDetected:
        return False
    largest = max(int(np.abs(sent[g.name]).max()) for g in program.groups)
    return 0 < largest < 1 << (MESSAGE_BITS - 1)


def seen_on_chip(group: object) -> bool:
    if isinstance(group, SigmaDelta):
        return group.stage != "delta"
    return isinstance(group, LIF) and group.vth_low is None and group.reset == "zero"
