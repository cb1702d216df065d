"""`spikeport map --search`: a better mapping than the compiler's, and both in a few figures side by side."""

from dataclasses import replace

import numpy as np

from spikeport.commands.mapping.design import Mapped, Outline, Ran, Searched, mapped, ran
from spikeport.commands.mapping.runs import Run
from spikeport.commands.mapping.searched import Tally, times_of
from spikeport.deploy.cores.activity import Activity, assumed
from spikeport.deploy.cores.core_map import CoreMap
from spikeport.deploy.cores.mesh import places_of
from spikeport.deploy.cores.problem import Problem, Seated
from spikeport.deploy.cores.search import EFFORT, improved, messages_between
from spikeport.deploy.cores.work import pairs_of
from spikeport.errors import PriceMissing
from spikeport.progress import working
from spikeport.sim.energy import Profile
from spikeport.sim.energy.estimate import chosen_prices
from spikeport.sim.energy.latency import estimate_latency


def timed(name: str) -> Profile:
    """A profile with times; raises InputError or FileError for another."""
    profile = chosen_prices(name)[0]
    if not profile.latency_model:
        do = "name one with times, such as loihi2-estimate or loihi1-davies2018"
        raise PriceMissing("map", "profile", got=name, relation="has no times of a core", do=do)
    return profile


def searched(one: Mapped, run: Run | None, profile: Profile, cores: int | None) -> tuple[Mapped, Ran | None]:
    """The mapping that the search finds, with what a run does on it; the first one where that is less busy.

    Args:
        run: Says how busy neurons are; all alike if None.
        cores: At most so many; as many as the first mapping has if None.
    """
    if run is None:
        return _assumed(one, profile, cores), None
    tally = Tally(one.program)
    first = ran(one, tally.watching(run.results()))
    core_map = _improved(one, tally.activity(profile), cores)
    before = measured_outline(one, first, profile)
    found, done, after = one, first, before
    if core_map is not one.core_map:
        found = mapped(one.program, one.chip, core_map)
        done = ran(found, run.results())
        after = measured_outline(found, done, profile)
    most = one.cores.count if cores is None else cores
    if before.cores <= most and before.busiest_ns < after.busiest_ns:  # the search has an estimate, this is the count
        found, done, after = one, first, before
    return replace(found, searched=Searched(before, after, profile.name, True, most)), done


def _assumed(one: Mapped, profile: Profile, cores: int | None) -> Mapped:
    problem = Problem(one.program, one.chip, replace(assumed(one.program), times=times_of(profile)))
    core_map = _improved(one, problem.activity, cores)
    found = one if core_map is one.core_map else mapped(one.program, one.chip, core_map)
    before, after = (assumed_outline(each, problem) for each in (one, found))
    most = one.cores.count if cores is None else cores
    return replace(found, searched=Searched(before, after, profile.name, False, most))


def _improved(one: Mapped, activity: Activity, cores: int | None) -> CoreMap:
    with working("searching"):
        return improved(one.program, one.chip, one.core_map, activity, cores=cores)


def measured_outline(one: Mapped, of: Ran, profile: Profile) -> Outline:
    """All of it counted."""
    activity = of.activity
    latency = estimate_latency(activity, profile, one.program.latency)
    assert latency is not None  # the profile has times
    hops = sum(activity.hops_x.values()) + sum(activity.hops_y.values())
    return Outline(
        cores=one.cores.count,
        chips=one.chips,
        busiest_ns=latency.loads[0].ns_mean,
        fullest=float(one.table.used.max()),
        hops=hops / of.steps,
        off_chip=sum(activity.off_chip.values()) / of.steps,
    )


def assumed_outline(one: Mapped, problem: Problem) -> Outline:
    """By the activity that the search had; blocks that share a core each hear a message."""
    seated = Seated(one.cores.cuts, one.cores.of_block)
    hops = off_chip = None
    if pairs_of(one.program, seated.cuts) <= EFFORT:
        pairs, numbers = messages_between(problem, seated).tocoo(), one.cores.numbers
        places = places_of(one.chip, int(numbers.max()) + 1)
        ends = [numbers[end] for end in pairs.coords]
        inside = places.chip[ends[0]] == places.chip[ends[1]]
        hops = float(np.where(inside, places.ways(*ends), 0) @ pairs.data)
        off_chip = float(pairs.data[~inside].sum())
    return Outline(
        cores=one.cores.count,
        chips=one.chips,
        busiest_ns=problem.busiest(seated),
        fullest=float(one.table.used.max()),
        hops=hops,
        off_chip=off_chip,
    )
