"""What a step takes beside its cores: the longest route, the busiest link, and the barrier that ends it."""

from collections.abc import Mapping

import numpy as np

from spikeport.sim.counting.core_activity import CoreActivity
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.core_times import Floats, Limit
from spikeport.sim.energy.profile import Barrier, Profile

MESSAGE_BITS = 32
"""Of one message on a link: an assumption, since no public source says."""


def mesh_ns(activity: CoreActivity, profile: Profile, limit: Limit) -> Mapping[str, Floats] | None:
    """ns of each step, `(rows,)`, by name; None if something that matters has no such limit."""
    barrier = barrier_ns(profile, activity.tiles, limit)
    name = "link" if profile.latency_model == "max_affine" else "route"
    way = _link_ns(activity, profile, limit) if name == "link" else _route_ns(activity, profile, limit)
    if barrier is None or way is None:
        return None
    return {name: way, "barrier": np.full(activity.rows, barrier)}


def barrier_ns(profile: Profile, tiles: int, limit: Limit) -> float | None:
    """Until so many tiles agree that a step is over; beyond the last entry it holds, and without entries it is 0."""
    if not profile.barrier:
        return 0.0
    below = [b for b in profile.barrier if b.tiles <= tiles] or [profile.barrier[0]]
    above = [b for b in profile.barrier if b.tiles > tiles]
    first = _limit(below[-1], limit)
    if profile.barrier_between == "step" or not above or below[-1].tiles >= tiles:
        return first
    second = _limit(above[0], limit)
    if first is None or second is None:
        return None
    part = (tiles - below[-1].tiles) / (above[0].tiles - below[-1].tiles)
    return first + (second - first) * part


def _limit(barrier: Barrier, limit: Limit) -> float | None:
    value: float | None = getattr(barrier.constant.value, limit)
    return value


def _route_ns(activity: CoreActivity, profile: Profile, limit: Limit) -> Floats | None:
    """The hops of each step's longest route, once."""
    crossed = activity.routes > 0
    hops_x, hops_y = (np.arange(n) for n in crossed.shape[1:])
    times = np.zeros(crossed.shape[1:])
    for key, hops in (("hop_x", hops_x[:, None]), ("hop_y", hops_y)):
        constant = profile.latency_ns.get(key)
        if constant is None or not (crossed & (hops > 0)).any():
            continue
        each: float | None = getattr(constant.value, limit)
        if each is None:
            return None
        times = times + hops * each
    return np.where(crossed, times, 0.0).max(axis=(1, 2), initial=0.0)


def _link_ns(activity: CoreActivity, profile: Profile, limit: Limit) -> Floats | None:
    """The messages of each step's busiest link; a high rate makes a short time."""
    if profile.link_bits_per_ns is None or not activity.busiest_link.any():
        return np.zeros(activity.rows)
    value: Bounds = profile.link_bits_per_ns.value
    rate = {"low": value.high, "nominal": value.nominal, "high": value.low}[limit]
    return activity.busiest_link * MESSAGE_BITS / rate if rate else None
