"""Writes the recorded vectors, from Lava: python -m tests.vectors.make

Every number under "out" comes from Lava's own process models; spikeport's arithmetic has no part in it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikeport import fixed
from spikeport.deploy.lava import LavaRun, run_lava_jobs
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Input, Output, Program, Shape
from spikeport.sim import random_programs as programs
from tests.vectors.case import Case, case_to_json
from tests.vectors.edges import lif_edges, overflow_edges, resonator_edges, sigma_delta_edges, ternary_edges

FOLDER = Path(__file__).parent
SEED = 20_240_607
Connect = Callable[[np.random.Generator], tuple[Connection, Shape, Shape]]


def families() -> dict[str, tuple[str, list[Case]]]:
    """File name -> what it is about, and its cases."""
    rng, graded = np.random.default_rng(SEED), np.random.default_rng(SEED + 1)
    return {
        "lava_lif": ("LIF and LIFReset at the edges of their words", list(lif_edges())),
        "lava_overflow": (
            "sums beyond 24 and 32 bits; geometry beyond int8, which the worker widens",
            list(overflow_edges()),
        ),
        "lava_dense": ("Dense: sign modes and exponents", list(_connected(rng, "dense", _dense, 16))),
        "lava_sparse": ("Sparse: sign modes and exponents", list(_connected(rng, "sparse", _sparse, 16))),
        "lava_delay": ("Dense and Sparse with delays", list(_connected(rng, "delay", _delayed, 16))),
        "lava_conv": ("Conv: stride, padding, dilation, groups", list(_connected(rng, "conv", _conv, 16))),
        "lava_ternary": ("TernaryLIF around both thresholds", list(ternary_edges())),
        "lava_sigma_delta": ("Delta, Sigma and SigmaDelta; 32 bits and beyond", list(sigma_delta_edges())),
        "lava_resonator": ("RF and RF_IZ: rounding, thresholds, clipping", list(resonator_edges())),
        "lava_graded": ("graded spikes through every kind of connection", list(_graded(graded, 5))),
        "lava_network": ("several groups, loops, shortcuts, encoders", list(_networks(rng, 8))),
    }


def main() -> None:
    found = families()
    cases = [case for _, family in found.values() for case in family]
    runs = iter(run_lava_jobs([(case.program, case.inputs) for case in cases]))
    for name, (about, family) in found.items():
        path = FOLDER / f"{name}.json"
        path.write_text(_text(about, family, [next(runs) for _ in family]))
        print(f"{path.name}: {len(family)} cases, {path.stat().st_size:,} bytes")


def _text(about: str, cases: list[Case], runs: list[LavaRun]) -> str:
    head = {
        "about": about,
        "reference": "lava-nc 0.10.0: proc/lif, sdn, rf, rf_iz, dense, sparse and conv, fixed-point models",
        "made_by": "python -m tests.vectors.make",
        "versions": dict(runs[0].versions),
        "seed": SEED,
    }
    lines = [_json({"name": c.name, "in": case_to_json(c), "out": _out(r)}) for c, r in zip(cases, runs, strict=True)]
    return json.dumps(head, indent=1).removesuffix("\n}") + ',\n "cases": [\n' + ",\n".join(lines) + "\n ]\n}\n"


def _out(run: LavaRun) -> dict[str, Any]:
    """Plain lists by variable; u, v and s of a LIF."""
    return {
        name: {k: x.tolist() for k, x in {**trace.state, "s": trace.s}.items()} for name, trace in run.traces.items()
    }


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _connected(rng: np.random.Generator, name: str, connect: Connect, count: int) -> Iterator[Case]:
    """One connection of the kind, into neurons that spike now and then."""
    for number in range(count):
        connection, source, target = connect(rng)
        program = Program(
            groups=(LIF("g", target, du=1024, dv=512, vth=300, bias_mant=np.zeros(target, np.int64)),),
            connections=(connection,),
            inputs=(Input("x", source, "spike"),),
            outputs=(Output("y", "g"),),
            profile="lava",
        )
        yield Case(f"{name} {number}", program, _inputs(rng, program, 7))


def _dense(rng: np.random.Generator) -> tuple[Connection, Shape, Shape]:
    return _until(rng, lambda c: c.__class__.__name__ == "Dense" and np.ndim(c.delay) == 0 and not c.delay)


def _sparse(rng: np.random.Generator) -> tuple[Connection, Shape, Shape]:
    return _until(rng, lambda c: c.__class__.__name__ == "Sparse" and np.ndim(c.delay) == 0 and not c.delay)


def _delayed(rng: np.random.Generator) -> tuple[Connection, Shape, Shape]:
    return _until(rng, lambda c: bool(np.any(c.delay)) and int(np.max(c.delay)) < 8)


def _until(rng: np.random.Generator, wanted: Callable[[Any], bool]) -> tuple[Connection, Shape, Shape]:
    while True:
        n_source, n_target = (int(n) for n in rng.integers(2, 9, 2))
        connection = programs.random_matrix(rng, "x", n_source, "g", n_target)
        if wanted(connection) and connection.weight.any():
            return connection, (n_source,), (n_target,)


def _conv(rng: np.random.Generator) -> tuple[Connection, Shape, Shape]:
    shape = (2 * int(rng.integers(1, 3)), int(rng.integers(3, 6)), int(rng.integers(3, 6)))
    conv = programs.random_conv(rng, "x", shape, "g")
    return conv, shape, conv.output_shape(shape)


def _networks(rng: np.random.Generator, count: int) -> Iterator[Case]:
    while count:
        program, inputs = programs.random_program(rng, steps=6, batch=1)
        if len(program.groups) > 1 and sum(g.size for g in program.groups) < 60:
            yield Case(f"network {count}", program, inputs)
            count -= 1


def _graded(rng: np.random.Generator, count: int) -> Iterator[Case]:
    """Payloads of both signs, small and of 24 bits, into neurons that spike now and then."""
    for name, connect in (("dense", _dense), ("sparse", _sparse), ("delay", _delayed), ("conv", _conv)):
        for number in range(count):
            connection, source, target = connect(rng)
            high = (10, 10, 5000, fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX)[number]
            program = Program(
                groups=(LIF("g", target, du=1024, dv=512, vth=300, bias_mant=np.zeros(target, np.int64)),),
                connections=(replace(connection, graded=True),),
                inputs=(Input("x", source, "graded", -high, high),),
                outputs=(Output("y", "g"),),
                profile="lava",
            )
            inputs = _inputs(rng, program, 6)
            if name == "conv":  # what Lava does beyond 32 bits is undefined
                inputs["x"] >>= 8 if high == fixed.PAYLOAD_MAX else 0
            yield Case(f"{name} {number}", program, inputs)


def _inputs(rng: np.random.Generator, program: Program, steps: int) -> dict[str, Ints]:
    return programs.random_inputs(rng, program, steps, 1)


if __name__ == "__main__":
    main()
