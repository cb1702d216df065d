"""SP2..: arguments, arrays, options and recipes."""

from spikeport.errors.base import SpikeportError


class InputError(SpikeportError, ValueError):
    """An argument is out of range, or not what was asked for.

    Every argument is checked before any work begins, so nothing has been computed or written.

    Fix: Choose a value in the range that the line names. For commands, --help tells units and defaults; for
    functions, the docstring does.

    Example: samples: count (0) is not above 0
    """

    code = "SP200"


class UnknownName(InputError):
    """A name is not among those that are known.

    Names are compared letter by letter, with their case. For inputs and groups they are those of the Program, which
    are the NIR file's nodes with other characters replaced by underscores.

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

    Example: input input: shape (5, 2, 3) is not (T, B, 4)
    """

    code = "SP202"


class WrongType(InputError):
    """An array is of the wrong type.

    The chip computes with integers, and so does a Program. Floats are not rounded in silence, since how they are
    rounded decides spikes.

    Fix: Round first and say so: `np.rint(x).astype(np.int32)`. Spikes are 0 and 1.

    Example: input input: type (float64) is not an integer array; round it to integers first
    """

    code = "SP203"


class ValueOutside(InputError):
    """A value of an input is outside the range that the network was made for.

    The bounds that prove a network free of overflow assume this range. Spikes are 0 or 1; an image has the range
    that it was compiled with (--low, --high), 0 to 255 unless told.

    Fix: Scale or clip the data; or compile with the range that it has.

    Example: input input: value (2) is not in [0, 1]
    """

    code = "SP204"


class ArraysDiffer(InputError):
    """Arrays that belong together differ in steps, samples, groups or sizes.

    What is run or compared together must be of one length, and two runs can only be compared neuron by neuron if
    they are of one network and one input.

    Fix: Cut or pad the inputs to one length; make both runs from the same Program and input.

    Example: input: steps and batch ((5, 1), (6, 1)) differ between inputs
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

    The core needs numpy, scipy, h5py and numba alone. What trains, measures or reads special formats is optional
    and comes with an extra.

    Fix: Install the extra that the line names, such as `pip install 'spikeport[train]'`; `spikeport doctor` lists
    what is installed and what is missing.

    Example: data cifar10-dvs: needs the package aedat; pip install 'spikeport[events]'
    """

    code = "SP207"


class RecipeInvalid(InputError):
    """A recipe for training is wrong.

    A recipe is TOML with the sections [data], [model] and [train]. Unknown keys are refused: a misspelled key would
    otherwise train for hours with a default.

    Fix: Correct the section and key that the line names. `spikeport recipes` lists complete ones to begin with, and
    --set SECTION.KEY=VALUE changes one value.

    Example: r.toml: unknown sections (optimiser)
    """

    code = "SP208"


class RunDiffers(InputError):
    """A run cannot be resumed with other settings than it was begun with.

    A resumed run gives the bits that it would have given without the pause. With other settings it would be neither
    the one run nor the other.

    Fix: Resume without the settings that the line names, or begin a new run in a new folder.

    Example: run: was begun with other settings (train.epochs); leave them out, or train into a new folder
    """

    code = "SP209"


class LabelsInvalid(InputError):
    """Labels are missing, or are not one class for each sample.

    Accuracy needs an integer for each sample, from 0 to the number of classes less one. Usual causes: one-hot
    labels, labels that begin with 1, or an input file without `labels`.

    Fix: Save them with the input: `numpy.savez("x.npz", input=spikes, labels=labels)`.

    Example: labels: range (1..10) is not in [0, 10)
    """

    code = "SP210"


class EventInvalid(InputError):
    """An event is not one that the network can take.

    An event is a step, an index into the input and, where spikes are graded, a value. Steps do not go back, an
    index is inside the input, and a neuron has at most one event in a step.

    Fix: Sort events by step, merge those of one step and index, and leave out what is outside; docs/howto/streaming.md
    tells the form of a line.

    Example: events: number of index (1) is not 2
    """

    code = "SP211"


