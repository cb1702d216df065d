"""SP5..: Programs, the integers themselves."""

from spikeport.errors.base import SpikeportError


class ProgramError(SpikeportError, ValueError):
    """A number of a Program is out of range.

    A Program holds what a core's registers hold, so each field has the register's range: decays 0 to 4096,
    exponents of 3 or 4 bits, 17-bit thresholds. It is checked when the Program is made.

    Fix: Only Programs made by hand come here; give a value in the range that the line names.

    Example: g: vth (-1) is not in [0, 131071]
    """

    code = "SP500"


class ProgramName(ProgramError):
    """A name in a Program is doubled, or is no identifier.

    Names are keys of files and of arrays: letters, digits and underscores, each once.

    Fix: Rename the group, input or output.

    Example: program: name ('a b') is not letters, digits and underscores
    """

    code = "SP501"


class ProgramWiring(ProgramError):
    """A connection or output of a Program leads nowhere, or to what cannot take it.

    Sources and targets are inputs and groups of the same Program. Only LIF groups take the host's bias, and only
    they have a v that can be read.

    Fix: Name an input or a group that is there.

    Example: x -> h: target (h) is not a neuron group
    """

    code = "SP502"


class ProgramShape(ProgramError):
    """Shapes within a Program do not fit each other.

    Weights of a dense connection are `(n_target, n_source)`, those of a convolution `(c_out, c_in / groups, k_h,
    k_w)`; what a convolution gives is exactly its target's shape.

    Fix: Correct the weight or the shape of the group that the line names.

    Example: x -> g: weight shape ((3, 4)) is not (3, 2)
    """

    code = "SP503"


class ProgramType(ProgramError):
    """A field of a Program is of another type than it must be.

    A Program holds integers, so that one number never means two things on two machines.

    Fix: Give an int, or an integer array, where the line says so.

    Example: g: vth (1.5) is not an integer
    """

    code = "SP504"


class WeightsUnheld(ProgramError):
    """Weight mantissas that a synapse cannot hold.

    A mantissa has 8 bits: with mixed signs it is even in [-256, 254], with one sign anything within 255. The
    exponent of the connection scales all of them.

    Fix: Halve the mantissas and raise `weight_exp` by one until they fit.

    Example: x -> g: weight mantissas (-3..2) are not even in [-256, 254] with mixed signs, or within 255 with one
    sign; halve them and raise weight_exp by one
    """

    code = "SP505"


class ProfileUnsuited(ProgramError):
    """The profile loihi1 does not know this kind of neuron or spike.

    A profile says what becomes of a value that leaves its word. What a Loihi 1 does is public for LIF neurons with
    binary spikes alone; for anything else it would be a guess.

    Fix: Use `--profile strict` or `--profile lava`.

    Example: g: neurons under the profile loihi1 (SigmaDelta) are not LIF that resets to zero and sends 0 or 1; name
    the profile 'strict' or 'lava'
    """

    code = "SP506"
