"""SP4..: graphs that become Programs, and lava-dl's network files."""

from spikeport.errors.base import SpikeportError


class DeployError(SpikeportError, ValueError):
    """A graph cannot become a Program; the classes below say why."""


class UnsupportedNode(DeployError):
    """A kind of node that is not taken.

    Every node becomes neurons, synapses or delays, exactly, or the graph is refused: a node that was left out would
    change spikes. NIR's own kinds are taken but for those that no Loihi core computes.

    Fix: Replace the node, before export, by kinds that the line lists; or say what it stands for with
    `spikeport.deploy.register_node`.

    Example: n: node type (Softmax) is not one of Input, Output, Flatten, Linear, Affine, Conv1d, Conv2d,
    ConvTranspose2d, Unflatten, SumPool2d, AvgPool2d, Delay, Scale, Threshold, I, IF, LI, LIF, CubaLI, CubaLIF;
    replace the node
    """

    code = "SP401"


class GraphBroken(DeployError):
    """A graph's nodes and edges make no network.

    Every node is fed by something and feeds something, from an Input through neurons to an Output. Usual causes: an
    exporter that saw only a part of the model, a layer that is defined and not used, or a graph edited by hand.

    Fix: Export the whole model; connect the node that the line names, or remove it.

    Example: lost: is fed by nothing; connect it, or remove it
    """

    code = "SP402"


class FieldInvalid(DeployError):
    """A node lacks a parameter, or has one that makes no sense.

    Each kind of node has its parameters in NIR's definition: numbers, of the neurons' shape or one for all, time
    constants above 0. Usual causes: a file of another NIR version, NaN after a training that diverged, or a node
    written by hand.

    Fix: Export again with a current nir; correct the parameter that the line names.

    Example: lif: tau (-1.0) is not above 0; export it again
    """

    code = "SP403"


class NodeShape(DeployError):
    """Shapes of neighbouring nodes do not fit.

    Shapes follow from the Input node through every edge. Usual causes: a missing Flatten between convolution and
    linear layer, an Input that says the batch too, or a kernel larger than the picture.

    Fix: Correct the layer that the line names, or the shape of the Input node, which is that of one sample at one
    step.

    Example: affine: input shape ((4,)) is not (3,)
    """

    code = "SP404"


class GraphTooLarge(DeployError):
    """A graph has more nodes, edges, levels or neurons than are read.

    The limits lie far above networks that a chip could hold. They keep a damaged file from filling the memory.

    Fix: Merge layers, or write nested graphs flat.

    Example: graph: nested graphs (17) exceed 16; flatten them
    """

    code = "SP405"


class LoopInvalid(DeployError):
    """A recurrent connection that the chip cannot time.

    A spike takes one step to each neuron, so a loop needs neurons in it, an input from outside, and as many steps
    of delay as it has layers. Usual cause: a recurrent edge without a Delay that runs through several layers.

    Fix: Put neurons into the loop, or a Delay of the steps that are missing.

    Example: graph: loop without neurons (a -> b -> a); put neurons into it
    """

    code = "SP406"


class NeuronUnlowered(DeployError):
    """Neurons with parameters that no core can follow.

    A core decays u and v by 4096ths, compares v with a threshold above its rest, and resets. A time constant
    shorter than the step, a threshold at or below rest, or a reset that waits a step has no form there. Most often
    the step is wrong: a NIR file does not hold it, and time constants in seconds mean nothing without it.

    Fix: Say the step that the model was trained with (--dt), or its framework (--convention). Otherwise train with
    other parameters.

    Example: n: tau (5e-05) is below the step dt_s 0.0001; name the step that the time constants are for; it is at
    most 5e-05
    """

    code = "SP407"


class PartsTooMany(DeployError):
    """A layer has more different decays than it can be split by.

    All neurons of a group share their decays on a core. A layer with several is split into a group for each;
    hundreds of parts would fill a chip with a single layer. Usual cause: a learned tau for each neuron.

    Fix: Train one tau per layer or channel, or say --decays N to put similar ones together to N.

    Example: n: different decays (138) exceed 128; give the neurons of a layer one tau, or a few; --decays N puts
    like ones together
    """

    code = "SP408"


class DelayInvalid(DeployError):
    """A delay that cannot be kept.

    A delay is a whole number of steps from 0 on. Spikes can wait, so outputs are brought to one step by relays; a
    membrane that is read cannot.

    Fix: Correct the Delay node; compile outputs that read v one by one.

    Example: d: delay (-0.0002 s) is below 0
    """

    code = "SP409"


class CompileOption(DeployError):
    """An option of the compiler is out of range.

    Fix: Choose a value in the range that the line names; `spikeport compile --help` tells units and defaults.

    Example: options: dt_s (0) is not in (1e-18, 1000)
    """

    code = "SP410"


