"""Whatever keeps an estimate from being the energy of a chip, in plain words."""

from collections.abc import Iterator

from spikeport.cores import Cores
from spikeport.sim.counting.counts import Counts
from spikeport.sim.energy.baseline import looped
from spikeport.sim.energy.conventions import Convention
from spikeport.sim.energy.formats import format_steps
from spikeport.sim.energy.price import Unpriced
from spikeport.sim.energy.profile import Profile


def caveats(
    counts: Counts,
    profile: Profile,
    arithmetic: Profile,
    unpriced: tuple[Unpriced, ...],
    *,
    cores: Cores | None,
    static: bool,
    memory: bool,
    convention: Convention,
) -> tuple[str, ...]:
    """In the order in which a critic would ask.

    Args:
        unpriced: What the total leaves out.
        static: Whether static energy is stated beside it.
    """
    return tuple(
        (
            *_kind(profile),
            *_prices(profile, arithmetic, unpriced, memory),
            *_static(profile, static),
            *(convention.caveats if convention.name != "exact" else ()),
            *convention.program_caveats,
            *_cores(profile, cores),
            *_run(counts),
        )
    )


def _kind(profile: Profile) -> Iterator[str]:
    if profile.banner:
        yield f"{profile.name}: {profile.banner}"
    yield "This is an estimate from operation counts, not a measurement."
    if profile.note:
        yield f"{profile.name}: {profile.note}"
    if profile.scope == "all_in":
        yield (
            f"{profile.name}: the price is the chip's energy over its synaptic operations at one operating point; "
            "neurons, routing and static power are in it."
        )


def _prices(profile: Profile, arithmetic: Profile, unpriced: tuple[Unpriced, ...], memory: bool) -> Iterator[str]:
    if unpriced:
        yield "Not in the total, because there is no price or no count: " + ", ".join(map(str, unpriced)) + "."
    if not memory and "mac" in profile.energy_pj:
        yield (
            "Memory traffic is not in the total, and can cost more than all arithmetic together; --memory lemaire adds "
            "an estimate of it."
        )
    if memory:
        yield "Memory traffic is that of a model with one memory for each kind of data and layer, not of a chip."
    if "mac" not in profile.energy_pj:
        yield (
            f"{profile.name} has no price for a MAC: the ANN, and what the host computes, are at the prices of "
            f"{arithmetic.name}, arithmetic alone. The ratio compares a chip with bare arithmetic."
        )
    elif arithmetic.sha256 != profile.sha256:
        yield (
            f"The ANN, and what the host computes, are at the prices of {arithmetic.name}, the rest of the SNN at "
            f"those of {profile.name}: the ratio compares two kinds of arithmetic."
        )


def _static(profile: Profile, static: bool) -> Iterator[str]:
    if static:
        yield "Static energy is stated beside the total and is not in it."
    elif profile.scope == "per_term":
        yield "Static energy is not in the total: its power, or the time that it lasts, is not known."


def _cores(profile: Profile, cores: Cores | None) -> Iterator[str]:
    by_cores = {"message", "hop_x", "hop_y"} & set(profile.energy_pj) or profile.latency_model
    if cores is None and by_cores:
        yield "No cores were given, so messages, hops and times are unknown."
    if cores is not None and by_cores:
        yield (
            f"Messages, hops and times are those of one mapping to {cores.count} core{'' if cores.count == 1 else 's'} "
            f"of {cores.chip.name}; another mapping has others."
        )
    if cores is not None and profile.scope == "per_term":
        yield "What the host sends to the chip and reads from it is not counted."


def _run(counts: Counts) -> Iterator[str]:
    if counts.synapses and not counts.sops:
        yield "No spike reached a synapse in this run: its energy says nothing of a network that answers."
    encoders = [e for layer in counts.layers for e in layer.encoders]
    if encoders:
        once = all(e.passes == counts.samples for e in encoders)
        how = "once per image, because it does not change" if once else "at every step of a sample whose input changes"
        yield f"The first layer runs on the host; its MACs are counted {how}."
    yield (
        f"The ANN is the same network with ReLU, one dense pass; the SNN takes {format_steps(counts.steps)}. "
        "Synapses of weight 0 and, in the MACs, the zeros of the padding are counted."
    )
    if loops := looped(counts):
        yield (
            f"The ANN's pass computes the loops ({', '.join(loops)}) once, while a recurrent ANN computes them at "
            "every step: its energy is stated too low. With a pass for each step it is stated at its highest."
        )
    cut = [layer.name for layer in counts.layers if layer.steps < counts.steps]
    if cut:
        yield f"The run ended before the last step of {', '.join(cut)}; only the steps that ran are counted."
