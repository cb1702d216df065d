"""SP2..: arguments, arrays, options and recipes."""

from spikeport.errors.base import SpikeportError


class InputError(SpikeportError, ValueError):
    """An argument is not what was asked for, or is out of range.

    Every argument is checked before any work begins, so nothing has been computed or written.

    Fix: Choose a value in the range that the line names. For commands, --help tells units and defaults; for
    functions, the docstring does.

    Example: session: batch (0) is not a number above 0
    """

    code = "SP200"


class UnknownName(InputError):
    """A name is not among those that are known.

    Names are compared letter by letter, with their case. Inputs and groups are named like the nodes of the NIR
    file, with underscores for characters other than letters and digits.

    Fix: Take one of the names that the line lists; `spikeport check NET --json` lists a network's layers.

    Example: target: chip (loihi3) is not one of loihi1, loihi2
    """

    code = "SP201"


class WrongShape(InputError):
    """An array has the wrong shape.

    Arrays are time first: `(T, B, *shape)` for spikes, with T steps, B samples, and the shape of one sample as the
    network has it, channels before height and width. Usual causes: batch first, as many frameworks have it;
    channels last, as images come; a missing axis where there is one sample.

    Fix: Move the axes, for example `x.transpose(1, 0, 2, 3, 4)`, or add one: `x[:, None]`.

    Example: input x: shape ((5, 2, 3)) is not (T, B, 2)
    """

    code = "SP202"


class WrongType(InputError):
    """An array or another argument is of the wrong type.

    The chip computes with integers, and so does a Program. Floats are not rounded in silence, since how they are
    rounded decides spikes. Other usual causes: a path where a Program is wanted, a network in torch where its graph is,
    and images that `ToTensor()` has divided by 255.

    Fix: Round first and say so: `np.rint(x).astype(np.int32)`. Spikes are 0 and 1. Of anything else the line says what
    makes it.

    Example: input x: type (float64) is not an integer array; round it to integers first
    """

    code = "SP203"


class ValueOutside(InputError):
    """A value of an input is outside the range that the network was made for.

    The bounds that prove a network free of overflow assume this range. Spikes are 0 or 1; an image has the range
    that it was compiled with (--low, --high), 0 to 255 unless told.

    Fix: Scale or clip the data; or compile with the range that it has.

    Example: input x: value (2) is not in [0, 1]
    """

    code = "SP204"


class ArraysDiffer(InputError):
    """Arrays that belong together differ in steps, samples, groups or sizes.

    What is run or compared together must be of one length, and two runs can only be compared neuron by neuron if
    they are of one network and one input.

    Fix: Cut or pad the inputs to one length; make both runs from the same Program and input.

    Example: input: steps and batch ({'x': (4, 1), 'z': (3, 1)}) differ between inputs
    """

    code = "SP205"


class OptionMisused(InputError):
    """Options that do not go together, or one that is missing.

    An option that would be without effect is an error, so that nobody believes it had one.

    Fix: Leave out what the line names, or add what it asks for; --help tells what each option is for.

    Example: energy: input is missing; give the Program's samples, --input X.NPZ
    """

    code = "SP206"


class PackageMissing(InputError):
    """A package that this needs is not installed.

    Simulating and compiling need little. What trains, measures or reads special formats is optional and comes with
    an extra, or is installed by hand.

    Fix: Run the command in the line; of an extra it names the folder, file or repository that this copy of spikeport
    came from. `spikeport doctor` lists what is installed and what is missing.

    Example: train: tensorboard is not installed; pip install tensorboard, or leave --tensorboard out
    """

    code = "SP207"


class RecipeInvalid(InputError):
    """A recipe for training is wrong.

    A recipe is TOML with the sections [data], [model] and [train]. Unknown keys are refused: a misspelled key would
    otherwise train for hours with a default.

    Fix: Correct the section and key that the line names. `spikeport recipes` lists complete ones to begin with, and
    --set SECTION.KEY=VALUE changes one value.

    Example: recipe r.toml: unknown sections (optimiser)
    """

    code = "SP208"


