"""Arithmetic profiles: what happens to a value that leaves its word. Within the words all profiles are one rule.

    strict   an error that names group, step, neuron and value; the words are Lava's
    lava     what the fixed-point models of lava-nc 0.10.0 do
    loihi1   what a Loihi 1 does, as far as is public: nengo-loihi 1.1.0; `fixed.wrap_sum_loihi1`, `wrap_u_loihi1`

One step of a LIF, with q the sum of all that arrives:

              strict, lava                            loihi1
    q         a << 6                                  a << 6, wraps into [-2^21, 2^21)
    u         decay(u) + q, wraps into (-2^23, 2^23]  decay(u) + q, wraps into [-2^23, 2^23)
    drive     u + bias                                u + bias, wraps into [-2^23, 2^23)
    v         decay(v) + drive, saturates             the same
    a convolution's own sum: 24 bits                  none of its own, q alone

Decays (the current's has one 4096th more than `du` says), thresholds, resets and the rest after a spike are the same:
nengo-loihi writes them like Lava, and brian2_loihi counts that one into its `decay_I`. A negative weight exponent
shifts the sum, as in Lava; brian2_loihi, and nengo-loihi when it builds, shift each weight, which is another number
where a weight does not divide.
`loihi1` knows what a Loihi 1 has (`check_profile`); what takes Loihi 2 is refused under it, not guessed.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from spikeport.errors import ProfileUnsuited, UnknownName
from spikeport.neurons import Group

Profile: TypeAlias = Literal["strict", "lava", "loihi1"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
_ONLY = "under the profile loihi1"
_DO = "name the profile 'strict' or 'lava'"


def check_profile_name(name: object, where: str = "profile", what: str = "name") -> None:
    """Raises InputError with the known names if there is no such profile."""
    if name not in PROFILES:
        raise UnknownName(where, what, got=name, relation="is not one of", limit=", ".join(PROFILES))


def check_profile(profile: Profile, groups: Iterable[Group], graded: Iterable[str]) -> None:
    """Raises ProgramError if this profile has no arithmetic for a group, or for spikes with payloads.

    Args:
        graded: The names of the inputs and connections that have them.
    """
    if profile != "loihi1":
        return
    for group in groups:
        if group.needs != "loihi1":
            limit = "LIF that resets to zero and sends 0 or 1"
            raise ProfileUnsuited(
                group.name, f"neurons {_ONLY}", got=_kind(group), relation="are not", limit=limit, do=_DO
            )
    for name in graded:
        raise ProfileUnsuited(name, f"spikes {_ONLY}", got="graded", relation="are not", limit="0 or 1", do=_DO)


def _kind(group: Group) -> str:
    """What a Loihi 1 lacks of it."""
    if getattr(group, "reset", "zero") == "subtract":
        return "soft reset"
    return "vth_low" if getattr(group, "vth_low", None) is not None else type(group).__name__
