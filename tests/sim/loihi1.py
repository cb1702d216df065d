"""What the tests of the profile `loihi1` share."""

from dataclasses import replace
from typing import Any

import numpy as np

from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.sim import Result, simulate
from spikeport.sim.random_programs import random_program
from tests.vectors.case import Case
from tests.vectors.edges import driven

SUM = 2**15  # a << 6 wraps here


def run(case: Case | Program, profile: Profile | None = "loihi1", x: Any = None, **more: Any) -> Result:
    program, inputs = (case.program, dict(case.inputs)) if isinstance(case, Case) else (case, x)
    return simulate(program, inputs, record=[g.name for g in program.groups], profile=profile, **more)


def loihi1_program(seed: int, steps: int = 20) -> Case:
    """A random Program of what a Loihi 1 has, with delays, resets and bias inputs."""
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng, kinds=("lif", "refractory"), graded=False, steps=steps)
    program = replace(program, groups=tuple(replace(g, reset="zero") for g in program.lifs), profile="loihi1")
    return Case(f"seed {seed}", program, inputs)


def driven1(a: list[int], **values: Any) -> Case:
    """One neuron that receives these sums from step 2 on; it keeps u and forgets v, unless told otherwise."""
    return driven("", np.array(a)[:, None], extra_steps=1, **{"dv": 4096, **values})