class RunDiffers(InputError):
    """A run cannot be resumed with other settings than it was begun with.

    A resumed run gives the bits that it would have given without the pause. With other settings it would be neither
    the one run nor the other.

    Fix: Resume without the settings that the line names, or begin a new run in a new folder.

    Example: run: was begun with other settings (train.epochs); resume without them, or begin another run
    """

    code = "SP209"


class LabelsInvalid(InputError):
    """Labels are missing, or are not one class for each sample.

    Accuracy needs an integer for each sample, from 0 to the number of classes less one. Usual causes: one-hot
    labels, labels that begin with 1, or an input file without `labels`.

    Fix: Save them with the input: `numpy.savez("x.npz", spikes=spikes, labels=labels)`.

    Example: x.npz: holds no labels; add an array 'labels' of shape (B,)
    """

    code = "SP210"


class EventInvalid(InputError):
    """An event is not one that the network can take.

    An event is a step, an index into the input and, where spikes are graded, a value. Steps do not go back, an
    index is inside the input, and a neuron has at most one event in a step.

    Fix: Sort events by step, merge those of one step and index, and leave out what is outside. `spikeport stream
    --help` tells the form of a line.

    Example: events: number of index (1) is not 2
    """

    code = "SP211"


class StateMismatch(InputError):
    """A state does not fit the Program, batch or engine that is to go on with it.

    A state is each neuron's u and v, the spikes under way, and the step. It goes on only in the Program that made
    it, with as many samples.

    Fix: Use the Program and the number of samples that the state comes from, or begin without a state.

    Example: state: batch (1) is not the input's 3
    """

    code = "SP212"


class BackendUnsuited(InputError):
    """An engine or backend cannot run this network.

    The simulator's default engine runs everything. The engine `dense` knows plain LIF alone, neither Lava nor a
    board can be cut into parts (--state-out), and no Loihi 2 has the arithmetic of a Loihi 1.

    Fix: Take the backend or engine that the line names, or the default, which runs everything.

    Example: engine dense: profile (loihi1) is not one of strict, lava; use engine='events'
    """

    code = "SP213"


class PriceMissing(InputError):
    """A hardware profile has no price for an operation that was counted.

    An energy is a sum over operations. Without a price for one of them the sum would be too small, so there is
    none. Profiles of chips price synaptic operations; those of arithmetic price MACs and ACs.

    Fix: Take another profile; `spikeport profiles` lists what each one prices. Or write one of your own in TOML.

    Example: energy: ANN profile (loihi2-estimate) has no price for a MAC; name a profile of arithmetic, such as
    cmos45-int8
    """

    code = "SP214"


class PartMissing(InputError):
    """The network does not have the part that is asked for.

    Classes are decided only by an output that votes; images are drawn or encoded only by an autoencoder with that
    part.

    Fix: Compile with --classes N, or with both parts (--part all); or name a network that has the part.

    Example: net.h5: classes of the output (0) is not above 0; compile with --classes N
    """

    code = "SP215"


class BundleInvalid(InputError):
    """The parts of an autoencoder do not fit each other.

    Two Programs and what the host computes between them must agree in sizes, steps and ranges, and the host's sums
    must be exact in float64, so that every machine draws the same images.

    Fix: Compile the bundle again from its run. Built by hand: correct the part that the line names.

    Example: pixels: low and high (255, 0) are no range of 16-bit integers
    """

    code = "SP216"


class UsageInvalid(InputError):
    """A command, option or value on the command line is unknown, missing or malformed.

    The words of a command line are read before anything else is done. Usual causes: a name with a slip, an option of
    another command, an option of `spikeport` before the command's name, or a value that was left out.

    Fix: Take the name that the line suggests, or look it up: `spikeport --help` lists the commands, `spikeport COMMAND
    --help` a command's arguments and options. `spikeport --install-completion` lets the shell complete them.

    Example: spikeport run: option (--inptu) is not known; did you mean --input? 'spikeport run --help' tells all
    """

    code = "SP217"
