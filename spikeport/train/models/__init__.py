"""Networks by name: those of the papers, in their size by default, and small ones."""

from collections.abc import Callable
from functools import partial

from torch import nn

from spikeport.errors import InputError, ModelInvalid, UnknownName
from spikeport.train.models.alif_net import alif_net
from spikeport.train.models.imagenet import RESNETS, imagenet_resnet
from spikeport.train.models.resnet import resnet19, resnet20
from spikeport.train.models.small_conv import small_conv
from spikeport.train.models.source import Source as Source
from spikeport.train.models.vgg import VGGS, vgg

MODELS: dict[str, Callable[..., nn.Sequential]] = {
    "alif_net": alif_net,
    "resnet19": resnet19,
    "resnet20": resnet20,
    "small_conv": small_conv,
    **{name: partial(imagenet_resnet, name) for name in RESNETS},
    **{name: partial(vgg, name) for name in VGGS},
}


def build_model(name: str, source: Source, classes: int, **options: object) -> nn.Sequential:
    """Raises InputError if the name or an option is unknown."""
    if name not in MODELS:
        raise UnknownName("model", "name", got=name, relation="is not one of", limit=", ".join(sorted(MODELS)))
    try:
        return MODELS[name](source, classes, **options)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:  # what Python and torch say of odd options
        raise ModelInvalid(f"model {name}", "options", got=error) from error
