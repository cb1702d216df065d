"""Mappings that follow what a run measured: `deploy` searches, `sim` counts, plain numbers pass between them."""

from collections.abc import Iterable, Iterator
from math import prod

import numpy as np

from spikeport.chip import Chip
from spikeport.deploy.cores import CoreMap, cores_of, map_cores
from spikeport.deploy.cores.activity import Activity, Times
from spikeport.deploy.cores.search import improved
from spikeport.program import Program
from spikeport.sim import Result, count_operations
from spikeport.sim.counting import count_cores, sample_windows
from spikeport.sim.energy import Profile
from spikeport.sim.energy.latency import estimate_latency

KINDS = ("dense", "sparse", "conv")
OTHERS = {"spike": "spike_out", "message_out": "message_out", "message_in": "message_in"}
"""Of `Times`, and of a profile."""


def mapped(
    program: Program,
    chip: Chip,
    result: Result,
    profile: Profile,
    *,
    start: CoreMap | None = None,
    cores: int | None = None,
) -> CoreMap:
    """The better of the start and of what the search makes of it, by a count of the run on both.

    Args:
        profile: Whose times say which core is busiest; those of a published Loihi 1 where it has none.
        start: The greedy mapping if None.
        cores: At most so many; as many as the start if None. A start with more is no candidate.
    """
    start = start or map_cores(program, chip)
    found = improved(program, chip, start, activity_of(program, result, profile), cores=cores)
    if start.cores > (cores or start.cores):
        return found
    times = [busiest_ns(program, result, core_map, profile) for core_map in (start, found)]
    return start if times[0] is not None and times[1] is not None and times[0] < times[1] else found


def busiest_ns(program: Program, result: Result, core_map: CoreMap, profile: Profile) -> float | None:
    """Mean ns in a step of the core that takes longest; None if the profile has no times."""
    activity = count_cores(program, result, cores_of(core_map, core_map.chip))
    latency = estimate_latency(activity, profile, program.latency)
    return None if latency is None else latency.loads[0].ns_mean


def activity_of(program: Program, result: Result, profile: Profile) -> Activity:
    """Means over the steps and samples of a run."""
    tally = Tally(program)
    tally.add(result)
    return tally.activity(profile)


class Tally:
    """What the search needs to know of a run, added up part by part."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rows = 0
        sending = [*(i for i in program.inputs if i.kind != "bias"), *program.groups]
        self.spikes = {node.name: np.zeros(prod(node.shape), np.int64) for node in sending}
        self.active, self.updates = ({group.name: 0 for group in program.groups} for _ in range(2))

    def watching(self, results: Iterable[Result]) -> Iterator[Result]:
        """The same results, each added as it passes."""
        for result in results:
            self.add(result)
            yield result

    def add(self, result: Result) -> None:
        steps, samples = result.spikes.shape[:2]
        self.rows += steps * samples
        windows = sample_windows(self.program, steps)
        for name, spikes in self.spikes.items():
            window = windows[name]
            spikes += np.count_nonzero(result.sent[name][window.start - 1 : window.stop - 1], axis=(0, 1))
        for layer in count_operations(self.program, result).layers:
            self.active[layer.name] += layer.active
            self.updates[layer.name] += layer.updates

    def activity(self, profile: Profile) -> Activity:
        """Means over steps and samples."""
        rates = {name: spikes / self.rows for name, spikes in self.spikes.items()}
        active = {name: n / max(self.updates[name], 1) for name, n in self.active.items()}  # a run may end too early
        return Activity(rates, active, times_of(profile))


def times_of(profile: Profile) -> Times:
    """Nominal ones. Operations on whole words of memory, of which a profile may know the time, are left out."""
    ns = {key: float(constant.value.nominal) for key, constant in profile.latency_ns.items()}
    if not ns:
        return Times()
    if {"neuron_active", "neuron_inactive"} & ns.keys():
        update = ns.get("neuron_inactive", 0.0)
        active = ns.get("neuron_active", 0.0) - update
    else:
        update, active = ns.get("neuron_access", 0.0), ns.get("neuron_update", 0.0)
    sop = {kind: ns.get(f"sop_{kind}", ns.get("sop", 0.0)) for kind in KINDS}
    others = {name: ns.get(key, 0.0) for name, key in OTHERS.items()}
    return Times(update=update, active=active, sop=sop, **others)
