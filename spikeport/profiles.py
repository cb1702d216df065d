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

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from spikeport.errors import InputError, ProgramError

if TYPE_CHECKING:
    from spikeport.neurons import Group
    from spikeport.program import Program

Profile: TypeAlias = Literal["strict", "lava", "loihi1"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
_ONLY = "under the profile loihi1"
_DO = "name the profile 'strict' or 'lava'"


def check_profile_name(name: object, where: str = "profile", what: str = "name") -> None:
    """Raises InputError with the known names if there is no such profile."""
    if name not in PROFILES:
        raise InputError(where, what, got=name, relation="is not one of", limit=", ".join(PROFILES))


def check_profile(program: "Program", profile: Profile) -> None:
    """Raises ProgramError if the Program has what this profile has no arithmetic for."""
    if profile != "loihi1":
        return
    for group in program.groups:
        if group.needs != "loihi1":
            limit = "LIF that resets to zero and sends 0 or 1"
            raise ProgramError(
                group.name, f"neurons {_ONLY}", got=_kind(group), relation="are not", limit=limit, do=_DO
            )
    graded = [entry.name for entry in program.inputs if entry.kind == "graded"]
    graded += [f"{c.source} -> {c.target}" for c in program.connections if c.graded]
    if graded:
        raise ProgramError(graded[0], f"spikes {_ONLY}", got="graded", relation="are not", limit="0 or 1", do=_DO)


def has_profile(program: "Program", profile: Profile) -> bool:
    """Whether `check_profile` passes."""
    try:
        check_profile(program, profile)
    except ProgramError:
        return False
    return True


def _kind(group: "Group") -> str:
    """What a Loihi 1 lacks of it."""
    if getattr(group, "reset", "zero") == "subtract":
        return "soft reset"
    return "vth_low" if getattr(group, "vth_low", None) is not None else type(group).__name__
