"""Which core a step waits for, and for which of its work."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spikeport.sim.counting.core_activity import CoreActivity
from spikeport.sim.energy.core_times import Floats, Part, part_ns
from spikeport.sim.energy.profile import Profile

LISTED = 8
"""Cores in `loads`."""


@dataclass(frozen=True)
class Bottleneck:
    """The busiest core of a step, and what the step waits for at nominal times."""

    core: int
    group: str
    term: str
    """`neurons`, `spikes`, `messages_out`, `messages_in`, `synapses`, `reads`, `link` or `barrier`; one of the last
    two where it takes longer than the core."""
    steps: int
    """Of the run, that wait for the same."""


@dataclass(frozen=True)
class CoreLoad:
    """What one core does in a step, over the steps of a run."""

    core: int
    group: str
    neurons: int
    """Updated in every step: D in Timcheck et al., arXiv:2601.10035."""
    sops_mean: float
    """S there."""
    sops_max: int
    messages_in_mean: float
    messages_out_mean: float
    ns_mean: float
    ns_max: float
    steps: int
    """In which no core takes longer."""


def bottlenecks(
    activity: CoreActivity, profile: Profile, parts: Sequence[Part], phases: Floats, mesh: Mapping[str, Floats]
) -> tuple[Bottleneck, ...]:
    """One for each step.

    Args:
        phases: Nominal ns, `(phases, rows, cores)`. mesh: Of each step by name, `(rows,)`.
    """
    row = np.arange(activity.rows)
    cores = phases.max(axis=0).argmax(axis=1)
    phase = phases[:, row, cores].argmax(axis=0)
    terms = list(dict.fromkeys(part.term for part in parts))
    by_term = np.zeros((len(terms), activity.rows))
    for part in parts:
        ns = part_ns(part, profile, "nominal")
        assert ns is not None  # every time has a nominal value
        by_term[terms.index(part.term)] += np.where(phase == part.phase, ns[row, cores], 0.0)
    longest = [terms[k] for k in by_term.argmax(axis=0)]
    core_takes = phases[phase, row, cores]
    for name in ("link", "barrier"):
        if name in mesh:
            longest = [name if waits else term for waits, term in zip(mesh[name] > core_takes, longest, strict=True)]
            core_takes = np.maximum(core_takes, mesh[name])
    found = list(zip(cores.tolist(), longest, strict=True))
    times, groups, numbers = Counter(found), activity.cores.groups, activity.cores.numbers.tolist()
    return tuple(Bottleneck(numbers[core], groups[core], term, times[core, term]) for core, term in found)


def most_common(waits: Sequence[Bottleneck]) -> Bottleneck:
    """What steps wait for most often; of equals the first."""
    return max(waits, key=lambda waits_for: waits_for.steps)


def loads(activity: CoreActivity, core_ns: Floats) -> tuple[CoreLoad, ...]:
    """The busiest cores, by their mean time; `core_ns` is `(rows, cores)`."""
    mean, busiest = core_ns.mean(axis=0), np.bincount(core_ns.argmax(axis=1), minlength=core_ns.shape[1])
    sops, groups = activity.all_sops, activity.cores.groups
    return tuple(
        CoreLoad(
            core=int(activity.cores.numbers[core]),
            group=groups[core],
            neurons=int(activity.neurons[core]),
            sops_mean=float(sops[:, core].mean()),
            sops_max=int(sops[:, core].max()),
            messages_in_mean=float(activity.messages_in[:, core].mean()),
            messages_out_mean=float(activity.messages_out[:, core].mean()),
            ns_mean=float(mean[core]),
            ns_max=float(core_ns[:, core].max()),
            steps=int(busiest[core]),
        )
        for core in np.argsort(-mean, kind="stable")[:LISTED].tolist()
    )
