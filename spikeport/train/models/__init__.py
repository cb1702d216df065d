"""Networks by name: those of the papers, in their size by default, and small ones."""

from collections.abc import Callable

from torch import nn

from spikeport.errors import InputError
from spikeport.train.models.alif_net import alif_net
from spikeport.train.models.imagenet import resnet18, resnet34
from spikeport.train.models.resnet import resnet19, resnet20
from spikeport.train.models.small_conv import small_conv
from spikeport.train.models.source import Source as Source
from spikeport.train.models.vgg import vgg11, vgg16

MODELS: dict[str, Callable[..., nn.Sequential]] = {
    model.__name__: model for model in (alif_net, resnet18, resnet19, resnet20, resnet34, small_conv, vgg11, vgg16)
}


def build_model(name: str, source: Source, classes: int, **options: object) -> nn.Sequential:
    """Raises InputError if the name or an option is unknown."""
    if name not in MODELS:
        raise InputError("model", "name", got=name, relation="is not one of", limit=", ".join(MODELS))
    try:
        return MODELS[name](source, classes, **options)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:  # what Python and torch say of odd options
        raise InputError(f"model {name}", "options", got=error) from error
