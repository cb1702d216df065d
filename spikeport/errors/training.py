"""SP22.: models, training and measures."""

from spikeport.errors.inputs import InputError


class LossNotFinite(InputError):
    """Training has diverged: the loss is NaN or infinite.

    From there on every weight would be NaN. Usual causes: a learning rate that is too high, no gradient clipping,
    mixed precision, or NaN in the data.

    Fix: Lower `train.learning_rate`, add `train.warmup_epochs` or `train.grad_clip`, and train again.

    Example: recipe tiny: loss of epoch 1, step 1 (nan) is not finite; lower train.learning_rate, or clip gradients
    with train.grad_clip
    """

    code = "SP220"


class DeviceMissing(InputError):
    """A device that was asked for is not there.

    Fix: Ask for no more GPUs than `spikeport doctor` finds, or say --accelerator cpu. Half precision needs a GPU.

    Example: train: precision (16) needs a GPU; use bf16 or 32
    """

    code = "SP221"


class LayerInvalid(InputError):
    """A layer is put together in a way that no chip could hold.

    Layers refuse before any training what could never be exported: a mean over part of a window, padding that is
    not zeros, a block without a shortcut. Found later, it would cost a training.

    Fix: Change the argument that the line names.

    Example: QuantConv2d: padding_mode (reflect) is not zeros; a core has no other padding
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

    Example: model resnet20: image size ((24, 24)) cannot be halved; pad or scale the images to a multiple of 16
    """

    code = "SP224"


class AugmentInvalid(InputError):
    """A step of data augmentation is unknown or does not fit the pictures.

    Steps are texts: a name and its numbers, such as `crop:4` or `flip`. All pictures have to keep their shape.

    Fix: Correct `data.augment` in the recipe.

    Example: augment crop: numbers (0) are not those it takes: pad
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
