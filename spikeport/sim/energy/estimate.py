"""`estimate_energy`: counts, priced by a profile, beside the ANN, with everything that a critic asks for."""

from fractions import Fraction
from math import prod

from spikeport.errors import ArraysDiffer, PriceMissing
from spikeport.sim.counting.cores import CoreActivity
from spikeport.sim.counting.counts import Counts, LayerCounts
from spikeport.sim.energy.baseline import baselines
from spikeport.sim.energy.bounds import ZERO, Bounds, product
from spikeport.sim.energy.caveats import caveats
from spikeport.sim.energy.conventions import CONVENTIONS, Amounts, Convention, convention_named
from spikeport.sim.energy.estimated import Energy, LayerEnergy, Sensitivity
from spikeport.sim.energy.facts import facts_of
from spikeport.sim.energy.latency import Latency, estimate_latency
from spikeport.sim.energy.lemaire import ann_traffic, snn_traffic
from spikeport.sim.energy.price import in_order, price_of, total, unpriced_of
from spikeport.sim.energy.profile import Profile, profile_named
from spikeport.sim.energy.terms import Line, Quantity, quantities
from spikeport.sim.energy.thresholds import break_even, thresholds

INTEGERS = "cmos45-int8"
"""Prices the ANN, and what the host computes, where a chip's profile has no price for a MAC."""
BY_SPIKES = ("sops", "graded_macs", "spikes", "messages", "hops", "acs")
"""Quantities that grow with the number of spikes."""


def estimate_energy(
    counts: Counts,
    profile: Profile | str = "cmos45-fp32",
    *,
    activity: CoreActivity | None = None,
    convention: str = "exact",
    ann: Profile | str | None = None,
    memory: bool = False,
) -> Energy:
    """Prices one run: energy in pJ for one inference, with bounds where they are published, and times in ns.

    Args:
        counts: Of `count_operations`.
        profile: A profile, the name of a shipped one, or the path of a TOML file.
        activity: What each core did (`count_cores`); without it messages, hops and latency are unknown.
        convention: How operations are counted, a name of `CONVENTIONS`; those of papers go with prices of bare
            arithmetic alone. All are in `Energy.sensitivity`.
        ann: Prices the ANN and the host. If None: the profile itself, or `cmos45-int8` if that has no price for a MAC.
        memory: Adds Lemaire's memory traffic, on both sides; to prices of bare arithmetic alone.

    Raises:
        InputError: an unknown name, an activity of another run, or a convention or memory that the profile's prices do
            not go with.
        FileError: a profile that is not one.
    """
    prices, arithmetic, chosen = chosen_prices(profile, convention=convention, ann=ann, memory=memory)
    if activity is not None:
        _check_same_run(counts, activity)
    work = _work(counts, activity, chosen)
    layers = tuple(_layer(layer, work[layer.name], counts, prices, arithmetic, memory) for layer in counts.layers)
    left = unpriced_of(q for found in work.values() for q in found if _price(q, prices, arithmetic) is None)
    unpriced = () if prices.scope == "all_in" else left
    snn, ann_pj = total(layer.total for layer in layers), total(layer.ann for layer in layers)
    by_spikes = total(part for layer in layers for name, part in layer.parts.items() if name in BY_SPIKES)
    if memory:
        traffic = [snn_traffic(layer, counts) for layer in counts.layers]
        by_spikes += total(_nominal(of.energy_pj - of.fixed_pj) for of in traffic)
    latency = None if activity is None else estimate_latency(activity, prices, counts.latency)
    static = _static(prices, activity, latency)
    integers = profile_named(INTEGERS)
    return Energy(
        profile=prices,
        arithmetic=arithmetic,
        convention=convention,
        counts=counts,
        activity=activity,
        layers=layers,
        unpriced=unpriced,
        baselines=baselines(counts, snn, ann_pj, integers, _sensitivity(chosen, counts, integers).energy_pj or ZERO),
        thresholds=thresholds(counts),
        break_even=break_even(counts, snn.nominal, by_spikes.nominal, ann_pj.nominal),
        sensitivity=tuple(_sensitivity(one, counts, arithmetic) for one in CONVENTIONS.values()),
        latency=latency,
        static_pj=static,
        caveats=caveats(
            counts,
            prices,
            arithmetic,
            unpriced,
            cores=None if activity is None else activity.cores,
            static=static is not None,
            memory=memory,
            convention=chosen,
        ),
    )


def chosen_prices(
    profile: Profile | str, *, convention: str = "exact", ann: Profile | str | None = None, memory: bool = False
) -> tuple[Profile, Profile, Convention]:
    """Prices, those of MACs, and the convention, as `estimate_energy` takes and refuses them; before long work."""
    prices = profile_named(profile) if isinstance(profile, str) else profile
    arithmetic, chosen = _arithmetic(prices, ann), convention_named(convention)
    _check_fits(prices, chosen, memory)
    return prices, arithmetic, chosen


