"""SP3..: torch modules that become NIR, and Programs that become modules."""

from spikeport.errors.base import SpikeportError


class ExportError(SpikeportError, TypeError):
    """A module has no NIR form.

    What is exported is what the chip computes: spiking layers, pools, flattening, and a vote or readout at the end.
    Anything that computes with floats between the layers would have no neurons to run on. Usual causes: an
    activation such as ReLU or a softmax, a batch norm that stands alone, torch.nn.MaxPool2d in place of
    spikeport.train.MaxPool2d, or dropout of another library.

    Fix: Put the batch norm into its `SpikingLayer`, leave softmax to the loss, and use the layers that the line
    lists. A layer of your own that gives spikes for spikes is registered with `spikeport.export.register_layer`.

    Example: 1: type (torch.nn.ReLU) has no NIR form; build the network from SpikingLayer, Residual, MaxPool2d,
    nn.Flatten(2), Vote, Readout, Integrator and nn.Sequential, of spikeport.train but for nn
    """

    code = "SP300"


class ExportOption(ExportError):
    """An argument of an export is missing or out of range.

    Fix: Give a step between 1 ns and 1000 s, one input as the sample, and a part that the model has.

    Example: to_nir: dt_s (0) is not in [1e-9, 1000)
    """

    code = "SP301"


class ModuleOrder(ExportError):
    """A module stands where it cannot.

    An image enters in the first layer alone, where the host computes; after a Vote or Readout there is nothing left
    to feed; a shortcut needs neurons that it leads to.

    Fix: Move the module, or leave it out.

    Example: 2 (SpikingLayer): stands after Vote, Readout or Integrator; these end the network
    """

    code = "SP302"


class ModuleShape(ExportError):
    """A module does not fit the shape that reaches it.

    The shape follows from the sample that `to_nir` is given, layer by layer. Usual causes: a linear layer behind a
    convolution without a Flatten, or a sample without its axis of time or batch.

    Fix: Give a sample of shape `(T, B, *shape)`, or `(B, *shape)` where the first layer takes images; put
    `nn.Flatten(2)` before a linear layer.

    Example: 1 (QuantLinear): input shape ((2, 4, 4)) is not (4,)
    """

    code = "SP303"


class MixedResets(ExportError):
    """A network has neurons that reset to zero and others that subtract.

    A NIR file does not say how neurons reset; its reader takes one convention for all of it. So one file cannot
    hold both.

    Fix: Give all layers one `Dynamics(reset=...)`; `zero` is what Loihi's own neuron does.

    Example: module: resets (zero and subtract) differ; let all take the threshold off, or none
    """

    code = "SP304"


class OffGrid(ExportError):
    """A trained number is off the chip's grid.

    Weights are 8-bit mantissas, decays are 4096ths in [0, 1], thresholds are above 0, and biases are so many units
    of the least weight. Usual causes: training that diverged, a threshold that learned its way below 0, or a bias
    that is huge beside the weights.

    Fix: Train with a lower learning rate or with `constrained=True`; NaN means that the training has to be
    repeated.

    Example: module (ALIF): weight (NaN or infinity) is not a finite number; train again with a lower learning rate
    """

    code = "SP305"


class ModuleSetting(ExportError):
    """A module has a setting that NIR or the chip cannot express.

    Max pooling becomes an OR over spikes, so its window is whole and small; padding is a number; what is flattened
    is the whole sample.

    Fix: Change the setting that the line names, before training.

    Example: 1 (MaxPool2d): ceil_mode, return_indices or dilation is set; NIR's pools have neither
    """

    code = "SP306"


class HostInLoop(ExportError):
    """An autoencoder cannot be cut into two chip phases.

    It runs as encoder on the chip, sampling on the host, decoder on the chip. Where each step's sample depends on
    the step before, the host would be in the loop at every step, and no public figure covers that exchange.

    Fix: Deploy the decoder alone (--part decoder), or train an ESVAE without PFA.

    Example: FSVAE: posterior and prior pick a candidate and feed it back: the host is in the loop at every step;
    its decoder alone is deployable: --part decoder
    """

    code = "SP307"


class ProgramUntrainable(ExportError):
    """A Program has something that the training layers do not.

    Fine-tuning makes torch layers of a Program, bit for bit. Layers have one bias per channel, LIF neurons and
    spikes of 0 and 1; graded spikes, other kinds of neurons, or numbers that no layer makes have no equal there.

    Fix: Fine-tune the model that the Program came from, or change the part that the line names.

    Example: g: refractory_steps (2) is not 0; only neurons without one can be trained
    """

    code = "SP308"


class ProgramTiming(ExportError):
    """A Program's timing cannot be said by layers.

    Layers take no time, and the compiler finds the chip's steps again. That works if what enters a layer arrives
    together, all state is cleared at one interval, and nothing runs before a sample does.

    Fix: Give paths equal delays, and all groups one reset interval; or fine-tune the original model.

    Example: program: reset intervals ([64, 32768]) differ; give all groups one
    """

    code = "SP309"


class NetworkUnwritten(ExportError):
    """A network of groups has something that a NIR file cannot say.

    A NIR file holds weights, delays and neurons, one kind of input and one count of steps. A bias for single
    neurons of a convolution, inputs of several kinds, or several votes have no place in it.

    Fix: Change the part that the line names.

    Example: network: steps between resets (12) are not 2^k; a Loihi 2 clears its state every 2^k steps
    """

    code = "SP310"