class StateMismatch(InputError):
    """A state does not fit the Program, batch or engine that is to go on with it.

    A state is each neuron's u and v, the spikes under way, and the step. It goes on only in the Program that made
    it, with as many samples.

    Fix: Use the Program and the number of samples that the state comes from, or begin without a state.

    Example: state: batch (2) is not the input's 1
    """

    code = "SP212"


class BackendUnsuited(InputError):
    """An engine or backend cannot run this network.

    The reference, events and chip backends compute different sets of networks: `dense` knows plain LIF only, and a
    run on a board cannot be cut into pieces.

    Fix: Take the backend or engine that the line names, or the default, which runs everything.

    Example: engine dense: profile (loihi1) is not one of strict, lava; take the engine events
    """

    code = "SP213"


class PriceMissing(InputError):
    """A hardware profile has no price for an operation that was counted.

    An energy is a sum over operations. Without a price for one of them the sum would be too small, so there is
    none. Profiles of chips price synaptic operations; those of arithmetic price MACs and ACs.

    Fix: Take another profile; `spikeport profiles` lists what each one prices. Or write one, as docs/howto/energy.md
    shows.

    Example: energy: ANN profile (loihi1) has no price for a MAC; take one that has
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

    Example: pixels: low and high ((5, 5)) are no range of 16-bit integers
    """

    code = "SP216"


class LossNotFinite(InputError):
    """Training has diverged: the loss is NaN or infinite.

    From there on every weight would be NaN. Usual causes: a learning rate that is too high, no gradient clipping,
    mixed precision, or NaN in the data. The last checkpoint is from before and is kept.

    Fix: Lower `train.lr`, add warmup epochs or gradient clipping, and begin again or --resume.

    Example: epoch 1: loss (nan) is not finite; lower the learning rate
    """

    code = "SP220"


class DeviceMissing(InputError):
    """A device that was asked for is not there.

    Fix: Ask for no more GPUs than `spikeport doctor` finds, or say --accelerator cpu. Half precision needs a GPU.

    Example: train: precision (16-mixed) needs a GPU; say 32
    """

    code = "SP221"


class LayerInvalid(InputError):
    """A layer is put together in a way that no chip could hold.

    Layers refuse when they are made what could never be exported: a mean over a padded border, padding that is not
    zeros, a shortcut that leads nowhere. Found later, it would cost a training.

    Fix: Change the argument that the line names.

    Example: QuantConv2d: padding_mode (reflect) is not zeros; pad before the layer
    """

    code = "SP222"


class NormUnfoldable(InputError):
    """A batch norm cannot be folded into its synapse.

    There is no batch norm on the chip: its running mean and variance become part of the weights and the bias. With
    `track_running_stats=False` there are none, and each batch would be normalized differently.

    Fix: Leave `track_running_stats` on, which is PyTorch's default, and put the norm right behind a synapse.

    Example: SpikingLayer: norm has no running statistics; leave track_running_stats on
    """

    code = "SP223"


class ModelInvalid(InputError):
    """A model cannot be built with these options.

    Usual causes: an option of another model, or an image whose size cannot be halved as often as the model does.

    Fix: Correct `[model]` in the recipe; `spikeport recipes` shows options that go together.

    Example: model alif_net: options (build() got an unexpected keyword argument 'depth')
    """

    code = "SP224"


class AugmentInvalid(InputError):
    """A step of data augmentation is unknown or does not fit the pictures.

    Steps are texts such as `crop:4`, `flip` or `affine:15`, with numbers in the ranges that the line names.

    Fix: Correct `data.augment` in the recipe.

    Example: augment: name (blur) is not one of the known steps
    """

    code = "SP225"


class MeasureUndefined(InputError):
    """A measure of images has no value for what it was given.

    FID, IS, FAD and the like are estimates from features of many images. Of fewer than two images, of NaN, or of
    sets of unequal size they are not defined.

    Fix: Give more images, of one shape; look for NaN where they come from.

    Example: Frechet distance: samples (1) are below 2
    """

    code = "SP226"
