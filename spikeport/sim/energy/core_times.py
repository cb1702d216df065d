"""How long each core is busy in each step: its operations, each at its own time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport.fixed import Ints
from spikeport.sim.counting.core_activity import CoreActivity
from spikeport.sim.energy.profile import Profile

Floats: TypeAlias = NDArray[np.float64]
Limit: TypeAlias = Literal["low", "nominal", "high"]
OPERATIONS_PER_READ = 8
"""Weights of 8 bits in a word of synaptic memory, of 64 bits."""


@dataclass(frozen=True, eq=False)
class Part:
    """One kind of work of the cores."""

    term: str
    """What it is called where a step waits for it: several parts may share a term."""
    phase: int
    """Parts of a phase follow each other on a core; phases go on at once."""
    key: str
    """Of `Profile.latency_ns`; a key that is not there has no time."""
    amount: Ints
    """`(rows, cores)`."""


def parts_of(activity: CoreActivity, profile: Profile) -> tuple[Part, ...]:
    """`additive`: neurons update, fire and send; then messages arrive and synapses work. `max_affine`: neurons,
    synapses and reads of memory, each by itself."""
    if profile.latency_model == "max_affine":
        reads = -(-activity.all_sops // OPERATIONS_PER_READ)
        return (*_neurons(activity, profile), *_synapses(activity, profile), Part("reads", 2, "read", reads))
    return (
        *_neurons(activity, profile),
        Part("spikes", 0, "spike_out", activity.spikes),
        Part("messages_out", 0, "message_out", activity.messages_out),
        Part("messages_in", 1, "message_in", activity.messages_in),
        *_synapses(activity, profile),
    )


def core_ns(parts: tuple[Part, ...], profile: Profile, limit: Limit) -> Floats | None:
    """`(phases, rows, cores)`; None if a part that happened has no such limit."""
    found = np.zeros((1 + max(part.phase for part in parts), *parts[0].amount.shape))
    for part in parts:
        ns = part_ns(part, profile, limit)
        if ns is None:
            return None
        found[part.phase] += ns
    return found


def part_ns(part: Part, profile: Profile, limit: Limit) -> Floats | None:
    """`(rows, cores)`; zeros where the profile has no time; None where it has a time without this limit."""
    constant = profile.latency_ns.get(part.key)
    if constant is None or not part.amount.any():
        return np.zeros(part.amount.shape)
    each: float | None = getattr(constant.value, limit)
    return None if each is None else part.amount.astype(np.float64) * each


def _neurons(activity: CoreActivity, profile: Profile) -> Iterator[Part]:
    """By state, or by work, as the profile has it."""
    everyone = np.broadcast_to(activity.neurons, activity.active.shape)
    if {"neuron_active", "neuron_inactive"} & profile.latency_ns.keys():
        yield Part("neurons", 0, "neuron_active", activity.active)
        yield Part("neurons", 0, "neuron_inactive", everyone - activity.active)
        return
    yield Part("neurons", 0, "neuron_access", everyone)
    if "neuron_access" in profile.latency_ns:
        yield Part("neurons", 0, "neuron_update", activity.active)


def _synapses(activity: CoreActivity, profile: Profile) -> Iterator[Part]:
    """A kind without a time of its own has that of all."""
    for kind, sops in activity.sops.items():
        own = f"sop_{kind}"
        yield Part("synapses", 1, own if own in profile.latency_ns else "sop", sops)