def _arithmetic(profile: Profile, ann: Profile | str | None) -> Profile:
    """What prices MACs."""
    chosen = profile_named(ann) if isinstance(ann, str) else ann
    if chosen is None:
        chosen = profile if "mac" in profile.energy_pj else profile_named(INTEGERS)
    if "mac" not in chosen.energy_pj:
        do = "name a profile of arithmetic, such as cmos45-int8"
        raise PriceMissing("energy", "ANN profile", got=chosen.name, relation="has no price for", limit="a MAC", do=do)
    return chosen


def _check_fits(profile: Profile, convention: Convention, memory: bool) -> None:
    """What papers count, and a model of memory, belong to prices of bare arithmetic: a chip's hold more than that."""
    if {"mac", "ac"} <= profile.energy_pj.keys():
        return
    do = "name a profile of arithmetic, such as cmos45-fp32"
    if convention.name != "exact":
        limit = "the MACs and accumulates of a paper's convention"
        raise PriceMissing(
            "energy", convention.name, got=profile.name, relation="has no prices for", limit=limit, do=do
        )
    if memory:
        limit = "bare arithmetic, to which memory traffic could be added"
        raise PriceMissing("energy", "memory", got=profile.name, relation="has no prices of", limit=limit, do=do)


def _check_same_run(counts: Counts, activity: CoreActivity) -> None:
    neurons = {name: prod(cut.shape) for name, cut in activity.cores.cuts.items()}
    for what, got, limit in (
        ("samples", activity.samples, counts.samples),
        ("steps", activity.steps, counts.steps),
        ("neurons", neurons, {layer.name: layer.neurons for layer in counts.layers}),
        ("synaptic operations", int(activity.all_sops.sum()), counts.sops),
    ):
        if got != limit:
            do = "count both of one run"
            raise ArraysDiffer(
                "energy", f"{what} of the cores' activity", got=got, relation="are not", limit=limit, do=do
            )


def _work(counts: Counts, activity: CoreActivity | None, convention: Convention) -> dict[str, tuple[Quantity, ...]]:
    """By layer: everything that happened, or what a paper's convention counts."""
    if convention.name == "exact":
        return {layer.name: quantities(layer, counts, activity) for layer in counts.layers}
    return {
        name: tuple(
            Quantity(kind, ((Line(amount, prices),),))
            for kind, amount, prices in (("macs", amounts.mac, ("mac",)), ("acs", amounts.ac, ("ac", "sop")))
            if amount
        )
        for name, amounts in _amounts(convention, counts).items()
    }


def _amounts(convention: Convention, counts: Counts) -> dict[str, Amounts]:
    """By layer."""
    facts = facts_of(counts)
    found = {layer.name: Amounts() for layer in counts.layers}
    for fact, amounts in zip(facts, convention.amounts(facts, counts.steps), strict=True):
        found[fact.name] += amounts
    return found


def _price(quantity: Quantity, profile: Profile, arithmetic: Profile) -> Bounds | None:
    """The host computes at the price of the ANN's arithmetic."""
    return price_of(quantity, arithmetic if quantity.name == "host_macs" else profile)


def _layer(
    layer: LayerCounts,
    work: tuple[Quantity, ...],
    counts: Counts,
    profile: Profile,
    arithmetic: Profile,
    memory: bool,
) -> LayerEnergy:
    priced = {q.name: (found, q.amount) for q in work if (found := _price(q, profile, arithmetic)) is not None}
    parts = in_order({name: price for name, (price, _) in priced.items()})
    ann = arithmetic.energy_pj["mac"].value.times(layer.macs_dense)
    if memory:
        parts["memory"] = _nominal(snn_traffic(layer, counts).energy_pj)
        ann += _nominal(ann_traffic(layer).energy_pj)
    return LayerEnergy(layer.name, parts, {name: amount for name, (_, amount) in priced.items()}, layer.macs_dense, ann)


def _nominal(pj: float) -> Bounds:
    """A model without limits."""
    return Bounds(None, pj, None) if pj else ZERO


def _sensitivity(convention: Convention, counts: Counts, profile: Profile) -> Sensitivity:
    """The arithmetic alone, by one convention."""
    amounts = sum(_amounts(convention, counts).values(), Amounts())
    macs, acs = (Fraction(0) if n is None else n for n in (amounts.mac, amounts.ac))
    lines = Quantity("acs", ((Line(macs, ("mac",)), Line(acs, ("ac", "sop"))),))
    return Sensitivity(convention.name, macs, acs, price_of(lines, profile))


def _static(profile: Profile, activity: CoreActivity | None, latency: Latency | None) -> Bounds | None:
    """W x ns are nJ."""
    if profile.static_w_per_chip is None or activity is None or latency is None:
        return None
    chips = len(set(activity.cores.chips().tolist()))
    return product(profile.static_w_per_chip.value.times(chips), latency.inference_ns).times(1000)