class UnknownConvention(DeployError):
    """A convention that is not known.

    Frameworks step one and the same NIR node differently: by Euler's rule or exponentially, reset at once or a step
    later, time constants in seconds or in steps. A convention is one framework's set of these. Without --convention
    it is guessed from how the file is written, and the guess is printed.

    Fix: Name the framework that wrote the file, or `nir` for the definition's own equations.

    Example: convention: name (keras) is not one of nir, norse, snntorch, snntorch-subtract, spikingjelly,
    sinabs, sinabs-no-floor, rockpool, spyx, lava-dl
    """

    code = "SP411"


class ImageLayer(DeployError):
    """The first layer cannot be computed on the host.

    With `--input-kind bias` a constant image goes through the first synapse on the host and enters the chip as the
    bias of the first neurons. That needs LIF neurons without current that hear the image alone.

    Fix: Give the image a layer of its own, or send spikes: --input-kind spike.

    Example: n: cannot be loaded with an image; let the first layer be neurons without current whose v starts at
    v_reset
    """

    code = "SP412"


class RuleError(DeployError):
    """The network does not fit the chip.

    Each design rule is one limit of the chip with its source: axons, synapse memory, neurons, ranges of numbers,
    cores. In Python, `got` lists the violations. `spikeport explain RULE` tells what a rule measures, and
    `spikeport check NET` which changes would fit.

    Fix: Take a change that `spikeport check` has tried, another --target, or --anyway to write a Program for
    simulators.

    Example: net.nir: network (fan_in_fits_one_core at lif: 5000 against 4096) does not fit loihi1; use fewer
    channels or a smaller kernel; --anyway writes it for a simulator
    """

    code = "SP413"
    exit_code = 1


class NumberTooLarge(RuleError):
    """Weights, bias and threshold of a layer are too far apart for the chip's words.

    All of them share one scale: weights have 8 bits and an exponent, biases 13 bits and an exponent, thresholds 17
    bits. Where the largest of them is far more than 100,000 times the least, no scale holds both. Usual causes: an
    input that is not normalized, a bias that stands for a mean, or a layer with nearly all weights 0.

    Fix: Normalize the input, bring bias and threshold nearer to the weights, or split the layer (--scales N).

    Example: n: bias (500000) exceeds 8190 times the threshold 1; lower the bias or raise the threshold
    """

    code = "SP414"


class PassError(DeployError):
    """A pass of the compiler broke its own contract.

    After each pass its promise is checked, before anything is written. This is a defect of spikeport or of a pass
    of your own, not of the network.

    Fix: Report it, with the NIR file and the line.

    Example: one_threshold: left thresholds that differ (['n'])
    """

    code = "SP415"


class NetxUnsupported(DeployError):
    """A lava-dl network file has a layer that is not taken.

    netx files leave some things unsaid, and lava-dl itself ignores or refuses others. What has one certain meaning
    is taken bit for bit; the rest is refused and not guessed.

    Fix: Take the layers before it (--num-layers N), or export the network from lava-dl without what the line names.

    Example: net.net: layer 0 (pool): layer type (pool) is not one of input, dense, dense_rec, conv, flatten,
    average; replace it by a convolution with the same stride before export
    """

    code = "SP420"


class NetxRange(DeployError):
    """A number in a lava-dl network file does not fit the chip.

    lava-dl clips some of them in silence when it builds the network. What it would clip is named here.

    Fix: Quantize in lava-dl before `export_hdf5`, which scales weights to 8 bits.

    Example: net.net: layer 0: weight (300) is not in [-256, 255]; lava-dl would clip it or make all weights 0;
    quantize the weights to 8 bits
    """

    code = "SP421"


class NoNetxForm(DeployError):
    """A Program has something that lava-dl's network file cannot say.

    A .net file is one chain of layers with weights, one kind of neuron and one decay each. Branches, layers on the
    host, several delays and resets between samples have no place in it.

    Fix: Keep the Program itself, which Lava runs too: `spikeport run net.h5 --backend lava`.

    Example: g: neurons or spikes are not LIF without rest, reset to zero, that send 0 and 1; run this Program
    itself: spikeport run --backend lava
    """

    code = "SP422"


class NoLavaForm(DeployError):
    """Lava has no fixed-point model of this.

    `--backend lava` runs Lava's own classes, and compares bit for bit. Soft reset, refractory periods and the
    arithmetic of `loihi1` have no fixed-point model there.

    Fix: Run it in the simulator: --backend sim. For the profile, recompile with --profile lava.

    Example: program: profile (loihi1) is not the arithmetic of Lava; give it the profile 'lava', which differs
    where a value leaves a Loihi 1's words
    """

    code = "SP423"
