"""Core activity x a profile's times: how long steps, inferences and answers take, and what they wait for.

Loihi has no clock: a step ends when all cores have passed a barrier (Davies et al., IEEE Micro 38(1), 2018). Models:

`additive`, that of Loihi 1 and of SANA-FE's "simple" timing:

    T_step = max over cores(max(t_neurons, t_synapses)) + longest route + barrier

t_neurons adds up updates, spikes and messages sent, t_synapses messages that arrive and synaptic operations. The two go
on at once; the upper bound adds them.

`max_affine`, a lower bound for Loihi 2 (Timcheck et al., arXiv:2601.10035, eq. 1, by a secondary text):

    T_step >= max(D t_neuron, S t_sop, M t_read, L / rate of a link, barrier)

D, S and M are updates, operations and reads of memory of the busiest core, L the bits on the busiest link.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spikeport.sim.counting.core_activity import CoreActivity
from spikeport.sim.energy.bottleneck import Bottleneck, CoreLoad, bottlenecks, loads, most_common
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.core_times import Floats, Limit, Part, core_ns, parts_of
from spikeport.sim.energy.mesh_times import mesh_ns
from spikeport.sim.energy.profile import Profile


@dataclass(frozen=True, eq=False)
class Latency:
    """Times of one run, in which each sample is followed by itself."""

    model: str
    step_ns: dict[str, Bounds]
    """`min`, `mean` and `max` over the steps."""
    inference_ns: Bounds
    """The steps of one sample, mean: from one inference to the next."""
    latency_ns: Bounds
    """From a sample's first step to its last output: its steps and those of the pipeline, each the mean."""
    slowest: Bottleneck
    """Of the step that takes longest."""
    usual: Bottleneck
    """The most frequent."""
    loads: tuple[CoreLoad, ...]
    """D and S of the busiest cores, by their mean time."""
    unpriced: tuple[str, ...]
    """What happened, and has no time in the profile."""
    per_step: Floats
    """Nominal ns of each step, `(rows,)`."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; times in ns."""
        return {
            "model": self.model,
            "step_ns": {name: bounds.to_json() for name, bounds in self.step_ns.items()},
            "inference_ns": self.inference_ns.to_json(),
            "latency_ns": self.latency_ns.to_json(),
            "slowest": asdict(self.slowest),
            "usual": asdict(self.usual),
            "busiest_cores": [asdict(load) for load in self.loads],
            "unpriced": list(self.unpriced),
        }


def estimate_latency(activity: CoreActivity, profile: Profile, pipeline_steps: int) -> Latency | None:
    """None if the profile has no times.

    Args:
        pipeline_steps: By how many the output lags the input: the Program's `latency`.
    """
    if not profile.latency_model:
        return None
    parts = parts_of(activity, profile)
    phases, mesh = core_ns(parts, profile, "nominal"), mesh_ns(activity, profile, "nominal")
    assert phases is not None and mesh is not None  # every time has a nominal value
    nominal = _together(phases, mesh, profile, "nominal")
    low, high = (_step_ns(activity, profile, parts, limit) for limit in ("low", "high"))

    def bounds(of: Callable[[Floats], Any], times: int = 1) -> Bounds:
        least, most = (None if ns is None else float(of(ns)) * times for ns in (low, high))
        return Bounds(least, float(of(nominal)) * times, most)

    waits = bottlenecks(activity, profile, parts, phases, mesh)
    return Latency(
        model=profile.latency_model,
        step_ns={"min": bounds(np.min), "mean": bounds(np.mean), "max": bounds(np.max)},
        inference_ns=bounds(np.mean, activity.steps),
        latency_ns=bounds(np.mean, activity.steps + pipeline_steps),
        slowest=waits[int(nominal.argmax())],
        usual=most_common(waits),
        loads=loads(activity, phases.max(axis=0)),
        unpriced=tuple(_unpriced(activity, profile, parts)),
        per_step=nominal,
    )


def _step_ns(activity: CoreActivity, profile: Profile, parts: tuple[Part, ...], limit: Limit) -> Floats | None:
    """`(rows,)`, or None if something that happened has no such limit."""
    phases, mesh = core_ns(parts, profile, limit), mesh_ns(activity, profile, limit)
    return None if phases is None or mesh is None else _together(phases, mesh, profile, limit)


def _together(phases: Floats, mesh: Mapping[str, Floats], profile: Profile, limit: Limit) -> Floats:
    """`(rows,)` of `(phases, rows, cores)` and of what is beside the cores."""
    if profile.latency_model == "max_affine":
        return np.maximum.reduce([phases.max(axis=(0, 2)), *mesh.values()])
    of_core = phases.sum(axis=0) if limit == "high" else phases.max(axis=0)
    return np.asarray(of_core.max(axis=1) + sum(mesh.values()))


def _unpriced(activity: CoreActivity, profile: Profile, parts: tuple[Part, ...]) -> Iterator[str]:
    missing = (part.key for part in parts if part.key not in profile.latency_ns and part.amount.any())
    yield from dict.fromkeys(missing)
    if profile.latency_model == "max_affine":
        if profile.link_bits_per_ns is None and activity.busiest_link.any():
            yield "link"
    else:
        for key, hops in (("hop_x", activity.hops_x), ("hop_y", activity.hops_y)):
            if key not in profile.latency_ns and any(hops.values()):
                yield key
    if not profile.barrier:
        yield "barrier"
    if np.ptp(activity.cores.chips()) > 0:
        yield "messages and barrier between chips"
